"""Where the trail is kept: files of lines ``<milliseconds since the epoch> <record>``, a series of them for each kind.

What changes something, what only looks, and what moves data are kept apart, so that a flood of one of them, which
nobody needs a permission for, cannot drive out the records of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from clary.services.logs.api import LogEvent, LogFile

Kind = Literal["write", "read", "data"]
KINDS: tuple[Kind, ...] = ("write", "read", "data")
MANAGEMENT: tuple[Kind, ...] = ("write", "read")
DAY_MS = 86_400_000


@dataclass(frozen=True, order=True)
class Place:
    """A place in the records of one kind: those before it are older. ``segment`` is the time its file was begun at."""

    segment: int
    offset: int


def segment_path(folder: Path, kind: Kind, segment: int) -> Path:
    """The file that was begun at that time, in milliseconds since the epoch."""
    return folder / f"{kind}-{segment:013d}.jsonl"


def segments(folder: Path, kind: Kind) -> list[int]:
    """The files of a kind by the times they were begun at, the oldest first."""
    names = (path.stem.removeprefix(f"{kind}-") for path in folder.glob(f"{kind}-*.jsonl"))
    return sorted(int(name) for name in names if name.isdigit())


def backward(
    folder: Path, kind: Kind, before: Place | None, since: int, until: int
) -> Iterator[tuple[Place, LogEvent]]:
    """The records of a kind with times in ``since`` <= time < ``until`` (milliseconds), the latest first.

    Each comes with its place, and with ``before`` only those before it come.
    """
    for segment in reversed(segments(folder, kind)):
        if segment >= until or (before is not None and segment > before.segment):
            continue
        end = before.offset if before is not None and segment == before.segment else None
        file = LogFile(segment_path(folder, kind, segment))
        for event in file.backward(end, since, until):
            yield Place(segment, event.start), event
        if segment <= since:
            return
