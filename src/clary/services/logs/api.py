"""Log groups and streams as other services use them."""

from __future__ import annotations

import uuid
from pathlib import Path

from clary.core import clock
from clary.core.errors import ResourceNotFoundException
from clary.core.names import arn
from clary.resources.context import Platform
from clary.services.logs.errors import InvalidParameterException
from clary.services.logs.log_file import LONGEST_MESSAGE, LogEvent, LogFile
from clary.state.records import AlreadyExists, Key, Record
from clary.state.transaction import Transaction

__all__ = ["LogEvent", "LogFile", "file_of", "find_stream", "group_key", "register_stream", "stream_key", "write_line"]

SERVICE = "logs"
REMOVED = "Removed"
"""In the document of a stream: how many bytes of its beginning are gone, because the group keeps them no longer."""


def group_key(account: str, region: str, group: str) -> Key:
    """Where a log group is kept."""
    return Key(account, region, SERVICE, "LogGroup", "", group)


def stream_key(account: str, region: str, group: str, stream: str) -> Key:
    """Where a log stream is kept."""
    return Key(account, region, SERVICE, "LogStream", group, stream)


def group_arn(account: str, region: str, group: str) -> str:
    """The ARN of a log group, without the ``:*`` that means its streams."""
    return arn(SERVICE, region, account, f"log-group:{group}")


def register_stream(
    target: Platform | Transaction, account: str, region: str, group: str, stream: str, path: Path
) -> None:
    """Show the file at ``path`` as a log stream; the group is made if need be, and the file need not exist yet.

    It may be called again, also with another path. With a ``Transaction``, it happens as part of it.
    """
    if isinstance(target, Platform):
        with target.database.write() as transaction:
            register_stream(transaction, account, region, group, stream, path)
        return
    now = clock.now()
    ensure_group(target, account, region, group, now)
    present = target.get(stream_key(account, region, group, stream))
    if present is None:
        target.insert(new_stream(account, region, group, stream, path, now))
    elif present.document["Path"] != str(path):
        present.document["Path"] = str(path)
        present.modified = now
        target.update(present)


def forget_stream(transaction: Transaction, account: str, region: str, group: str, stream: str) -> None:
    """Show a stream no longer; its file is whose it is."""
    present = transaction.get(stream_key(account, region, group, stream))
    if present is not None:
        transaction.delete(present)


def ensure_group(transaction: Transaction, account: str, region: str, group: str, now: float) -> None:
    """Make the group unless it is there."""
    key = group_key(account, region, group)
    if transaction.get(key) is None:
        try:
            transaction.insert(Record(key, group_arn(account, region, group), now, now, {}))
        except AlreadyExists:
            # Somebody else was faster, on a database with several writers.
            return


def new_stream(account: str, region: str, group: str, stream: str, path: Path, now: float) -> Record:
    """The record of a new stream."""
    name = f"{group_arn(account, region, group)}:log-stream:{stream}"
    return Record(stream_key(account, region, group, stream), name, now, now, {"Path": str(path)})


def write_line(
    transaction: Transaction, home: Path, account: str, region: str, group: str, stream: str, text: str
) -> None:
    """Add an event of now to a stream, which is made if need be, of a group that is there.

    Raises ``ResourceNotFoundException`` or ``InvalidParameterException``. What is written stays if the transaction
    fails.
    """
    # Imported here because that module stands on this one.
    from clary.services.logs.streams import append

    if transaction.get(group_key(account, region, group)) is None:
        raise ResourceNotFoundException("The specified log group does not exist.")
    if len(text.encode()) > LONGEST_MESSAGE:
        raise InvalidParameterException(f"Log event too large: it exceeds the limit of {LONGEST_MESSAGE} bytes")
    now, record = clock.now(), transaction.get(stream_key(account, region, group, stream))
    if record is None:
        path = home / "logs" / f"{uuid.uuid4().hex}.log"
        record = transaction.insert(new_stream(account, region, group, stream, path, now))
    path = Path(record.document["Path"])
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    append(path, [(int(now * 1000), text)])


def find_stream(transaction: Transaction, account: str, region: str, group: str, stream: str) -> LogFile | None:
    """The file behind a stream."""
    record = transaction.get(stream_key(account, region, group, stream))
    return file_of(record) if record is not None else None


def file_of(record: Record) -> LogFile:
    """The file of a stream's record."""
    return LogFile(Path(record.document["Path"]), record.document.get(REMOVED, 0))
