"""One event and what becomes of it: the time that it may take, the lines of the log, the answer.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from clary_runtimes.functions import frames
from clary_runtimes.functions.process import Exited, Function, TimedOut

INIT_SECONDS = 10.0
"""How long a function may take to be there before that counts as a part of its first invocation."""
LARGEST_ANSWER = 6_291_556
"""Bytes; AWS's number."""
TAIL = 4096
"""Bytes of the log that go with an answer."""


class Answer(NamedTuple):
    """What the caller gets."""

    body: bytes
    error: bool
    log: bytes
    """The end of what was logged."""
    spent: bool = False
    """Whether the environment is of no further use."""


class Log:
    """What the function prints, on its way to the job's log."""

    def __init__(self) -> None:
        self._tail = b""

    def begin(self) -> None:
        """From here on it belongs to another invocation."""
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Write text as it comes."""
        self._tail = (self._tail + data)[-TAIL:]
        while data:
            data = data[os.write(1, data) :]

    def line(self, text: str) -> None:
        """Write a line of the platform's own."""
        end = b"" if not self._tail or self._tail.endswith(b"\n") else b"\n"
        self.write(end + text.encode() + b"\n")

    @property
    def tail(self) -> bytes:
        """The end of what belongs to the invocation."""
        return self._tail


class Invocations:
    """Invokes a function, one event at a time."""

    def __init__(self, start: Callable[[Callable[[bytes], None]], Function], timeout: float, memory_mb: int) -> None:
        """``start`` makes the function's process, which is given the way to the log; ``timeout`` is in seconds."""
        self._log = Log()
        self._timeout = timeout
        self._memory_mb = memory_mb
        self._began = time.monotonic()
        self._log.line(f"INIT_START Runtime Version: {os.environ.get('AWS_EXECUTION_ENV', 'python')}")
        self._function = start(self._log.write)
        self._init_ms: float | None = None
        self._is_there = False
        self._spent = False

    def invoke(self, request_id: str, function_arn: str, client_context: str, body: bytes) -> Answer:
        """Call the function with one event."""
        log, began = self._log, time.monotonic()
        if self._is_there:
            self._function.drain()
        log.begin()
        if self._spent:
            return self._failed(request_id, Exited("exit status 1"))
        log.line(f"START RequestId: {request_id} Version: $LATEST")
        try:
            self._await_function(began)
            began = time.monotonic()
            head = {
                "id": request_id,
                "arn": function_arn,
                "deadline_ms": int((time.time() + self._timeout) * 1000),
                "client_context": client_context,
            }
            self._function.send(json.dumps(head).encode(), body)
            kind, parts = self._function.answer(began + self._timeout)
            error, said = kind != frames.RESULT, parts[0]
            if len(said) > LARGEST_ANSWER:
                why = f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes)."
                error, said = True, _error("Function.ResponseSizeTooLarge", why)
        except (TimedOut, Exited) as end:
            self._spent = True
            self._report(request_id, began, end)
            self._function.kill()
            return self._failed(request_id, end)
        self._report(request_id, began)
        # A function that could not be imported is imported anew, in the next environment.
        return Answer(said, error, log.tail, spent=kind == frames.FAULT)

    def _await_function(self, began: float) -> None:
        if self._is_there:
            return
        # What it takes beyond the time for the start counts as the invocation's.
        self._function.answer(max(self._began + INIT_SECONDS, began) + self._timeout)
        self._is_there = True
        self._init_ms = (time.monotonic() - self._began) * 1000

    def _failed(self, request_id: str, end: TimedOut | Exited) -> Answer:
        if isinstance(end, TimedOut):
            kind, what = "Sandbox.Timedout", f"Task timed out after {self._timeout:.2f} seconds"
        else:
            kind, what = "Runtime.ExitError", f"Runtime exited with error: {end}"
        return Answer(_error(kind, f"RequestId: {request_id} Error: {what}"), True, self._log.tail, True)

    def _report(self, request_id: str, began: float, end: TimedOut | Exited | None = None) -> None:
        log, milliseconds = self._log, (time.monotonic() - began) * 1000
        if isinstance(end, Exited):
            log.line(f"RequestId: {request_id} Error: Runtime exited with error: {end}\nRuntime.ExitError")
        log.line(f"END RequestId: {request_id}")
        parts = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {milliseconds:.2f} ms",
            f"Billed Duration: {math.ceil(milliseconds + (self._init_ms or 0))} ms",
            f"Memory Size: {self._memory_mb} MB",
            f"Max Memory Used: {self._function.peak_mb()} MB",
            *([f"Init Duration: {self._init_ms:.2f} ms"] if self._init_ms is not None else ()),
            *(["Status: timeout"] if isinstance(end, TimedOut) else ()),
        ]
        log.line("\t".join(parts) + "\t")
        if isinstance(end, TimedOut):
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            log.line(f"{now} {request_id} Task timed out after {self._timeout:.2f} seconds")
        self._init_ms = None


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
