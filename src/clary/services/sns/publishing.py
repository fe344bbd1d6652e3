"""Messages on their way from a topic to its subscribers.

Reference: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clary.core.errors import ServiceError
from clary.core.ids import request_id as new_id
from clary.resources.context import Context, Handler
from clary.services.lambda_.api import invoke_later
from clary.services.sns.envelope import for_function, notification
from clary.services.sns.errors import (
    BatchEntryIdsNotDistinct,
    BatchRequestTooLong,
    EmptyBatchRequest,
    InvalidBatchEntryId,
    InvalidParameter,
    TooManyEntriesInBatchRequest,
)
from clary.services.sns.filters import is_for
from clary.services.sns.subscriptions import FUNCTION, dead_letters, link
from clary.services.sns.topics import ATTRIBUTES, CONFIRMED, find_topic, is_fifo, subscriptions_of
from clary.services.sqs.api import Parcel, Posting, Sender, posting, send_within
from clary.state.messages import Message
from clary.state.records import Record

log = logging.getLogger(__name__)

PRINCIPAL = "sns.amazonaws.com"
LARGEST_MESSAGE = 262_144
MOST_ENTRIES = 10
REPEAT_SECONDS = 300.0
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_NAME = re.compile(r"(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_TYPE = re.compile(r"(String|String\.Array|Number|Binary)")
_SUBJECT = re.compile(r"[^\x00-\x1f\x7f]{1,100}")


@dataclass(frozen=True)
class Publication:
    """What is published; binary values of attributes are in base 64."""

    message: str
    subject: str | None = None
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_protocol: Mapping[str, str] = field(default_factory=dict)
    """What subscribers of a protocol are sent instead of ``message``."""
    group: str = ""
    deduplication: str = ""


@dataclass(frozen=True)
class Published:
    """What became of it."""

    message_id: str
    sequence: str
    """The number of the message in a FIFO topic; empty elsewhere."""


def publication(params: Mapping[str, Any]) -> Publication:
    """What a request publishes. Raises ``InvalidParameter``."""
    message = params.get("Message") or ""
    if not message:
        raise InvalidParameter("Empty message")
    if len(message.encode()) > LARGEST_MESSAGE:
        raise InvalidParameter("Message too long")
    subject = params.get("Subject")
    if subject is not None and not _SUBJECT.fullmatch(subject):
        raise InvalidParameter("Subject")
    attributes = {name: _attribute(name, told) for name, told in (params.get("MessageAttributes") or {}).items()}
    by_protocol: dict[str, str] = {}
    if (structure := params.get("MessageStructure")) is not None:
        if structure != "json":
            raise InvalidParameter("MessageStructure")
        by_protocol = _by_protocol(message)
        message = by_protocol["default"]
    return Publication(
        message,
        subject,
        attributes,
        by_protocol,
        params.get("MessageGroupId") or "",
        params.get("MessageDeduplicationId") or "",
    )


def _by_protocol(text: str) -> dict[str, str]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidParameter("Message Structure - JSON message body failed to parse") from None
    if not isinstance(told, dict) or not isinstance(told.get("default"), str):
        raise InvalidParameter("Message Structure - No default entry in JSON message body")
    return {protocol: value for protocol, value in told.items() if isinstance(value, str)}


def _attribute(name: str, told: Mapping[str, Any]) -> dict[str, str]:
    kind = told.get("DataType") or ""
    if not _NAME.fullmatch(name):
        raise InvalidParameter(f"MessageAttributes Reason: the name '{name[:256]}' is not valid")
    if not _TYPE.fullmatch(kind.partition(".")[0] if kind != "String.Array" else kind):
        raise InvalidParameter(
            f"MessageAttributes Reason: The message attribute '{name}' has an invalid message attribute type, the set "
            "of supported type prefixes is Binary, Number, and String."
        )
    if kind.startswith("Binary"):
        if not (value := told.get("BinaryValue")):
            raise InvalidParameter(f"MessageAttributes Reason: '{name}' must contain a non-empty value")
        return {"DataType": kind, "BinaryValue": base64.b64encode(value).decode("ascii")}
    text = told.get("StringValue") or ""
    if not text:
        raise InvalidParameter(
            f"MessageAttributes Reason: The message attribute '{name}' must contain non-empty message attribute value "
            f"for message attribute type '{kind}'."
        )
    try:
        if kind.startswith("Number"):
            float(text)
        elif kind == "String.Array" and not isinstance(json.loads(text), list):
            raise ValueError(text)
    except (ValueError, RecursionError):
        raise InvalidParameter(f"MessageAttributes Reason: the value of '{name}' is no {kind}") from None
    return {"DataType": kind, "StringValue": text}


def publish_within(post: Posting, topic: Record, what: Publication) -> Published:
    """Publish as part of a transaction: each subscriber is sent it, or has it waiting, when that is committed.

    Raises ``InvalidParameter`` for what the topic does not take.
    """
    uid, sequence, token = new_id(), "", ""
    if is_fifo(topic):
        token = _token(topic, what)
        known = post.transaction.messages.known(topic.id, token, post.now)
        if known is not None:
            return Published(known[0], f"{known[1]:020d}")
        number = time.time_ns()
        mark = Message(topic.id, uid, "", post.now, post.now, id=number)
        post.transaction.messages.remember(mark, token, post.now + REPEAT_SECONDS)
        sequence = f"{number:020d}"
    elif what.deduplication:
        raise InvalidParameter(
            "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not "
            "valid for this topic type"
        )
    for subscription in subscriptions_of(post.transaction, topic):
        attributes = subscription.document[ATTRIBUTES]
        if subscription.status == CONFIRMED and is_for(attributes, what.message, what.attributes):
            _hand_over(post, topic, subscription, what, Published(uid, sequence))
    return Published(uid, sequence)


def _token(topic: Record, what: Publication) -> str:
    if not what.group:
        raise InvalidParameter("The MessageGroupId parameter is required for FIFO topics")
    if what.deduplication:
        return what.deduplication
    if topic.document[ATTRIBUTES].get("ContentBasedDeduplication") != "true":
        raise InvalidParameter(
            "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
            "explicitly"
        )
    return _digest(what.message)


def _digest(message: str) -> str:
    return hashlib.sha256(message.encode()).hexdigest()


def _hand_over(post: Posting, topic: Record, subscription: Record, what: Publication, done: Published) -> None:
    protocol = subscription.document["Protocol"]
    message = what.by_protocol.get(protocol, what.message)
    raw = subscription.document[ATTRIBUTES].get("RawMessageDelivery") == "true"
    settings = post.platform.settings
    body = message
    if not raw:
        url = link((settings.public_url or settings.url).rstrip("/"), "Unsubscribe", SubscriptionArn=subscription.arn)
        form = partial(notification, sequence=done.sequence)
        if protocol == FUNCTION:
            form = partial(for_function, subscription.arn)
        body = form(
            topic.arn,
            done.message_id,
            message,
            subject=what.subject,
            attributes=what.attributes,
            now=post.now,
            unsubscribe_url=url,
        )
    if protocol == FUNCTION:
        _call(post, topic, subscription, body)
        return
    if protocol != "sqs":
        _leave(post, subscription, done.message_id, body, raw)
        return
    queue = subscription.document["Endpoint"]
    in_order = queue.endswith(".fifo")
    parcel = Parcel(
        body,
        what.attributes if raw else {},
        PRINCIPAL,
        group=what.group,
        deduplication=(what.deduplication or _digest(what.message)) if in_order else "",
    )
    try:
        send_within(post, queue, parcel, Sender(PRINCIPAL, topic.arn, topic.key.account))
    except ServiceError as error:
        bury(post, subscription, body, str(error))


def _call(post: Posting, topic: Record, subscription: Record, body: str) -> None:
    """Have the function called that is subscribed."""
    sender = Sender(PRINCIPAL, topic.arn, topic.key.account)
    try:
        invoke_later(post, subscription.document["Endpoint"], body, sender)
    except ServiceError as error:
        bury(post, subscription, body, str(error))


def _leave(post: Posting, subscription: Record, uid: str, body: str, raw: bool) -> None:
    """Let a message wait for the reconciler, which sends it to the endpoint."""
    post.transaction.messages.add(
        Message(subscription.id, uid, body, post.now, post.now, {"Type": "Notification", "Raw": raw})
    )
    if subscription.wake_at is None or subscription.wake_at > post.now:
        subscription.wake_at = post.now
        post.transaction.update(subscription)
    post.rows.add(subscription.id)


def bury(post: Posting, subscription: Record, body: str, reason: str) -> None:
    """Send what could not be delivered to the subscription's queue of dead letters, or let it go with a warning."""
    target = dead_letters(subscription.document[ATTRIBUTES].get("RedrivePolicy"))
    if target is None:
        log.warning("%s was not delivered to: %s", subscription.arn, reason)
        return
    topic = subscription.arn.rpartition(":")[0]
    sender = Sender(PRINCIPAL, topic, subscription.key.account)
    in_order = target.endswith(".fifo")
    identifier = new_id() if in_order else ""
    parcel = Parcel(body, {}, PRINCIPAL, group=subscription.name if in_order else "", deduplication=identifier)
    try:
        send_within(post, target, parcel, sender)
    except ServiceError as error:
        log.warning("%s was not delivered to: %s; nor was %s: %s", subscription.arn, reason, target, error)


