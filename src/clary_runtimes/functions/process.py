"""The function's process as the environment sees it: started, listened to, and ended."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from clary_runtimes.functions import frames

_TICK = 0.2
"""Seconds after which a process is looked at that says nothing: one of its own children may hold its pipes open."""


class TimedOut(Exception):
    """The process did not answer in time."""


class Exited(Exception):
    """The process is gone; the text says how, as AWS words it."""


class Function:
    """A child of this process that runs ``target`` with the descriptors for events and for answers."""

    def __init__(
        self,
        target: Callable[[int, int], None],
        environment: Mapping[str, str],
        folder: str,
        log: Callable[[bytes], None],
    ) -> None:
        """``log`` is given what the process prints."""
        events, self._events = os.pipe()
        self._answers, answers = os.pipe()
        self._output, output = os.pipe()
        self._log = log
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if not self.pid:
            for mine in (self._events, self._answers, self._output):
                os.close(mine)
            _be(target, environment, folder, events, answers, output)
        for theirs in (events, answers, output):
            os.close(theirs)
        os.set_blocking(self._output, False)
        self._reader = frames.Reader(self._answers)
        self._status: int | None = None

    def send(self, *parts: bytes) -> None:
        """Hand over an event. Raises ``Exited``."""
        try:
            frames.write(self._events, frames.EVENT, *parts)
        except OSError:
            raise Exited(self._how()) from None

    def answer(self, until: float) -> tuple[bytes, list[bytes]]:
        """What the process says next; ``until`` is on the monotonic clock. Raises ``TimedOut`` and ``Exited``."""
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise TimedOut
            ready = select.select([self._answers, self._output], [], [], min(left, _TICK))[0]
            if self._output in ready:
                self.drain()
            if self._answers in ready and (found := self._reader.take()) is not None:
                self.drain()  # what it printed before it answered
                return found
            if self._reader.ended or (not ready and self._is_gone()):
                self.drain()
                raise Exited(self._how())

    def drain(self) -> None:
        """Log what it has printed."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._output, 1 << 16):
                self._log(data)

    def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._how()
        self.drain()

    def peak_mb(self) -> int:
        """The most memory that it has had, in megabytes."""
        try:
            text = Path(f"/proc/{self.pid}/status").read_text("utf-8", "replace")
        except OSError:
            return 0
        lines = [line for line in text.splitlines() if line.startswith("VmHWM:")]
        return int(lines[0].split()[1]) // 1024 if lines else 0

    def _is_gone(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = status
        return self._status is not None

    def _how(self) -> str:
        if self._status is None:
            self._status = os.waitpid(self.pid, 0)[1]
        code = os.waitstatus_to_exitcode(self._status)
        if code >= 0:
            return f"exit status {code}"
        return "signal: killed" if code == -signal.SIGKILL else f"signal: {signal.Signals(-code).name}"


def _printed(descriptor: int) -> TextIO:
    """What is printed there, line by line."""
    return open(descriptor, "w", buffering=1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _be(
    target: Callable[[int, int], None],
    environment: Mapping[str, str],
    folder: str,
    events: int,
    answers: int,
    output: int,
) -> None:
    """Go on as the function's process; does not return."""
    code = 1
    try:
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        sys.stdout, sys.stderr = _printed(1), _printed(2)
        for inherited in (events, answers):
            os.set_inheritable(inherited, False)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        os.chdir(folder)
        sys.path.insert(0, folder)
        target(events, answers)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - nothing of the parent's stack may run in the child
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
