"""The supervisor keeps its programs running, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.control import child, probe, supervisor
from clary.control.rotating_log import RotatingLog

RUNNER = Path(__file__).with_name("run_supervisor.py")
CLOCK = Path(__file__).parents[1] / "survival" / "clock"
"""A folder whose ``sitecustomize`` moves a program's clock by what a file says."""


def wait_until(condition: Callable[[], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return value


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="clary-") as folder:
        yield Path(folder) / "home"


class Run:
    """A supervisor at work over stand-ins."""

    def __init__(self, home: Path, port: int = 0, **arguments: str) -> None:
        self.home = home
        extra = [part for name, value in arguments.items() for part in (f"--{name}={value}",)]
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER), str(home), str(port), *extra],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        self.answer = json.loads(self.process.stdout.readline() or "{}")

    @property
    def state(self) -> dict[str, Any]:
        return probe.read_state(self.home / "run" / "supervisor.json") or {}

    def pid(self, name: str) -> int:
        return int(self.state["children"][name]["pid"])

    def log(self, name: str) -> str:
        return (self.home / "log" / f"{name}.log").read_text()

    def answers(self) -> bool:
        return probe.answers("127.0.0.1", self.answer["port"])


@contextlib.contextmanager
def running(home: Path, port: int = 0, **arguments: str) -> Iterator[Run]:
    run = Run(home, port, **arguments)
    try:
        if run.answer.get("state") == "ready":
            # Real control answers before all is ready; this one has no socket to be asked on.
            wait_until(lambda: "runs as" in run.log("control"))
        yield run
    finally:
        for stream in (run.process.stdin, run.process.stdout):
            assert stream is not None
            stream.close()
        run.process.wait(30)


def gone(pid: int) -> bool:
    return not child.process_start(pid)


def test_start_and_orderly_stop(home: Path) -> None:
    with running(home) as run:
        assert run.answer["state"] == "ready"
        assert run.answers()
        assert run.state["ready"]
        assert run.state["port"] == run.answer["port"]
        pids = [run.pid("edge"), run.pid("control")]
        assert oct((home / "run" / "supervisor.json").stat().st_mode)[-3:] == "600"
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(15) == 0
    assert all(gone(pid) for pid in pids)
    assert not run.state
    left = [float(run.log(name).split("leaves at ")[1]) for name in ("edge", "control")]
    assert left[0] <= left[1], "the edge leaves before control"


def test_end_of_the_lifeline_stops_it(home: Path) -> None:
    with running(home) as run:
        assert run.process.stdin is not None
        run.process.stdin.close()
        assert run.process.wait(15) == 0


@pytest.mark.parametrize("name", ["edge", "control"])
def test_a_killed_child_is_started_again_on_the_same_port(home: Path, name: str) -> None:
    with running(home) as run:
        before = run.pid(name)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: run.state and run.pid(name) != before)
        wait_until(run.answers)
        assert run.state["port"] == run.answer["port"]
        assert run.state["children"][name]["restarts"] == 1
        assert "signal SIGKILL" in run.log("supervisor")


def test_repeated_deaths_are_answered_with_patience(home: Path) -> None:
    with running(home) as run:
        for _ in range(4):
            before = run.pid("control")
            os.kill(before, signal.SIGKILL)
            wait_until(lambda before=before: run.pid("control") != before)  # type: ignore[misc]
        pauses = [line.rsplit(" in ", 1)[1] for line in run.log("supervisor").splitlines() if "started again" in line]
        assert pauses == ["0 s", "0.1 s", "0.2 s", "0.4 s"]


def test_children_leave_when_the_supervisor_is_killed_and_the_next_one_waits_for_them(home: Path) -> None:
    with running(home) as run:
        port, pids = run.answer["port"], [run.pid("edge"), run.pid("control")]
        run.process.kill()
        run.process.wait()
        with running(home, port) as second:
            assert second.answer["state"] == "ready"
            assert all(gone(pid) for pid in pids)


def test_only_one_supervisor_holds_a_home(home: Path) -> None:
    with running(home) as run, running(home) as second:
        assert second.answer["code"] == supervisor.EXIT_HOME_HELD
        assert f"already running in {home}" in second.answer["message"]
        assert run.answer["url"] in second.answer["message"]
        assert second.process.wait(10) == supervisor.EXIT_HOME_HELD
        assert run.state, "the second one must not touch the first one's state"


def test_a_taken_port_is_an_error_that_names_the_remedy(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, running(home, taken.getsockname()[1]) as run:
        assert run.answer["code"] == supervisor.EXIT_PORT_TAKEN
        assert "--port" in run.answer["message"]


def test_a_child_that_cannot_start_ends_the_start_with_its_last_words(home: Path) -> None:
    with running(home, edge="--fail 7") as run:
        assert run.answer["code"] == supervisor.EXIT_START_FAILED
        assert "exit status 7" in run.answer["message"]
        assert "the reason why it fails" in run.answer["message"]
        assert run.process.wait(10) == supervisor.EXIT_START_FAILED


def test_a_clock_that_is_put_forward_is_no_reason_to_give_the_start_up(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    monkeypatch.setenv("PYTHONPATH", str(CLOCK))
    monkeypatch.setenv("TEST_CLOCK", str(clock))
    with running(home, edge=f"--put-forward={clock}") as run:
        assert run.answer["state"] == "ready", run.answer
        assert run.answer["seconds"] < 60
        assert clock.read_text() == "3600"


def test_a_stubborn_child_is_killed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(home, control="--stubborn") as run:
        pid = run.pid("control")
        wait_until(lambda: "control runs as" in run.log("control"))  # from then on it ignores SIGTERM
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(30) == 0
        assert gone(pid)
        assert "control does not leave and is killed" in run.log("supervisor")


def test_wrong_settings_give_their_own_status(home: Path) -> None:
    home.mkdir()
    (home / "settings.toml").write_text("prot = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "clary.control.supervisor", "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == supervisor.EXIT_SETTINGS
    assert done.stderr == "clary: unknown setting: prot\n"


def test_logs_rotate_at_line_ends(tmp_path: Path) -> None:
    log = RotatingLog(tmp_path / "a.log", limit=1000, keep=2)
    for number in range(100):
        log.write(f"line {number:03d} {'x' * 40}\n".encode())
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["a.log", "a.log.1", "a.log.2"]
    for name in files:
        text = (tmp_path / name).read_text()
        assert len(text) < 1100
        assert all(len(line) == 49 for line in text.splitlines())
    assert log.tail(1) == f"line 099 {'x' * 40}"


def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    since = child.process_start(process.pid)
    assert since
    assert child.process_start(process.pid) == since
    process.communicate(b"\n")
    assert child.process_start(process.pid) == ""
