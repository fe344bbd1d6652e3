"""``aws logs tail``, which only version 2 of the AWS command line has: not a package of Python's, but of the system."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clary.testing.server import Server

GROUP = "/shop/orders"


@pytest.fixture
def logs(clary_aws: Server) -> Any:
    """A client, and a group with two streams: what happened two hours ago and a moment ago."""
    client = clary_aws.client("logs")
    client.create_log_group(logGroupName=GROUP)
    now = round(time.time() * 1000)
    events = {
        "web/1": [(now - 7_200_000, "long ago"), (now - 3_000, "ERROR one 404"), (now - 1_000, '{"n": 1}')],
        "web/2": [(now - 2_000, "two lines\nof it")],
    }
    for stream, told in events.items():
        client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        put(client, stream, *told)
    return client


def put(logs: Any, stream: str, *events: tuple[int, str]) -> None:
    batch = [{"timestamp": at, "message": message} for at, message in events]
    logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=batch)


def _is_version_2(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return done.stdout.startswith("aws-cli/2")


@pytest.fixture
def tail(clary_aws: Server) -> Callable[..., subprocess.Popen[str]]:
    program = next(filter(_is_version_2, filter(None, (shutil.which("aws"), "/usr/bin/aws"))), None)
    assert program, "the tests need version 2 of aws: sudo apt-get install awscli"

    def run(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [program, "--endpoint-url", clary_aws.url, "logs", "tail", *words],
            env={**os.environ, **clary_aws.environment, "AWS_PAGER": "", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def said(process: subprocess.Popen[str]) -> list[str]:
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    return out.splitlines()


@pytest.mark.slow("aws-cli")
def test_what_was_said_of_late(logs: Any, tail: Callable[..., subprocess.Popen[str]]) -> None:
    lines = said(tail(GROUP, "--since", "5m"))
    assert [line.split(" ", 1)[-1] for line in lines] == [
        "web/1 ERROR one 404",
        "web/2 two lines",
        "it",
        'web/1 {"n": 1}',
    ]
    short = said(tail(GROUP, "--since", "3h", "--format", "short"))
    assert [line.split(" ", 1)[-1] for line in short][:2] == ["long ago", "ERROR one 404"]
    assert '    "n": 1' in said(tail(GROUP, "--since", "5m", "--format", "json", "--filter-pattern", "{ $.n = 1 }"))
    [line] = said(tail(GROUP, "--since", "5m", "--filter-pattern", "[kind = ERROR, ..., status = 4*]"))
    assert line.endswith("web/1 ERROR one 404")
    assert len(said(tail(GROUP, "--since", "5m", "--log-stream-names", "web/2"))) == 2
    assert len(said(tail(GROUP, "--since", "5m", "--log-stream-name-prefix", "web/1"))) == 2
    process = tail("/shop/none")
    assert "The specified log group does not exist." in process.communicate(timeout=60)[1]


@pytest.fixture
def following(logs: Any, tail: Callable[..., subprocess.Popen[str]]) -> Iterator[list[str]]:
    """The lines of a command that follows the group, as they come."""
    process = tail(GROUP, "--since", "5m", "--follow", "--format", "short")
    lines: list[str] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(iter(process.stdout.readline, "")), daemon=True)
    reader.start()
    yield lines
    process.terminate()
    process.wait(10)
    reader.join(10)


@pytest.mark.slow("aws-cli")
def test_what_is_said_while_it_follows(logs: Any, following: list[str]) -> None:
    def wait_for(text: str) -> None:
        deadline = time.monotonic() + 60
        while not any(text in line for line in following):
            assert time.monotonic() < deadline, following
            time.sleep(0.05)

    wait_for('"n": 1')
    for number in range(3):
        put(logs, "web/2", (round(time.time() * 1000), f"live {number}"))
        wait_for(f"live {number}")
    told = [line.split(" ", 1)[-1].strip() for line in following]
    assert told == ["ERROR one 404", "two lines", "it", '{"n": 1}', "live 0", "live 1", "live 2"]
