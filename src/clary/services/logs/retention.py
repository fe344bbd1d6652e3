"""The reconciler of log groups: removes events that a group keeps no longer from its files.

Reference: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from clary.resources.context import Platform, Reconciliation
from clary.services.logs.api import REMOVED
from clary.services.logs.groups import streams_of
from clary.services.logs.log_file import LogFile
from clary.services.logs.streams import locked
from clary.state.records import Record

LOOK_SECONDS = 6 * 3600.0
"""Time between two looks at a group; AWS takes up to three days."""
_DAY_MS = 86_400_000


def remove_old(look: Reconciliation) -> float | None:
    """Remove what is too old in the streams of a group (see ``clary.resources.context.Reconciler``).

    The file of a job, which its agent may have open, is emptied once all of it is too old.
    """
    platform, group = look.platform, look.record
    days = group.document.get("Retention")
    now = platform.clock()
    if days is not None:
        before = int(now * 1000) - days * _DAY_MS
        with platform.database.read() as transaction:
            streams = streams_of(transaction, group)
        for stream in streams:
            _remove(platform, stream, before)
    with platform.database.write() as transaction:
        group.wake_at = now + LOOK_SECONDS if days is not None else None
        transaction.update(group, fence=group.fence, release=True)
    return None


def _remove(platform: Platform, stream: Record, before: int) -> None:
    path = Path(stream.document["Path"])
    own = path.is_relative_to(platform.settings.home / "logs")
    removed = _cut(path, before) if own else _emptied(path, before)
    if removed:
        # Whoever reads between the two finds nothing new, and looks again.
        with platform.database.write() as transaction:
            current = transaction.by_id(stream.id)
            if current is not None:
                current.document[REMOVED] = current.document.get(REMOVED, 0) + removed
                transaction.update(current)


def _cut(path: Path, before: int) -> int:
    """Remove the events before that time (milliseconds) from a file; gives how many bytes they were."""
    if not path.exists():
        return 0  # nothing was ever put into it
    with locked(path.with_suffix(".lock")):
        cut = LogFile(path).offset_of(before)
        if not cut:
            return 0
        draft = path.with_suffix(".draft")
        with (
            path.open("rb") as source,
            os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as to,
        ):
            source.seek(cut)
            shutil.copyfileobj(source, to)
        draft.replace(path)
    return cut


def _emptied(path: Path, before: int) -> int:
    """Empty a file that nobody has written to since that time; gives how long it was."""
    try:
        status = path.stat()
        last = next(LogFile(path).backward(), None)
        if not status.st_size or status.st_mtime * 1000 >= before or (last is not None and last.timestamp >= before):
            return 0
        os.truncate(path, 0)
    except FileNotFoundError:
        return 0
    return status.st_size
