"""The reconciler of schedules: calls the target whenever that is due, again where it failed, and then gives it up.

What was due while the platform was down is called once.

Reference: https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from clary.core.clock import iso
from clary.core.errors import ServiceError
from clary.core.ids import request_id as new_id
from clary.resources.context import Reconciliation
from clary.services.scheduler import inputs, targets, times
from clary.services.sqs import api as sqs
from clary.state.records import Record

log = logging.getLogger(__name__)

_TIMES = "_times"
"""In the document of a schedule: since when it counts, when it is due next, and when it is called for that."""
_CALLS = "_calls"
"""The calls that were due and are not made yet: ``id``, ``scheduled``, ``attempts``, ``since`` and ``next``."""
_LONGEST_PAUSE = 900.0
_LATER = ("ThrottlingException", "Throttling", "TooManyRequestsException", "ResourceLimitExceeded", "LimitExceeded")
"""Codes of errors that pass by themselves, beside those of servers that are in trouble."""


def start_again(record: Record, now: float) -> None:
    """Let a schedule that is new or was changed count from now."""
    due = times.first(record.document, now) if record.document["State"] == "ENABLED" else None
    record.document[_TIMES] = {"begun": now, "due": due, "at": _late(record, due)}
    record.document[_CALLS] = []
    record.wake_at = record.document[_TIMES]["at"]


def keep_time(look: Reconciliation) -> float | None:
    """Call what is due (see ``clary.resources.context.Reconciler``)."""
    record, now = look.record, look.platform.clock()
    _collect(record, now)
    due = [call for call in record.document[_CALLS] if call["next"] <= now]
    failed: dict[str, ServiceError] = {}
    by_operation = targets.universal(record.document["Target"]["Arn"]) is not None
    if due and by_operation:
        # Kept before it is made: after a crash it is made again as the same execution.
        with look.platform.database.write() as transaction:
            transaction.update(record, fence=record.fence)
        for call in due:
            if (error := _operate(look, call)) is not None:
                failed[call["id"]] = error
    with sqs.posting(look.platform) as post:
        for call in due:
            error = failed.get(call["id"]) if by_operation else _send(post, record, call)
            _after(post, record, call, error)
        over = record.document[_TIMES]["due"] is None and not record.document[_CALLS]
        if over and record.document["ActionAfterCompletion"] == "DELETE":
            post.transaction.delete(record)
        else:
            waiting = [call["next"] for call in record.document[_CALLS]]
            at = record.document[_TIMES]["at"]
            record.wake_at = min([*waiting, *([] if at is None else [at])], default=None)
            # Sent and remembered in one transaction: never twice, and never forgotten.
            post.transaction.update(record, fence=record.fence, release=True)
    return None


def _collect(record: Record, now: float) -> None:
    """Note the call whose time has come, and when the next will be."""
    kept: dict[str, Any] = record.document[_TIMES]
    if kept["at"] is None or kept["at"] > now:
        return
    call = {"id": new_id(), "scheduled": kept["due"], "attempts": 0, "since": now, "next": now}
    record.document[_CALLS] = [*record.document[_CALLS], call]
    due = times.following(record.document, max(now, kept["due"]), kept["begun"])
    record.document[_TIMES] = {**kept, "due": due, "at": _late(record, due)}


def _late(record: Record, due: float | None) -> float | None:
    return None if due is None else due + times.delay(record.document)


def _operate(look: Reconciliation, call: Mapping[str, Any]) -> ServiceError | None:
    try:
        targets.call(look.platform, look.record, inputs.text(look.record, call), call["id"])
    except ServiceError as error:
        return error
    return None


def _send(post: sqs.Posting, record: Record, call: Mapping[str, Any]) -> ServiceError | None:
    try:
        targets.send(post, record, inputs.text(record, call), call["id"])
    except ServiceError as error:
        return error
    return None


def _after(post: sqs.Posting, record: Record, call: dict[str, Any], error: ServiceError | None) -> None:
    """Strike a call off that was made or is given up, or note when to try it again."""
    if error is not None and (condition := _exhausted(record, call, error, post.now)) is None:
        call["attempts"] += 1
        call["next"] = post.now + min(_LONGEST_PAUSE, 2.0 ** call["attempts"])
        return
    record.document[_CALLS] = [each for each in record.document[_CALLS] if each["id"] != call["id"]]
    if error is not None:
        _bury(post, record, call, error, condition or "")


def _exhausted(record: Record, call: Mapping[str, Any], error: ServiceError, now: float) -> str | None:
    """Why a call is given up: what of the ``RetryPolicy`` is used up, nothing where it would never succeed; ``None`` if
    it is tried again."""
    policy = record.document["Target"]["RetryPolicy"]
    if error.status < 500 and error.code not in _LATER:
        return ""
    if call["attempts"] >= policy["MaximumRetryAttempts"]:
        return "MaximumRetryAttempts"
    if now - call["since"] >= policy["MaximumEventAgeInSeconds"]:
        return "MaximumEventAgeInSeconds"
    return None


def _bury(post: sqs.Posting, record: Record, call: Mapping[str, Any], error: ServiceError, condition: str) -> None:
    """Send what could not be called to the schedule's queue of dead letters, or let it go with a warning."""
    dead = record.document["Target"].get("DeadLetterConfig", {}).get("Arn")
    if not dead:
        log.warning("the call of %s at %s failed: %s", record.arn, iso(call["scheduled"]), error)
        return
    told = {
        "ERROR_CODE": error.code,
        "ERROR_MESSAGE": error.message,
        "EXECUTION_ID": call["id"],
        "EXHAUSTED_RETRY_CONDITION": condition,
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(call["attempts"]),
        "SCHEDULED_TIME": iso(call["scheduled"]),
        "SCHEDULE_ARN": record.arn,
        "TARGET_ARN": record.document["Target"]["Arn"],
    }
    attributes = {name: {"DataType": "String", "StringValue": value} for name, value in told.items() if value}
    try:
        sender = sqs.Sender(targets.PRINCIPAL, record.arn, record.key.account, targets.role_of(post.platform, record))
        sqs.send_within(post, dead, sqs.Parcel(inputs.text(record, call), attributes, targets.PRINCIPAL), sender)
    except ServiceError as second:
        log.warning("the call of %s failed (%s), and so did the queue %s: %s", record.arn, error, dead, second)
