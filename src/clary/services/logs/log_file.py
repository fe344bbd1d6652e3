"""One log file: lines of ``<milliseconds since the epoch> <text>``, in the order of time, perhaps still growing.

Everything is read in blocks from where it is asked for; a line that is not complete yet is not there yet.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

LONGEST_MESSAGE = 256 * 1024
"""Bytes of one message that are shown; what is longer is cut."""
MOST_EVENTS = 10_000
MOST_BYTES = 1024 * 1024
EVENT_OVERHEAD = 26
"""Bytes that an event counts for besides its message."""
LINE_BREAK = "\x1e"
"""Stands in a file for a line break within a message."""

_BLOCK = 64 * 1024
_LONGEST_LINE = LONGEST_MESSAGE + 32


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One message; ``start`` and ``end`` are the offsets of its line."""

    timestamp: int
    message: str
    start: int
    end: int

    @property
    def size(self) -> int:
        """The bytes that the event counts for in an answer."""
        return self.end - self.start + EVENT_OVERHEAD


@dataclass(frozen=True)
class Extent:
    """When the first and the last event of a file were, and how long the file is; ``None`` if it has no event."""

    first: int | None
    last: int | None
    size: int
    modified: int


class LogFile:
    """Reads a log file, which need not exist yet.

    ``removed`` are the bytes that stood before its beginning and are gone: offsets count them, so that each event keeps
    its own.
    """

    def __init__(self, path: Path, removed: int = 0) -> None:
        self.path = path
        self._removed = removed

    def forward(self, start: int = 0, since: int | None = None, until: int | None = None) -> Iterator[LogEvent]:
        """The events from offset ``start`` on, with times in ``since`` ≤ time < ``until`` (milliseconds)."""
        start = max(0, start - self._removed)
        try:
            with self.path.open("rb", buffering=_BLOCK) as file:
                if since is not None:
                    start = max(start, _offset_of(file, since))
                file.seek(start)
                for event in _events(file, start):
                    if until is not None and event.timestamp >= until:
                        return
                    if since is None or event.timestamp >= since:
                        yield self._placed(event)
        except FileNotFoundError:
            return

    def backward(
        self, end: int | None = None, since: int | None = None, until: int | None = None
    ) -> Iterator[LogEvent]:
        """The events before offset ``end``, the latest first."""
        end = None if end is None else max(0, end - self._removed)
        try:
            with self.path.open("rb") as file:
                if until is not None:
                    limit = _offset_of(file, until)
                    end = limit if end is None else min(end, limit)
                for event in _reversed_events(file, end):
                    if since is not None and event.timestamp < since:
                        return
                    if until is None or event.timestamp < until:
                        yield self._placed(event)
        except FileNotFoundError:
            return

    def _placed(self, event: LogEvent) -> LogEvent:
        if not self._removed:
            return event
        return replace(event, start=event.start + self._removed, end=event.end + self._removed)

    def offset_of(self, time: int) -> int:
        """The offset of the first line of that time or later."""
        try:
            with self.path.open("rb") as file:
                return self._removed + _offset_of(file, time)
        except FileNotFoundError:
            return self._removed

    def end(self) -> int:
        """The offset after the last complete line."""
        try:
            with self.path.open("rb") as file:
                return self._removed + _complete(file)
        except FileNotFoundError:
            return self._removed

    def extent(self) -> Extent:
        """The times of the first and the last event."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return Extent(None, None, 0, 0)
        first = next(self.forward(), None)
        last = next(self.backward(), None)
        return Extent(
            first.timestamp if first else None,
            last.timestamp if last else None,
            status.st_size,
            int(status.st_mtime * 1000),
        )


def _parse(line: bytes, start: int, end: int, before: int) -> LogEvent:
    stamp, found, text = line.partition(b" ")
    if not found or not stamp.isdigit() or len(stamp) > 15:
        # Not a line of ours; what it says is worth showing all the same.
        return LogEvent(before, line[:LONGEST_MESSAGE].decode("utf-8", "replace"), start, end)
    message = text[:LONGEST_MESSAGE].decode("utf-8", "replace")
    return LogEvent(int(stamp), message.replace(LINE_BREAK, "\n"), start, end)


def _events(file: BinaryIO, start: int) -> Iterator[LogEvent]:
    before = 0
    while True:
        line = file.readline(_LONGEST_LINE)
        end = start + len(line)
        while line and not line.endswith(b"\n"):
            rest = file.readline(_LONGEST_LINE)
            if not rest:
                return
            end += len(rest)
            if rest.endswith(b"\n"):
                line += b"\n"
        if not line:
            return
        event = _parse(line[:-1], start, end, before)
        before = event.timestamp
        yield event
        start = end


def _complete(file: BinaryIO) -> int:
    position = file.seek(0, os.SEEK_END)
    while position > 0:
        begin = max(0, position - _BLOCK)
        file.seek(begin)
        found = file.read(position - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        position = begin
    return 0


def _reversed_events(file: BinaryIO, end: int | None) -> Iterator[LogEvent]:
    complete = _complete(file)
    position = line_end = complete if end is None else min(end, complete)
    # What is known of the line that ends at `line_end`, its line break left out.
    tail = b""
    while position > 0:
        begin = max(0, position - _BLOCK)
        file.seek(begin)
        block = file.read(position - begin)
        # Of a line longer than anybody is shown, the beginning is what counts.
        tail = block + tail if len(tail) <= _LONGEST_LINE else block
        position = begin
        while True:
            body = tail[:-1] if tail.endswith(b"\n") and position + len(tail) >= line_end else tail
            cut = body.rfind(b"\n")
            if cut < 0:
                break
            start = position + cut + 1
            yield _parse(body[cut + 1 :], start, line_end, 0)
            tail, line_end = tail[: cut + 1], start
        if position == 0 and line_end > 0:
            yield _parse(tail[:-1] if tail.endswith(b"\n") else tail, 0, line_end, 0)


def _offset_of(file: BinaryIO, time: int) -> int:
    """Bisects by offset for the first line of ``time`` or later."""
    low, high = 0, _complete(file)
    while low < high:
        middle = (low + high) // 2
        start = _line_start(file, middle)
        file.seek(start)
        event = next(_events(file, start), None)
        if event is None or event.timestamp >= time:
            high = start
        else:
            low = event.end
    return low


def _line_start(file: BinaryIO, offset: int) -> int:
    position = offset
    while position > 0:
        begin = max(0, position - _BLOCK)
        file.seek(begin)
        found = file.read(position - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        position = begin
    return 0
