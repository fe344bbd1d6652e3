"""Reading events: one stream by place, or all of a group by what the events say."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

from clary.core.errors import ResourceNotFoundException
from clary.resources.context import Context, Handler
from clary.services.logs.api import file_of
from clary.services.logs.errors import InvalidParameterException
from clary.services.logs.filter_pattern import compile_pattern
from clary.services.logs.groups import find_group, group_name, streams_of
from clary.services.logs.log_file import MOST_BYTES, MOST_EVENTS, LogEvent
from clary.services.logs.streams import find_stream_record
from clary.services.logs.tokens import read_events, read_place, write_events, write_place
from clary.state.records import Record

_SCANNED_BYTES = 64 * 1024 * 1024
"""How much one request looks through before it answers what it has found."""
_AT_ONCE = 1000


def _bounds(context: Context, group: Record, params: dict[str, Any]) -> tuple[int | None, int | None]:
    """The times asked for, in milliseconds; what the group does not keep any longer is not there."""
    since, until = params.get("startTime"), params.get("endTime")
    if since is not None and until is not None and since > until:
        raise InvalidParameterException("startTime must not be later than endTime.")
    days = group.document.get("Retention")
    if days is not None:
        since = max(since or 0, int((context.platform.clock() - days * 86400) * 1000))
    return since, until


def _page(events: Iterable[LogEvent], limit: int) -> list[LogEvent]:
    found: list[LogEvent] = []
    size = 0
    for event in events:
        size += event.size
        # One event is always answered, however long it is.
        if found and (size > MOST_BYTES or len(found) >= limit):
            break
        found.append(event)
        if len(found) >= limit:
            break
    return found


def get_log_events(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html

    A token is a direction and a byte offset; at the end of a stream the token that was given comes back.
    """
    with context.platform.database.read() as transaction:
        group = find_group(transaction, context, group_name(params))
        record = find_stream_record(transaction, context, group.name, params["logStreamName"])
    since, until = _bounds(context, group, params)
    limit = min(params.get("limit", MOST_EVENTS), MOST_EVENTS)
    file = file_of(record)
    token = read_events(params["nextToken"]) if "nextToken" in params else None
    if token is not None and token.direction == "f":
        place = token.offset
        found = _page(file.forward(place, since, until), limit)
    elif token is not None:
        place = token.offset
        found = _page(file.backward(place, since, until), limit)[::-1]
    elif params.get("startFromHead"):
        place = file.offset_of(since) if since is not None else 0
        found = _page(file.forward(place, since, until), limit)
    else:
        place = file.offset_of(until) if until is not None else file.end()
        found = _page(file.backward(place, since, until), limit)[::-1]
    return {
        "events": [
            {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.timestamp}
            for event in found
        ],
        "nextForwardToken": write_events("f", found[-1].end if found else place),
        "nextBackwardToken": write_events("b", found[0].start if found else place),
    }


def _stream_events(
    record: Record, since: int | None, until: int | None
) -> Iterator[tuple[int, str, int, LogEvent, Record]]:
    """The events of a stream with what orders them among those of other streams; the file is open only while read."""
    file = file_of(record)
    offset = 0
    while True:
        batch: list[LogEvent] = []
        for event in file.forward(offset, since, until):
            batch.append(event)
            if len(batch) >= _AT_ONCE:
                break
        for event in batch:
            yield event.timestamp, record.name, event.start, event, record
        if len(batch) < _AT_ONCE:
            return
        offset = batch[-1].end


def filter_log_events(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html

    Events of all streams come in the order of time; a page may be empty and still have a next one.
    """
    matches = compile_pattern(params.get("filterPattern", ""))
    names, prefix = params.get("logStreamNames"), params.get("logStreamNamePrefix", "")
    if names and prefix:
        raise InvalidParameterException("Cannot use both logStreamNames and logStreamNamePrefix.")
    with context.platform.database.read() as transaction:
        group = find_group(transaction, context, group_name(params))
        records = [
            record
            for record in streams_of(transaction, group, prefix or None)
            if record.name.startswith(prefix) and (not names or record.name in names)
        ]
    if names and set(names) - {record.name for record in records}:
        raise ResourceNotFoundException("The specified log stream does not exist.")
    since, until = _bounds(context, group, params)
    limit = min(params.get("limit", MOST_EVENTS), MOST_EVENTS)
    after = _read_after(params.get("nextToken"))
    if after is not None:
        since = max(since or 0, after[0])
    found: list[dict[str, Any]] = []
    size = scanned = 0
    place: tuple[int, str, int] | None = None
    sources = [_stream_events(record, since, until) for record in records]
    for time, name, start, event, record in heapq.merge(*sources, key=lambda item: item[:3]):
        if after is not None and (time, name, start) <= after:
            continue
        if len(found) >= limit or size > MOST_BYTES or scanned > _SCANNED_BYTES:
            assert place is not None
            return {"events": found, "searchedLogStreams": [], "nextToken": write_place(place)}
        place = (time, name, start)
        scanned += event.size
        if matches(event.message):
            size += event.size
            found.append(_view(event, record))
    return {"events": found, "searchedLogStreams": []}


def _read_after(token: str | None) -> tuple[int, str, int] | None:
    place = read_place(token)
    if place is None:
        return None
    if isinstance(place, list) and [type(part) for part in place] == [int, str, int]:
        return place[0], place[1], place[2]
    raise InvalidParameterException("The specified nextToken is invalid.")


def _view(event: LogEvent, record: Record) -> dict[str, Any]:
    return {
        "logStreamName": record.name,
        "timestamp": event.timestamp,
        "message": event.message,
        "ingestionTime": event.timestamp,
        # 56 digits that no other event has, in the order of time.
        "eventId": f"{event.timestamp:015d}{record.id:019d}{event.start:022d}",
    }


OPERATIONS: dict[str, Handler] = {"GetLogEvents": get_log_events, "FilterLogEvents": filter_log_events}