def _topic_arn(params: Mapping[str, Any]) -> str:
    given = [params[name] for name in ("TopicArn", "TargetArn", "PhoneNumber") if params.get(name)]
    if len(given) != 1:
        raise InvalidParameter("TopicArn or TargetArn Reason: exactly one of them must be given")
    if params.get("PhoneNumber"):
        raise InvalidParameter("PhoneNumber Reason: Clary sends no text messages")
    if ":endpoint/" in given[0]:
        raise InvalidParameter("TargetArn Reason: Clary sends no push notifications")
    return str(given[0])


def publish(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Publish``: to a topic."""
    topic, what = _topic_arn(params), publication(params)
    with posting(context.platform) as post:
        return _answer(publish_within(post, find_topic(post.transaction, topic), what))


def _answer(done: Published) -> dict[str, Any]:
    return {"MessageId": done.message_id} | ({"SequenceNumber": done.sequence} if done.sequence else {})


def publish_batch(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PublishBatch``: what is wrong with one message fails that one alone."""
    entries = params["PublishBatchRequestEntries"]
    _check_entries(entries)
    done, failed = [], []
    with posting(context.platform) as post:
        topic = find_topic(post.transaction, params["TopicArn"])
        for entry in entries:
            try:
                done.append({"Id": entry["Id"], **_answer(publish_within(post, topic, publication(entry)))})
            except ServiceError as error:
                failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
    return {"Successful": done, "Failed": failed}


def _check_entries(entries: list[dict[str, Any]]) -> None:
    if not entries:
        raise EmptyBatchRequest("The batch request doesn't contain any entries.")
    if len(entries) > MOST_ENTRIES:
        raise TooManyEntriesInBatchRequest("The batch request contains more entries than permissible.")
    identifiers = [entry.get("Id") or "" for entry in entries]
    if not all(_BATCH_ID.fullmatch(each) for each in identifiers):
        raise InvalidBatchEntryId("The Id of a batch entry in a batch request doesn't abide by the specification.")
    if len(set(identifiers)) < len(identifiers):
        raise BatchEntryIdsNotDistinct("Two or more batch entries in the request have the same Id.")
    if sum(len((entry.get("Message") or "").encode()) for entry in entries) > LARGEST_MESSAGE:
        raise BatchRequestTooLong("The length of all the batch messages put together is more than the limit.")


OPERATIONS: Mapping[str, Handler] = {"Publish": publish, "PublishBatch": publish_batch}
