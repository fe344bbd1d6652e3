"""Messages of queues on their way to the functions that are mapped to them.

A batch that the function fails on stays in its queue, invisible for the queue's visibility timeout, as on AWS: what
becomes of it then, the queue says. A mapping has one batch under way at a time.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clary.compute.functions.pool import Event
from clary.core.errors import ServiceError
from clary.core.ids import request_id as new_id
from clary.resources.context import Context, Platform, Reconciliation
from clary.services.iam.principals import principal_of_arn
from clary.services.lambda_.invoking import call
from clary.services.lambda_.mappings import ENABLED, PARTIAL, may
from clary.services.lambda_.names import function_of
from clary.services.sqs import receipts, receiving
from clary.services.sqs.api import queue_of
from clary.services.sqs.queues import queue_url
from clary.state.records import Record

log = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0
_AT_ONCE = 10
"""Messages that SQS hands out, and takes back, in one call."""
_RECEIVE, _DELETE = receiving.OPERATIONS["ReceiveMessage"], receipts.OPERATIONS["DeleteMessageBatch"]


def reconcile(look: Reconciliation) -> float | None:
    """Look whether there is something in the queue of a mapping (see ``clary.resources.context.Reconciler``)."""
    record, platform = look.record, look.platform
    if record.status != ENABLED:
        return None
    with platform.database.read() as transaction:
        queue = queue_of(transaction, record.document["EventSourceArn"])
        waits = queue is not None and transaction.messages.is_any_visible(queue.id, platform.clock())
    if waits:
        platform.functions.submit(("mapping", record.id), partial(_batches, platform, record.id))
    return _LOOK_SECONDS


def _batches(platform: Platform, row: int) -> None:
    """Call the function with one batch after the other, until the queue is empty."""
    while True:
        with platform.database.read() as transaction:
            record = transaction.by_id(row)
            if record is None or record.status != ENABLED:
                return
            function = function_of(transaction, record.document["FunctionArn"])
            queue = queue_of(transaction, record.document["EventSourceArn"])
        if function is None or queue is None or not may(platform.identity, function, queue):
            return
        if not _batch(platform, record, function, queue):
            return


def _batch(platform: Platform, record: Record, function: Record, queue: Record) -> bool:
    """Call the function with one batch; false if there was none, or nothing became of it."""
    caller = principal_of_arn(function.document["Role"])
    context = Context(caller, queue.key.account, queue.key.region, new_id(), platform)
    named = {"QueueUrl": queue_url(platform.settings, queue.key.account, queue.name)}
    messages = _received(context, named, record)
    if not messages:
        return False
    body = json.dumps({"Records": [_record(each, queue) for each in messages]}, ensure_ascii=False)
    try:
        outcome = call(platform, function, Event(new_id(), function.arn, body.encode()), _PATIENCE_SECONDS)
    except ServiceError as error:
        log.info("%s could not be called: %s", function.arn, error)
        return False
    if outcome.error:
        return True
    reports = PARTIAL in record.document.get("FunctionResponseTypes", ())
    failed = failed_of(outcome.body, [each["MessageId"] for each in messages]) if reports else ()
    done = [each for each in messages if each["MessageId"] not in failed]
    for start in range(0, len(done), _AT_ONCE):
        part = enumerate(done[start : start + _AT_ONCE])
        entries = [{"Id": str(number), "ReceiptHandle": each["ReceiptHandle"]} for number, each in part]
        _DELETE(context, {**named, "Entries": entries})
    return True


def _received(context: Context, named: Mapping[str, str], record: Record) -> list[dict[str, Any]]:
    """As many messages as the mapping wants at once, or what came within its window."""
    size, window = record.document["BatchSize"], record.document.get("MaximumBatchingWindowInSeconds", 0)
    until = time.monotonic() + window
    messages: list[dict[str, Any]] = []
    asked: dict[str, Any] = {**named, "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    while len(messages) < size:
        left = max(until - time.monotonic(), 0.0) if messages else 0.0
        given = {"MaxNumberOfMessages": min(_AT_ONCE, size - len(messages)), "WaitTimeSeconds": min(int(left), 20)}
        found = _RECEIVE(context, {**asked, **given}).get("Messages", [])
        messages += found
        if not found and left < 1:
            break
    return messages


def _record(message: Mapping[str, Any], queue: Record) -> dict[str, Any]:
    """A message as functions get it.

    Reference: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
    """
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {name: _attribute(told) for name, told in message.get("MessageAttributes", {}).items()},
        "md5OfBody": message["MD5OfBody"],
        **({"md5OfMessageAttributes": message["MD5OfMessageAttributes"]} if "MessageAttributes" in message else {}),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": queue.key.region,
    }


def _attribute(told: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": told["DataType"]}
    if "StringValue" in told:
        return {"stringValue": told["StringValue"], **shown}
    return {"binaryValue": base64.b64encode(told["BinaryValue"]).decode(), **shown}


def failed_of(answer: bytes, identifiers: Sequence[str]) -> frozenset[str]:
    """The messages of a batch that the function says it failed on; all, if what it says cannot be understood.

    Reference: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    told, every = json.loads(answer), frozenset(identifiers)
    if told is None or (isinstance(told, dict) and not told.get("batchItemFailures")):
        return frozenset()
    try:
        named = frozenset(each["itemIdentifier"] for each in told["batchItemFailures"])
    except (TypeError, KeyError):
        return every
    return named if named <= every else every
