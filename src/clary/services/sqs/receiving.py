"""Messages on their way to those who ask for them, and what comes of those that nobody could use.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.ids import token
from clary.resources.context import Context, Handler
from clary.services.sqs import digests
from clary.services.sqs.arrivals import ARRIVALS, deadline, left
from clary.services.sqs.attributes import LONGEST_VISIBILITY, LONGEST_WAIT, redrive
from clary.services.sqs.checks import as_told
from clary.services.sqs.errors import InvalidParameterValue, OverLimit
from clary.services.sqs.queues import attributes_of, find_queue, is_fifo, queue_of
from clary.services.sqs.sending import sequence_number
from clary.state.messages import Message
from clary.state.records import Record
from clary.state.transaction import Transaction

MOST_AT_ONCE = 10
MOST_IN_FLIGHT = 120_000
_AFRESH_SECONDS = 1.0
"""How often a long poll looks on a database that other control planes write to as well."""


def receive_message(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ReceiveMessage``: waits, where it is told to, until a message comes."""
    most = params.get("MaxNumberOfMessages", 1)
    _check_range("MaxNumberOfMessages", most, 1, MOST_AT_ONCE)
    _check_range("WaitTimeSeconds", params.get("WaitTimeSeconds", 0), 0, LONGEST_WAIT)
    _check_range("VisibilityTimeout", params.get("VisibilityTimeout", 0), 0, LONGEST_VISIBILITY)
    until: float | None = None
    while True:
        with context.platform.database.read() as transaction:
            record = find_queue(context, transaction, params)
        seen = ARRIVALS.count(record.arn)
        messages, following = _take(context, record, params, most)
        if until is None:
            wait = params.get("WaitTimeSeconds")
            until = deadline(int(attributes_of(record)["ReceiveMessageWaitTimeSeconds"]) if wait is None else wait)
        pause = left(until)
        if messages or pause <= 0:
            break
        if following is not None:
            pause = min(pause, max(following - context.platform.clock(), 0.001))
        if context.platform.database.is_shared:
            pause = min(pause, _AFRESH_SECONDS)
        if not ARRIVALS.wait(record.arn, seen, pause):
            break
    return {"Messages": [_told(record, message, params) for message in messages]} if messages else {}


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise InvalidParameterValue(
            f"Value {value} for parameter {name} is invalid. Reason: Must be between {least} and {most}, if provided."
        )


def _take(context: Context, record: Record, params: Mapping[str, Any], most: int) -> tuple[list[Message], float | None]:
    """The messages that are received now, or when to look again because one becomes visible then."""
    now, database = context.platform.clock(), context.platform.database
    with database.read() as transaction:
        if not transaction.messages.is_any_visible(record.id, now):
            return [], transaction.messages.next_visible(record.id, now)
    with database.write() as transaction:
        record = find_queue(context, transaction, params)
        attributes = attributes_of(record)
        queue = transaction.messages
        queue.hold(record.id)
        queue.expire(record.id, now - int(attributes["MessageRetentionPeriod"]))
        if queue.in_flight(record.id, now, MOST_IN_FLIGHT) >= MOST_IN_FLIGHT:
            raise OverLimit(f"Too many messages in flight: there can be {MOST_IN_FLIGHT} at most.")
        told = redrive(attributes.get("RedrivePolicy"))
        dead = queue_of(transaction, told[0]) if told is not None else None
        timeout = params.get("VisibilityTimeout")
        visible = now + (int(attributes["VisibilityTimeout"]) if timeout is None else timeout)
        taken: list[Message] = []
        while len(taken) < most:
            found = _candidates(transaction, record, now, most - len(taken), taken)
            if not found:
                break
            for message in found:
                if told is not None and dead is not None and message.received >= told[1]:
                    _bury(transaction, record, dead, message, now)
                    continue
                message.received += 1
                message.first_received = message.first_received or now
                message.visible, message.handle = visible, token(32)
                queue.update(message)
                taken.append(message)
        following = None if taken else queue.next_visible(record.id, now)
    if dead is not None:
        ARRIVALS.tell(dead.arn)
    return taken, following


def _candidates(
    transaction: Transaction, record: Record, now: float, limit: int, taken: list[Message]
) -> list[Message]:
    """Messages that can be received now and are not among those that this request has taken."""
    queue = transaction.messages
    if is_fifo(record):
        # One request takes several messages of a group, though the first of them is in flight by then.
        return queue.available_in_order(record.id, now, limit) if not taken else []
    have = {message.id for message in taken}
    return [each for each in queue.available(record.id, now, limit + len(have)) if each.id not in have][:limit]


def _bury(transaction: Transaction, source: Record, dead: Record, message: Message, now: float) -> None:
    """Move a message that was received too often to the queue of dead letters."""
    message.queue, message.visible, message.received = dead.id, now, 0
    message.first_received, message.handle = None, ""
    message.document = {**message.document, "DeadFrom": source.arn}
    transaction.messages.update(message)


def _handle(record: Record, message: Message) -> str:
    return base64.b64encode(f"{record.id}:{message.id}:{message.handle}".encode()).decode("ascii")


def _told(record: Record, message: Message, params: Mapping[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "MessageId": message.uid,
        "ReceiptHandle": _handle(record, message),
        "MD5OfBody": digests.of_text(message.body),
        "Body": message.body,
    }
    asked = {*params.get("MessageSystemAttributeNames", ()), *params.get("AttributeNames", ())}
    system = _system(record, message)
    shown = system if "All" in asked else {name: value for name, value in system.items() if name in asked}
    if shown:
        answer["Attributes"] = shown
    attributes = message.document.get("Attributes", {})
    wanted = {
        name: attributes[name] for name in attributes if _is_wanted(name, params.get("MessageAttributeNames", ()))
    }
    if wanted:
        answer["MessageAttributes"] = as_told(wanted)
        answer["MD5OfMessageAttributes"] = digests.of_attributes(wanted)
    return answer


def _is_wanted(name: str, patterns: Iterable[str]) -> bool:
    return any(
        pattern in ("All", ".*", name) or (pattern.endswith(".*") and name.startswith(pattern[:-1]))
        for pattern in patterns
    )


def _system(record: Record, message: Message) -> dict[str, str]:
    document = message.document
    values = {
        "SenderId": document["Sender"],
        "SentTimestamp": str(int(message.sent * 1000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(int((message.first_received or message.sent) * 1000)),
    }
    if message.group:
        values["MessageGroupId"] = message.group
    if is_fifo(record):
        values["SequenceNumber"] = sequence_number(message.id)
        values["MessageDeduplicationId"] = document.get("Deduplication", "")
    if "Trace" in document:
        values["AWSTraceHeader"] = document["Trace"]["StringValue"]
    if "DeadFrom" in document:
        values["DeadLetterQueueSourceArn"] = document["DeadFrom"]
    return values


OPERATIONS: Mapping[str, Handler] = {"ReceiveMessage": receive_message}
