"""Log streams, and what is put into them."""

from __future__ import annotations

import fcntl
import heapq
import itertools
import os
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from clary.core.errors import ResourceAlreadyExistsException, ResourceNotFoundException
from clary.resources.context import Context, Handler
from clary.services.logs.api import new_stream, stream_key
from clary.services.logs.errors import InvalidParameterException
from clary.services.logs.groups import find_group, group_name, remove_file, streams_of
from clary.services.logs.log_file import (
    EVENT_OVERHEAD,
    LINE_BREAK,
    LONGEST_MESSAGE,
    MOST_BYTES,
    MOST_EVENTS,
    Extent,
    LogFile,
)
from clary.services.logs.tokens import read_place, write_place
from clary.state.records import AlreadyExists, Record
from clary.state.transaction import Transaction

_DEFAULT_PAGE = 50
_BLOCK = 1024 * 1024
_DAY_MS = 86_400_000
_OLDEST_MS = 14 * _DAY_MS
_NEWEST_MS = 2 * 3_600_000
_SEQUENCE_TOKEN = "0" * 56
"""Sequence tokens are ignored since 2023, but answers still have one."""


def find_stream_record(transaction: Transaction, context: Context, group: str, stream: str) -> Record:
    """The record of a log stream; raises ``ResourceNotFoundException``."""
    record = transaction.get(stream_key(context.account, context.region, group, stream))
    if record is None:
        raise ResourceNotFoundException("The specified log stream does not exist.")
    return record


