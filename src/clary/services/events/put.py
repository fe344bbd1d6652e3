"""``PutEvents``: events that callers put on a bus.

Reference: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clary.core.clock import iso
from clary.core.errors import ServiceError, ValidationException
from clary.core.ids import request_id as new_id
from clary.core.names import parse_arn
from clary.resources.context import Context
from clary.services.events.delivery import put_on_bus
from clary.services.sqs.api import posting
from clary.state.records import Key
from clary.state.transaction import Transaction

LARGEST = 1_048_576
"""Bytes of all entries of a request together."""
DEFAULT = "default"
_TIME_BYTES = 14


class _Refused(ServiceError):
    """An entry that is not put on a bus."""

    status = 400

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.entry_code = code


def _size(entry: Mapping[str, Any]) -> int:
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")] + list(entry.get("Resources", ()))
    return sum(len(text.encode()) for text in texts) + (_TIME_BYTES if "Time" in entry else 0)


def put_events(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutEvents``: what is wrong with one event fails that one alone."""
    entries = params["Entries"]
    if sum(map(_size, entries)) > LARGEST:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    answers: list[dict[str, str]] = []
    failed = 0
    with posting(context.platform) as post:
        for entry in entries:
            try:
                account, region, bus = _bus(context, post.transaction, entry.get("EventBusName") or DEFAULT)
                event = _event(context, entry, post.now)
            except _Refused as error:
                failed += 1
                answers.append({"ErrorCode": error.entry_code, "ErrorMessage": error.message})
                continue
            put_on_bus(post, account, region, bus, event)
            answers.append({"EventId": event["id"]})
    return {"FailedEntryCount": failed, "Entries": answers}


def _bus(context: Context, transaction: Transaction, name: str) -> tuple[str, str, str]:
    account, region = context.account, context.region
    if name.startswith("arn:"):
        try:
            parts = parse_arn(name)
        except ValueError:
            raise _Refused("InvalidArgument", "Parameter EventBusName is not valid.") from None
        account, region, name = parts.account, parts.region, parts.resource.removeprefix("event-bus/")
        if account != context.account:
            raise _Refused("AccessDeniedException", f"Not authorized to put events on the bus {name}.")
    if name != DEFAULT and transaction.get(Key(account, region, "events", "EventBus", "", name)) is None:
        raise _Refused(
            "InvalidArgument", f"Parameter EventBusName is not valid. Reason: Event bus {name} does not exist."
        )
    return account, region, name


def _event(context: Context, entry: Mapping[str, Any], now: float) -> dict[str, Any]:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            raise _Refused("InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument.")
    if len(entry["DetailType"]) > 128:
        raise _Refused(
            "InvalidArgument", "Parameter DetailType is not valid. Reason: it is longer than 128 characters."
        )
    if entry["Source"].startswith("aws."):
        raise _Refused("NotAuthorizedForSourceException", "Not authorized for the source.")
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        raise _Refused("MalformedDetail", "Detail is malformed.")
    told = entry.get("Time")
    return made(
        {
            "source": entry["Source"],
            "detail-type": entry["DetailType"],
            "resources": entry.get("Resources", []),
            "detail": detail,
            **({"time": iso(told.timestamp())} if isinstance(told, datetime) else {}),
        },
        context.account,
        context.region,
        now,
    )


def made(event: Mapping[str, Any], account: str, region: str, now: float) -> dict[str, Any]:
    """An event with what every event has, where it lacks it."""
    return {
        "version": "0",
        "id": event.get("id") or new_id(),
        "detail-type": event["detail-type"],
        "source": event["source"],
        "account": account,
        "time": event.get("time") or iso(now),
        "region": region,
        "resources": list(event.get("resources", ())),
        "detail": event.get("detail", {}),
    }
