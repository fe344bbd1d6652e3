"""``LookupEvents``: the records of an account in a region, the latest first.

Each call looks at a bounded number of records; where it does not find as many as it may, it gives those it has, and a
token for the rest.

Reference: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from clary.core.errors import ServiceError
from clary.core.settings import Settings
from clary.resources.context import Context
from clary.services.cloudtrail.kept import DAY_MS, MANAGEMENT, Kind, Place, backward
from clary.services.cloudtrail.resource_types import name_of
from clary.services.logs.api import LogEvent
from clary.wire.catalog import service as service_named
from clary.wire.read_json import read_structure
from clary.wire.validate import validate

PAGE = 50
MOST_LOOKED_AT = 20_000
"""Records that one call reads; about a tenth of a second."""


class InvalidLookupAttributesException(ServiceError):
    """More than one attribute, or one without a sense."""

    code = "InvalidLookupAttributesException"
    status = 400


class InvalidTimeRangeException(ServiceError):
    """The time range begins after its end."""

    code = "InvalidTimeRangeException"
    status = 400


class InvalidNextTokenException(ServiceError):
    """The token is none of ours, or comes with other parameters than those that it was given for."""

    code = "InvalidNextTokenException"
    status = 400


@dataclass(frozen=True)
class Wanted:
    """Which records are looked for; times are milliseconds since the epoch, ``until`` is not among them."""

    account: str
    region: str
    since: int
    until: int
    key: str = ""
    value: str = ""
    kinds: tuple[Kind, ...] = MANAGEMENT

    def digest(self) -> str:
        """Of what must be the same on the next page."""
        parts = (self.account, self.region, self.key, self.value, *self.kinds)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def fits(self, record: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
        """Whether a record, and what ``LookupEvents`` shows of it, is looked for."""
        if record.get("recipientAccountId") != self.account or record.get("awsRegion") != self.region:
            return False
        if not self.key:
            return True
        if self.key in ("ResourceType", "ResourceName"):
            arns = [each.get("ARN") for each in record.get("resources", ())]
            named = [each[self.key] for each in event["Resources"]]
            return self.value in (named if self.key == "ResourceType" else [*named, *arns])
        return bool(event.get(self.key) == self.value)


def lookup_events(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``LookupEvents``."""
    settings, now = context.platform.settings, context.platform.clock()
    return look_up(settings.trail, wanted(settings, context.account, context.region, now, params), params)


def data_events(
    settings: Settings, account: str, region: str, now: float, members: Mapping[str, Any]
) -> dict[str, Any]:
    """The same for events of data, which AWS's operation has not; ``members`` are as JSON has them, unchecked.

    Raises ``ValidationException`` too.
    """
    operation = service_named("cloudtrail").operation("LookupEvents")
    params = read_structure(operation.input_shape, members)
    validate(operation, params)
    return look_up(settings.trail, wanted(settings, account, region, now, params, ("data",)), params)


def wanted(
    settings: Settings,
    account: str,
    region: str,
    now: float,
    params: Mapping[str, Any],
    kinds: tuple[Kind, ...] = MANAGEMENT,
) -> Wanted:
    """What a request looks for. Raises ``InvalidLookupAttributesException`` and ``InvalidTimeRangeException``."""
    attributes = params.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise InvalidLookupAttributesException("You can specify only one lookup attribute.")
    now_ms = int(now * 1000)
    start, end = params.get("StartTime"), params.get("EndTime")
    # Events know their times to the second.
    since = int(start.timestamp()) * 1000 if start else now_ms - settings.audit_days * DAY_MS
    until = (int(end.timestamp()) + 1) * 1000 if end else now_ms + DAY_MS
    if since >= until:
        raise InvalidTimeRangeException("The start time must be before the end time.")
    key, value = (attributes[0]["AttributeKey"], attributes[0]["AttributeValue"]) if attributes else ("", "")
    return Wanted(account, region, since, until, key, value, kinds)


def look_up(folder: Path, wanted: Wanted, params: Mapping[str, Any]) -> dict[str, Any]:
    """A page of what is looked for. Raises ``InvalidNextTokenException``."""
    wanted, places = _read_token(params.get("NextToken"), wanted)
    limit = params.get("MaxResults") or PAGE
    found: list[dict[str, Any]] = []
    looked_at = 0
    needle = orjson.dumps(wanted.value).decode()[1:-1] if wanted.key not in ("", "ReadOnly", "ResourceType") else ""
    for kind, place, line in _merged(folder, wanted, places):
        if len(found) == limit or looked_at == MOST_LOOKED_AT:
            return {"Events": found, "NextToken": _token(places, wanted)}
        looked_at += 1
        places[kind] = place
        if needle and needle not in line.message and wanted.value not in line.message:
            continue
        try:
            record = orjson.loads(line.message)
        except orjson.JSONDecodeError:
            # What a process wrote while it was killed.
            continue
        event = shown(record, line)
        if wanted.fits(record, event):
            found.append(event)
    return {"Events": found}


def _merged(folder: Path, wanted: Wanted, places: Mapping[Kind, Place]) -> Iterator[tuple[Kind, Place, LogEvent]]:
    def of_kind(kind: Kind) -> Iterator[tuple[Kind, Place, LogEvent]]:
        for place, line in backward(folder, kind, places.get(kind), wanted.since, wanted.until):
            yield kind, place, line

    return heapq.merge(*map(of_kind, wanted.kinds), key=lambda each: -each[2].timestamp)


def shown(record: Mapping[str, Any], line: LogEvent) -> dict[str, Any]:
    """What ``LookupEvents`` shows of the record in ``line``."""
    identity = record.get("userIdentity", {})
    resources = [
        {"ResourceType": each.get("type", ""), "ResourceName": name_of(each["ARN"])}
        for each in record.get("resources", ())
        if "ARN" in each
    ]
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": "true" if record.get("readOnly") else "false",
        "EventTime": line.timestamp // 1000,
        "EventSource": record["eventSource"],
        "Resources": resources,
        "CloudTrailEvent": line.message,
    }
    if key := identity.get("accessKeyId"):
        event["AccessKeyId"] = key
    if name := username(identity):
        event["Username"] = name
    return event


def username(identity: Mapping[str, Any]) -> str:
    """By which name a caller is looked up: a user by his, a session of a role by its own; empty for strangers."""
    kind = identity.get("type")
    if kind == "Root":
        return "root"
    if kind == "AssumedRole":
        return str(identity.get("arn", "")).rpartition("/")[2]
    return str(identity.get("userName") or identity.get("invokedBy") or "")


def _token(places: Mapping[Kind, Place], wanted: Wanted) -> str:
    told = [wanted.digest(), wanted.until, {kind: [place.segment, place.offset] for kind, place in places.items()}]
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode()


def _read_token(token: str | None, wanted: Wanted) -> tuple[Wanted, dict[Kind, Place]]:
    """What is looked for on this page, and from where on. What was called since the first page is not on the others."""
    if token is None:
        return wanted, {}
    try:
        digest, until, told = orjson.loads(base64.urlsafe_b64decode(token.encode()))
        places: dict[Kind, Place] = {kind: Place(*map(_natural, told[kind])) for kind in wanted.kinds if kind in told}
        right, until = digest == wanted.digest(), _natural(until)
    except (binascii.Error, ValueError, TypeError, KeyError) as error:
        raise InvalidNextTokenException("Invalid NextToken.") from error
    if not right:
        raise InvalidNextTokenException("The NextToken was given for other parameters.")
    return replace(wanted, until=min(until, wanted.until)), places


def _natural(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError("not a place")
    return value
