"""One program that the supervisor keeps running."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.control.rotating_log import RotatingLog

EXIT_SETTINGS = 2
"""The status of a program that cannot work with its settings: starting it again does not help."""
_STEADY_S = 10.0
"""A child that lived so long is healthy: its next death is the first again."""
_LONGEST_PAUSE_S = 5.0


class Child:
    """One supervised program: its process, its log, and how often it died lately."""

    def __init__(self, name: str, command: Sequence[str], log: RotatingLog) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.restarts = 0
        self.deaths = 0
        self.start_at = 0.0
        self.ended = True
        """Whether everything that the last process printed has been read."""

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def describe(self) -> dict[str, Any]:
        """What ``run/supervisor.json`` says about it."""
        assert self.process is not None
        return {"pid": self.process.pid, "since": process_start(self.process.pid), "restarts": self.restarts}

    def start(self, environment: Mapping[str, str]) -> None:
        """Start a process, in a group of its own: the terminal's Ctrl-C is for the supervisor alone."""
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            process_group=0,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self.started = time.monotonic()
        self.ended = False

    def pause_after_death(self) -> float:
        """Seconds to wait before the next start: none at first, then doubling while deaths come quickly."""
        self.deaths = 1 if time.monotonic() - self.started >= _STEADY_S else self.deaths + 1
        return 0.0 if self.deaths == 1 else min(0.1 * 2.0 ** (self.deaths - 2), _LONGEST_PAUSE_S)

    def drain(self) -> None:
        """Move what the process printed to its log, without waiting."""
        if self.process is None or self.ended:
            return
        assert self.process.stdout is not None
        while True:
            try:
                chunk = os.read(self.process.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                self.ended = True
                return
            self.log.write(chunk)

    def signal(self, number: int) -> None:
        if self.alive and self.process is not None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End the process at once, if it still lives, and wait until it is gone."""
        if self.process is not None and self.alive:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Let go of the pipes of a process that is over."""
        if self.process is not None:
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()


def process_start(pid: int) -> str:
    """When a process began, in a form that tells it from a later one with the same number; empty if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return ""
        shown = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return shown.stdout.strip()
    except OSError:
        return ""
    # The name may hold spaces and parentheses; what follows the last parenthesis does not.
    after_name = stat.rpartition(")")[2].split()
    return "" if after_name[0] == "Z" else after_name[19]


def ending(code: int) -> str:
    """How a process ended, in words: ``exit status 1``, ``signal SIGKILL``."""
    if code >= 0:
        return f"exit status {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
