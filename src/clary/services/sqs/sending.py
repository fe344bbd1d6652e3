"""Messages on their way into a queue.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.core.errors import ServiceError
from clary.core.ids import request_id as new_id
from clary.resources.context import Context, Handler
from clary.services.sqs import digests
from clary.services.sqs.arrivals import ARRIVALS
from clary.services.sqs.attributes import LARGEST_MESSAGE, LONGEST_DELAY
from clary.services.sqs.checks import check_entries, check_id, check_text, checked_attributes, size_of
from clary.services.sqs.errors import BatchRequestTooLong, InvalidParameterValue, MissingParameter
from clary.services.sqs.queues import attributes_of, find_queue, is_fifo
from clary.state.messages import Message
from clary.state.records import Record
from clary.state.transaction import Transaction

REPEAT_SECONDS = 300.0
"""For so long a FIFO queue knows what it was sent."""


@dataclass(frozen=True)
class Parcel:
    """What is sent: a body with attributes as ``checked_attributes`` gives them."""

    body: str
    attributes: Mapping[str, Mapping[str, str]]
    sender: str
    delay: float | None = None
    group: str = ""
    deduplication: str = ""
    trace: Mapping[str, str] | None = None
    """The system attribute ``AWSTraceHeader``, as an attribute."""


@dataclass(frozen=True)
class Sent:
    """What became of it."""

    message_id: str
    sequence: str
    """The number of the message in a FIFO queue; empty elsewhere."""


def sequence_number(row: int) -> str:
    """The number of a message in a FIFO queue."""
    return f"{row:020d}"


def put(transaction: Transaction, record: Record, parcel: Parcel, now: float) -> Sent:
    """Put a message into a queue; one that a FIFO queue was sent before is not put there again.

    Raises ``MissingParameter`` or ``InvalidParameterValue`` for what the queue does not take. After the transaction
    ``ARRIVALS`` must be told.
    """
    attributes = attributes_of(record)
    _check(record, attributes, parcel)
    token = ""
    if is_fifo(record):
        token = _token(attributes, parcel)
        transaction.messages.hold(record.id)
        known = transaction.messages.known(record.id, token, now)
        if known is not None:
            return Sent(known[0], sequence_number(known[1]))
    document: dict[str, Any] = {"Sender": parcel.sender}
    if parcel.attributes:
        document["Attributes"] = {name: dict(value) for name, value in parcel.attributes.items()}
    if parcel.trace:
        document["Trace"] = dict(parcel.trace)
    if token:
        document["Deduplication"] = parcel.deduplication or _digest(parcel.body)
    delay = parcel.delay if parcel.delay is not None else float(attributes["DelaySeconds"])
    message = Message(record.id, new_id(), parcel.body, now, now + delay, document, parcel.group)
    transaction.messages.add(message)
    if not token:
        return Sent(message.uid, "")
    transaction.messages.remember(message, token, now + REPEAT_SECONDS)
    return Sent(message.uid, sequence_number(message.id))


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _token(attributes: Mapping[str, str], parcel: Parcel) -> str:
    deduplication = parcel.deduplication
    if not deduplication:
        if attributes["ContentBasedDeduplication"] != "true":
            raise InvalidParameterValue(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                "explicitly"
            )
        deduplication = _digest(parcel.body)
    return f"{parcel.group} {deduplication}" if attributes["DeduplicationScope"] == "messageGroup" else deduplication


def _check(record: Record, attributes: Mapping[str, str], parcel: Parcel) -> None:
    if not parcel.body:
        raise MissingParameter("MessageBody")
    check_text(parcel.body)
    largest = int(attributes["MaximumMessageSize"])
    if size_of(parcel.body, parcel.attributes) > largest:
        raise InvalidParameterValue(
            f"One or more parameters are invalid. Reason: Message must be shorter than {largest} bytes."
        )
    if parcel.delay is not None and not 0 <= parcel.delay <= LONGEST_DELAY:
        raise InvalidParameterValue(
            f"Value {parcel.delay:g} for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= "
            f"{LONGEST_DELAY}."
        )
    for name, value in (("MessageGroupId", parcel.group), ("MessageDeduplicationId", parcel.deduplication)):
        if value:
            check_id(name, value)
    wrong = ""
    if is_fifo(record):
        if not parcel.group:
            raise MissingParameter("MessageGroupId")
        if parcel.delay:
            wrong = f"Value {parcel.delay:g} for parameter DelaySeconds"
    elif parcel.deduplication:
        wrong = f"Value {parcel.deduplication} for parameter MessageDeduplicationId"
    if wrong:
        raise InvalidParameterValue(
            f"{wrong} is invalid. Reason: The request include parameter that is not valid for this queue type."
        )


def _parcel(context: Context, params: Mapping[str, Any]) -> Parcel:
    trace = checked_attributes(params.get("MessageSystemAttributes") or {})
    delay = params.get("DelaySeconds")
    return Parcel(
        body=params.get("MessageBody") or "",
        attributes=checked_attributes(params.get("MessageAttributes") or {}),
        sender=str(getattr(context.caller, "user_id", "") or context.account),
        delay=None if delay is None else float(delay),
        group=params.get("MessageGroupId") or "",
        deduplication=params.get("MessageDeduplicationId") or "",
        trace=trace.get("AWSTraceHeader"),
    )


def _answer(parcel: Parcel, sent: Sent) -> dict[str, Any]:
    answer = {"MessageId": sent.message_id, "MD5OfMessageBody": digests.of_text(parcel.body)}
    if parcel.attributes:
        answer["MD5OfMessageAttributes"] = digests.of_attributes(parcel.attributes)
    if parcel.trace:
        answer["MD5OfMessageSystemAttributes"] = digests.of_attributes({"AWSTraceHeader": parcel.trace})
    return answer | ({"SequenceNumber": sent.sequence} if sent.sequence else {})


def send_message(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SendMessage``."""
    parcel = _parcel(context, params)
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        sent = put(transaction, record, parcel, context.platform.clock())
    ARRIVALS.tell(record.arn)
    return _answer(parcel, sent)