def create_log_stream(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html"""
    group, stream = params["logGroupName"], params["logStreamName"]
    # Names come from clients, and so never become part of a path.
    path = context.platform.settings.home / "logs" / f"{uuid.uuid4().hex}.log"
    record = new_stream(context.account, context.region, group, stream, path, context.platform.clock())
    with context.platform.database.write() as transaction:
        find_group(transaction, context, group)
        try:
            transaction.insert(record)
        except AlreadyExists as error:
            raise ResourceAlreadyExistsException("The specified log stream already exists") from error
    return {}


def delete_log_stream(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html"""
    with context.platform.database.write() as transaction:
        find_group(transaction, context, params["logGroupName"])
        record = find_stream_record(transaction, context, params["logGroupName"], params["logStreamName"])
        transaction.delete(record)
    remove_file(context, Path(record.document["Path"]))
    return {}


@lru_cache(maxsize=8192)
def _extent(path: str, size: int, modified_ns: int) -> Extent:
    return LogFile(Path(path)).extent()


def _extent_of(record: Record) -> Extent:
    """When the events of a stream were; a file is read again only after it changed."""
    path = record.document["Path"]
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        return Extent(None, None, 0, 0)
    return _extent(path, status.st_size, status.st_mtime_ns)


def _view(record: Record) -> dict[str, Any]:
    extent = _extent_of(record)
    view: dict[str, Any] = {
        "logStreamName": record.name,
        "creationTime": int(record.created * 1000),
        "arn": record.arn,
        "uploadSequenceToken": _SEQUENCE_TOKEN,
        # AWS has answered 0 here since 2019.
        "storedBytes": 0,
    }
    if extent.first is not None:
        view["firstEventTimestamp"] = extent.first
        view["lastEventTimestamp"] = extent.last
        view["lastIngestionTime"] = extent.modified
    return view


def describe_log_streams(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html"""
    prefix, by_time = params.get("logStreamNamePrefix", ""), params.get("orderBy") == "LastEventTime"
    if prefix and by_time:
        raise InvalidParameterException("Cannot order by LastEventTime with a logStreamNamePrefix.")
    limit, descending = params.get("limit", _DEFAULT_PAGE), bool(params.get("descending"))
    with context.platform.database.read() as transaction:
        group = find_group(transaction, context, group_name(params))
        records = streams_of(transaction, group, prefix or None)
    places = [
        ([_extent_of(record).last or 0, record.name] if by_time else [record.name], record)
        for record in records
        if record.name.startswith(prefix)
    ]
    places.sort(key=lambda item: item[0], reverse=descending)
    after = read_place(params.get("nextToken"))
    if after is not None:
        try:
            places = [item for item in places if (item[0] < after if descending else item[0] > after)]
        except TypeError as error:
            raise InvalidParameterException("The specified nextToken is invalid.") from error
    answer: dict[str, Any] = {"logStreams": [_view(record) for _, record in places[:limit]]}
    if len(places) > limit:
        answer["nextToken"] = write_place(places[limit - 1][0])
    return answer


def put_log_events(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html"""
    events = [(event["timestamp"], event["message"]) for event in params["logEvents"]]
    _check_batch(events)
    with context.platform.database.read() as transaction:
        group = find_group(transaction, context, params["logGroupName"])
        record = find_stream_record(transaction, context, group.name, params["logStreamName"])
    now = int(context.platform.clock() * 1000)
    retention = group.document.get("Retention", 0) * _DAY_MS
    oldest = now - _OLDEST_MS
    first = next((index for index, event in enumerate(events) if event[0] >= oldest), len(events))
    expired = next((index for index, event in enumerate(events) if event[0] >= now - retention), len(events))
    last = next((index for index, event in enumerate(events) if event[0] > now + _NEWEST_MS), len(events))
    rejected = {}
    if first:
        rejected["tooOldLogEventEndIndex"] = first
    if retention and expired:
        rejected["expiredLogEventEndIndex"] = expired
        first = max(first, expired)
    if last < len(events):
        rejected["tooNewLogEventStartIndex"] = last
    if first < last:
        path = Path(record.document["Path"])
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        append(path, events[first:last])
    answer: dict[str, Any] = {"nextSequenceToken": _SEQUENCE_TOKEN}
    return {**answer, "rejectedLogEventsInfo": rejected} if rejected else answer


def _check_batch(events: Sequence[tuple[int, str]]) -> None:
    if not events or len(events) > MOST_EVENTS:
        raise InvalidParameterException(f"The batch of log events must have 1 to {MOST_EVENTS} events.")
    if any(later[0] < earlier[0] for earlier, later in itertools.pairwise(events)):
        raise InvalidParameterException("Log events in a single PutLogEvents request must be in chronological order.")
    if events[-1][0] - events[0][0] > _DAY_MS:
        raise InvalidParameterException(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
        )
    sizes = [len(message.encode()) for _, message in events]
    if max(sizes) > LONGEST_MESSAGE:
        raise InvalidParameterException(f"Log event too large: {max(sizes)} bytes exceeds limit of {LONGEST_MESSAGE}")
    total = sum(sizes) + EVENT_OVERHEAD * len(events)
    if total > MOST_BYTES:
        raise InvalidParameterException(f"Upload too large: {total} bytes exceeds limit of {MOST_BYTES}")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def append(path: Path, events: Sequence[tuple[int, str]]) -> None:
    """Add events to a file, which stays in the order of time."""
    lines = [(time, f"{time} {text.replace(chr(10), LINE_BREAK)}\n".encode()) for time, text in events]
    with locked(path.with_suffix(".lock")):
        file = LogFile(path)
        last = next(file.backward(), None)
        if last is None or last.timestamp <= lines[0][0]:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "wb") as target:
                # A write that was cut off left a part of a line, which must not become the beginning of another.
                target.truncate(file.end())
                target.write(b"".join(line for _, line in lines))
            return
        # Late events: the part of the file that is newer is merged with them into a new one, without being held.
        start = file.offset_of(lines[0][0] + 1)
        draft = path.with_suffix(".draft")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target, path.open("rb") as source:
            while (left := start - target.tell()) > 0:
                target.write(source.read(min(left, _BLOCK)))
            newer = (
                (event.timestamp, f"{event.timestamp} {event.message.replace(chr(10), LINE_BREAK)}\n".encode())
                for event in file.forward(start)
            )
            for _, line in heapq.merge(newer, lines, key=lambda item: item[0]):
                target.write(line)
        draft.replace(path)


OPERATIONS: dict[str, Handler] = {
    "CreateLogStream": create_log_stream,
    "DeleteLogStream": delete_log_stream,
    "DescribeLogStreams": describe_log_streams,
    "PutLogEvents": put_log_events,
}
