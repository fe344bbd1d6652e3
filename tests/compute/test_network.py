"""What a job in a network of its own reaches of other machines; that of this machine is in the isolation's contract."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clary.compute.agent.relay import LARGEST, relay

TRIAL = Path(__file__).with_name("network_trial.py")


def reached(tmp_path: Path, mode: str) -> str:
    """The log of a job that looks around, in a small world of its own."""
    if os.geteuid():
        pytest.skip("other machines can be made by root alone")
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n203.0.113.9 clary.example\n", "ascii")
    world = [
        "bwrap",
        "--unshare-net",
        "--die-with-parent",
        "--dev-bind",
        "/",
        "/",
        "--ro-bind",
        str(hosts),
        "/etc/hosts",
    ]
    done = subprocess.run(
        [*world, "--", sys.executable, str(TRIAL), str(tmp_path / "home"), mode],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_other_machines_are_reached(tmp_path: Path) -> None:
    log = reached(tmp_path, "outside")
    assert "platform reached at 203.0.113.9" in log
    assert "machine reached at 203.0.113.7" in log
    # Of the platform's machine the platform alone, and nothing of what clouds tell their machines.
    assert "service beside the platform not reached" in log
    assert "metadata not reached" in log
    assert "No route to host" in log


def test_without_slirp4netns_the_platform_alone_is_reached(tmp_path: Path) -> None:
    log = reached(tmp_path, "alone")
    assert "platform reached at 203.0.113.9" in log
    assert "machine not reached" in log
    assert "apt install slirp4netns" in log


def test_a_relay_carries_both_ways_and_says_when_one_is_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as far, socket.create_server(("127.0.0.1", 0)) as near:
        relay(near, lambda: socket.create_connection(far.getsockname()))
        client = socket.create_connection(near.getsockname())
        server = far.accept()[0]
        sent = os.urandom(3_000_000)
        writer = threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR)))
        writer.start()
        with server.makefile("rb") as stream:
            assert stream.read() == sent
        server.sendall(b"answer")
        server.close()
        with client.makefile("rb") as stream:
            assert stream.read() == b"answer"
        writer.join()
        client.close()


def test_a_relay_closes_what_it_cannot_carry_on() -> None:
    def refuse() -> socket.socket:
        raise ConnectionRefusedError

    with socket.create_server(("127.0.0.1", 0)) as near:
        relay(near, refuse)
        for _ in range(2 * LARGEST):  # none of them keeps the next from being looked at
            with socket.create_connection(near.getsockname()) as client:
                assert client.recv(1) == b""
