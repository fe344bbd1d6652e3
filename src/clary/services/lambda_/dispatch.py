"""How the events that wait for functions reach them: called, called again after a failure, and given up.

An event stays in the database until its function has taken it or it is given up. Which ones are under way is known in
memory alone, so that a control plane that was killed simply calls again: as on AWS, at least once.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
import logging
from functools import partial
from typing import Any

from clary.compute.functions.pool import Event, Outcome
from clary.core.clock import iso
from clary.core.errors import ServiceError
from clary.resources.context import Platform, Reconciliation
from clary.services.lambda_.api import invoke_later
from clary.services.lambda_.checks import PRINCIPAL
from clary.services.lambda_.functions import CREATION_SECONDS, forget_half_made
from clary.services.lambda_.invocation_settings import settings_of
from clary.services.lambda_.invoking import call
from clary.services.lambda_.names import CREATING, LATEST
from clary.services.sns import api as sns
from clary.services.sqs import api as sqs
from clary.state.messages import Message
from clary.state.records import Record

log = logging.getLogger(__name__)

_PAUSES = (60.0, 120.0)
"""Seconds before the second call of a function that failed, and before the third."""
_SHORTEST_WAIT, _LONGEST_WAIT = 1.0, 300.0
"""Seconds after which an event is tried again for which there was no environment, at first and at most."""
_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_WAITS = "Waits"


def reconcile(look: Reconciliation) -> float | None:
    """Call a function with what waits for it (see ``clary.resources.context.Reconciler``)."""
    record, platform = look.record, look.platform
    now = platform.clock()
    if record.status == CREATING:
        left = record.created + CREATION_SECONDS - now
        if left <= 0:
            forget_half_made(look)
            return None
        return left
    functions = platform.functions
    with platform.database.read() as transaction:
        found = transaction.messages.available(record.id, now, functions.most)
    for message in found:
        functions.submit(("message", message.id), partial(_attempt, platform, record.id, message))
    return _LOOK_SECONDS if found else _rest(look)


def _rest(look: Reconciliation) -> float | None:
    """When to look again."""
    record, platform = look.record, look.platform
    with platform.database.write() as transaction:
        if (seconds := transaction.messages.seconds_to_next(record.id, platform.clock())) is not None:
            return seconds
        record.wake_at = None
        # Whoever leaves an event meanwhile changes the record, and this look is taken once more.
        transaction.update(record)
    return None


def _attempt(platform: Platform, row: int, message: Message) -> None:
    """Call the function of a row with one event, and see what becomes of that."""
    with platform.database.read() as transaction:
        record = transaction.by_id(row)
        waits = transaction.messages.by_row(row, message.id) is not None
    if record is None or not waits:
        return  # the function was deleted, and the event with it; or the event was done just now
    try:
        settings = settings_of(record)
        if platform.clock() - message.sent > settings.oldest:
            _give_up(platform, record, message, "EventAgeExceeded", None)
            return
        event = Event(message.uid, message.document["Arn"], message.body.encode())
        try:
            outcome = call(platform, record, event, _PATIENCE_SECONDS)
        except ServiceError as error:
            log.info("%s could not be called: %s", record.arn, error)
            _put_off(platform, message)
            return
        if not outcome.error:
            _done(platform, record, message, outcome)
        elif message.received < settings.retries:
            _again(platform, message)
        else:
            _give_up(platform, record, message, "RetriesExhausted", outcome)
    finally:
        platform.wake(row)


def _put_off(platform: Platform, message: Message) -> None:
    waits = message.document[_WAITS] = message.document.get(_WAITS, 0) + 1
    message.visible = platform.clock() + min(_SHORTEST_WAIT * 2 ** min(waits, 10), _LONGEST_WAIT)
    with platform.database.write() as transaction:
        transaction.messages.update(message)


def _again(platform: Platform, message: Message) -> None:
    message.visible = platform.clock() + _PAUSES[min(message.received, len(_PAUSES) - 1)]
    message.received += 1
    with platform.database.write() as transaction:
        transaction.messages.update(message)


def _done(platform: Platform, record: Record, message: Message, outcome: Outcome) -> None:
    target = settings_of(record).on_success
    with sqs.posting(platform) as post:
        post.transaction.messages.remove(message.id)
        if target:
            _send(post, record, target, _told(record, message, "Success", outcome, post.now))


def _give_up(platform: Platform, record: Record, message: Message, condition: str, outcome: Outcome | None) -> None:
    """Let an event go, to where its function wants those that failed."""
    target = settings_of(record).on_failure
    dead = record.document.get("DeadLetterConfig", {}).get("TargetArn", "")
    with sqs.posting(platform) as post:
        post.transaction.messages.remove(message.id)
        if target:
            _send(post, record, target, _told(record, message, condition, outcome, post.now))
        if dead:
            _send(post, record, dead, message.body, _attributes(message, outcome))
    if not target and not dead:
        log.warning("an event of %s was given up (%s)", record.arn, condition)


def _send(
    post: sqs.Posting, record: Record, target: str, text: str, attributes: dict[str, dict[str, str]] | None = None
) -> None:
    """Send text to a queue, a topic or a function, as the function's role."""
    sender = sqs.Sender(PRINCIPAL, record.arn, record.key.account, post.identities.role(record.document["Role"]))
    kind = target.split(":")[2]
    try:
        if kind == "sqs":
            sqs.send_within(post, target, sqs.Parcel(text, attributes or {}, PRINCIPAL), sender)
        elif kind == "sns":
            sns.send_within(post, target, sns.Publication(text, attributes=attributes or {}), sender)
        else:
            invoke_later(post, target, text, sender)
    except ServiceError as error:
        log.warning("an event of %s was not delivered to %s: %s", record.arn, target, error)


def _attributes(message: Message, outcome: Outcome | None) -> dict[str, dict[str, str]]:
    """What a dead letter says beside the event."""
    told = json.loads(outcome.body) if outcome is not None else {}
    words = str(told.get("errorMessage", "") if isinstance(told, dict) else "")[:1024]
    shown = {"RequestID": ("String", message.uid), "ErrorCode": ("Number", "200")}
    if words:
        shown["ErrorMessage"] = ("String", words)
    return {name: {"DataType": kind, "StringValue": value} for name, (kind, value) in shown.items()}


def _told(record: Record, message: Message, condition: str, outcome: Outcome | None, now: float) -> str:
    """An invocation's record, as destinations get it.

    Reference: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    told: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso(now).replace("Z", ".000Z"),
        "requestContext": {
            "requestId": message.uid,
            "functionArn": f"{record.arn}:{LATEST}",
            "condition": condition,
            "approximateInvokeCount": message.received + (outcome is not None),
        },
        "requestPayload": json.loads(message.body),
    }
    if outcome is not None:
        told["responseContext"] = {"statusCode": 200, "executedVersion": LATEST}
        if outcome.error:
            told["responseContext"]["functionError"] = outcome.error
        told["responsePayload"] = json.loads(outcome.body)
    return json.dumps(told, ensure_ascii=False)