def send_batch(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SendMessageBatch``: what is wrong with one message fails that one alone."""
    entries = params["Entries"]
    check_entries(entries)
    now, done, failed = context.platform.clock(), [], []
    _check_size(entries)
    with context.platform.database.write() as transaction:
        record = find_queue(context, transaction, params)
        for entry in entries:
            try:
                parcel = _parcel(context, entry)
                done.append({"Id": entry["Id"], **_answer(parcel, put(transaction, record, parcel, now))})
            except ServiceError as error:
                failed.append(failure(entry["Id"], error))
    ARRIVALS.tell(record.arn)
    return {"Successful": done, "Failed": failed}


def _check_size(entries: list[dict[str, Any]]) -> None:
    total = 0
    for entry in entries:
        total += len((entry.get("MessageBody") or "").encode())
        for name, value in (entry.get("MessageAttributes") or {}).items():
            parts = (value.get("DataType") or "", value.get("StringValue") or "")
            total += len(name.encode()) + sum(len(part.encode()) for part in parts)
            total += len(value.get("BinaryValue") or b"")
    if total > LARGEST_MESSAGE:
        raise BatchRequestTooLong(
            f"Batch requests cannot be longer than {LARGEST_MESSAGE} bytes. You have sent {total} bytes."
        )


def failure(identifier: str, error: ServiceError) -> dict[str, Any]:
    """What a batch tells of an entry that failed."""
    code = error.query_code or error.code
    return {"Id": identifier, "SenderFault": error.is_sender_fault, "Code": code, "Message": error.message}


OPERATIONS: Mapping[str, Handler] = {"SendMessage": send_message, "SendMessageBatch": send_batch}
