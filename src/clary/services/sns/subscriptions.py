"""Subscriptions: who is sent what is published.

Reference: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from clary.core.ids import request_id as new_id
from clary.core.ids import token as new_token
from clary.core.names import parse_arn
from clary.resources.context import Context, Handler
from clary.services.sns.envelope import confirmation
from clary.services.sns.errors import InvalidParameter, NotFound
from clary.services.sns.filters import ON_ATTRIBUTES, ON_BODY, check_filter
from clary.services.sns.topics import (
    ATTRIBUTES,
    CONFIRMED,
    PENDING,
    SERVICE,
    SUBSCRIPTION,
    find_topic,
    is_fifo,
    is_object,
    page,
    subscriptions_of,
    topic_of,
)
from clary.state.messages import Message
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

HTTP = ("http", "https")
FUNCTION = "lambda"
PENDING_SECONDS = 2 * 86_400.0
"""So long an endpoint has to confirm that it wants the messages."""
_NOT_HERE = {
    "email": "mail",
    "email-json": "mail",
    "sms": "text messages",
    "application": "push notifications",
    "firehose": "Firehose delivery streams",
}
_AWAITED = "PendingConfirmation"
_SETTABLE = frozenset(("DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy"))


def link(context_url: str, action: str, **members: str) -> str:
    """The address that does ``action`` when it is opened."""
    return f"{context_url}/?{urlencode({'Action': action, **members})}"


def find_subscription(transaction: Transaction, arn: str) -> Record:
    """The subscription that a request names by its ARN. Raises ``InvalidParameter`` or ``NotFound``."""
    try:
        parts = parse_arn(arn)
        topic, name = parts.resource.split(":")
    except ValueError:
        raise InvalidParameter(
            f"SubscriptionArn Reason: An ARN must have at least 6 elements, not {min(arn.count(':') + 1, 6)}"
        ) from None
    record = transaction.get(Key(parts.account, parts.region, SERVICE, SUBSCRIPTION, topic, name))
    if record is None:
        raise NotFound("Subscription does not exist")
    return record


def _check_endpoint(topic: Record, protocol: str, endpoint: str) -> None:
    if protocol in _NOT_HERE:
        raise InvalidParameter(
            f"Protocol Reason: Clary delivers to sqs, lambda, http and https; it sends no {_NOT_HERE[protocol]}, so "
            f"{protocol} cannot be subscribed"
        )
    if protocol == "sqs":
        try:
            parts = parse_arn(endpoint)
        except ValueError:
            parts = None
        if parts is None or parts.service != "sqs":
            raise InvalidParameter("SQS endpoint ARN")
        if parts.resource.endswith(".fifo") and not is_fifo(topic):
            raise InvalidParameter("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
        return
    if protocol == FUNCTION:
        if not endpoint.startswith("arn:aws:lambda:"):
            raise InvalidParameter("Lambda endpoint ARN")
        if is_fifo(topic):
            raise InvalidParameter(f"Endpoint Reason: Endpoint protocol {protocol} is not supported for FIFO topics")
        return
    if protocol not in HTTP:
        raise InvalidParameter("Protocol Reason: Invalid protocol type: " + protocol[:64])
    if is_fifo(topic):
        raise InvalidParameter(f"Endpoint Reason: Endpoint protocol {protocol} is not supported for FIFO topics")
    try:
        parts_of_url = urlsplit(endpoint)
        wrong = parts_of_url.scheme != protocol or not parts_of_url.hostname or (parts_of_url.port or 1) < 1
    except ValueError:
        wrong = True
    if wrong or any(character.isspace() for character in endpoint):
        raise InvalidParameter("Endpoint must match the specified protocol")


def _checked(given: Mapping[str, str], protocol: str, kept: Mapping[str, str]) -> dict[str, str]:
    """Attributes of a request. Raises ``InvalidParameter``."""
    values = {**given}
    for name, value in given.items():
        if name not in _SETTABLE:
            raise InvalidParameter(f"AttributeName Reason: {name[:128]} is not an attribute that can be set")
        if name == "RawMessageDelivery":
            values[name] = value.lower()
            if values[name] not in ("true", "false"):
                raise InvalidParameter("RawMessageDelivery: the value must be true or false")
            if protocol == FUNCTION and values[name] == "true":
                raise InvalidParameter(
                    f"RawMessageDelivery: Delivery protocol [{protocol}] does not support raw message delivery."
                )
        if name == "FilterPolicyScope" and value not in (ON_ATTRIBUTES, ON_BODY):
            raise InvalidParameter(f"FilterPolicyScope: Invalid value [{value[:64]}]")
        if name == "DeliveryPolicy" and value and (protocol not in HTTP or not is_object(value)):
            raise InvalidParameter("DeliveryPolicy: it must be a JSON object, for an endpoint of http or https")
        if name == "RedrivePolicy" and value and dead_letters(value) is None:
            raise InvalidParameter("RedrivePolicy: deadLetterTargetArn must be the ARN of an SQS queue")
    scope = values.get("FilterPolicyScope") or kept.get("FilterPolicyScope") or ON_ATTRIBUTES
    check_filter(values.get("FilterPolicy", kept.get("FilterPolicy", "")), scope)
    return values


def dead_letters(policy: str | None) -> str | None:
    """The queue of dead letters in a ``RedrivePolicy``."""
    try:
        target = json.loads(policy or "").get("deadLetterTargetArn")
        return str(target) if parse_arn(target).service == "sqs" else None
    except (ValueError, AttributeError, TypeError):
        return None


def subscribe(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Subscribe``: the same once more is the same subscription. An HTTP endpoint must confirm that it wants it."""
    protocol, endpoint = params["Protocol"], params.get("Endpoint") or ""
    now, settings = context.platform.clock(), context.platform.settings
    with context.platform.database.write() as transaction:
        topic = find_topic(transaction, params["TopicArn"])
        _check_endpoint(topic, protocol, endpoint)
        given = _checked(params.get("Attributes", {}), protocol, {})
        record = _present(transaction, topic, protocol, endpoint)
        if record is None:
            name = new_id()
            key = Key(topic.key.account, topic.key.region, SERVICE, SUBSCRIPTION, topic.name, name)
            document = {"Protocol": protocol, "Endpoint": endpoint, ATTRIBUTES: given, "Owner": context.account}
            record = Record(key, f"{topic.arn}:{name}", now, now, document, CONFIRMED)
            if protocol in HTTP:
                record.status, record.wake_at, document["Token"] = PENDING, now, new_token(64)
            transaction.insert(record)
        elif any(record.document[ATTRIBUTES].get(each, "") != value for each, value in given.items()):
            raise InvalidParameter("Attributes Reason: Subscription already exists with different attributes")
        if record.status == PENDING:
            url = settings.public_url or settings.url
            subscribe_url = link(
                url.rstrip("/"), "ConfirmSubscription", TopicArn=topic.arn, Token=record.document["Token"]
            )
            body = confirmation(topic.arn, record.document["Token"], subscribe_url, uid := new_id(), now)
            kind = {"Type": "SubscriptionConfirmation"}
            transaction.messages.add(Message(record.id, uid, body, now, now, kind))
            if record.wake_at is None or record.wake_at > now:
                record.wake_at = now
                transaction.update(record)
    if record.status == PENDING:
        context.platform.wake(record.id)
        if not params.get("ReturnSubscriptionArn"):
            return {"SubscriptionArn": "pending confirmation"}
    return {"SubscriptionArn": record.arn}


def _present(transaction: Transaction, topic: Record, protocol: str, endpoint: str) -> Record | None:
    for record in subscriptions_of(transaction, topic):
        if (record.document["Protocol"], record.document["Endpoint"]) == (protocol, endpoint):
            return record
    return None


def confirm(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ConfirmSubscription``: by the token that the endpoint was sent."""
    with context.platform.database.write() as transaction:
        topic = find_topic(transaction, params["TopicArn"])
        for record in subscriptions_of(transaction, topic):
            if params["Token"] and record.document.get("Token") == params["Token"]:
                break
        else:
            raise InvalidParameter("Token")
        if record.status == PENDING:
            record.status, record.wake_at = CONFIRMED, None
            if str(params.get("AuthenticateOnUnsubscribe", "")).lower() == "true":
                record.document["Authenticated"] = True
            transaction.messages.clear(record.id)
            transaction.update(record)
    return {"SubscriptionArn": record.arn}


def unsubscribe(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Unsubscribe``: with all that was not delivered yet."""
    with context.platform.database.write() as transaction:
        try:
            record = find_subscription(transaction, params["SubscriptionArn"])
        except NotFound:
            return {}
        transaction.messages.drop([record.id])
        transaction.delete(record)
        topic = topic_of(transaction, record.arn.rpartition(":")[0])
        if topic is not None:
            topic.document["_deleted"] = topic.document.get("_deleted", 0) + 1
            transaction.update(topic)
    return {}


def _row(record: Record) -> dict[str, str]:
    return {
        "SubscriptionArn": record.arn if record.status == CONFIRMED else _AWAITED,
        "Owner": record.document["Owner"],
        "Protocol": record.document["Protocol"],
        "Endpoint": record.document["Endpoint"],
        "TopicArn": record.arn.rpartition(":")[0],
    }


def list_all(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListSubscriptions``."""
    with context.platform.database.read() as transaction:
        found = transaction.find(Query(context.account, context.region, SERVICE, SUBSCRIPTION))
    return page(params, "Subscriptions", [_row(record) for record in found])


def list_of_topic(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListSubscriptionsByTopic``."""
    with context.platform.database.read() as transaction:
        found = subscriptions_of(transaction, find_topic(transaction, params["TopicArn"]))
    return page(params, "Subscriptions", [_row(record) for record in found])


def get_attributes(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetSubscriptionAttributes``."""
    with context.platform.database.read() as transaction:
        record = find_subscription(transaction, params["SubscriptionArn"])
    values = {name: value for name, value in record.document[ATTRIBUTES].items() if value}
    if "FilterPolicy" in values:
        values.setdefault("FilterPolicyScope", ON_ATTRIBUTES)
    return {
        "Attributes": {
            "RawMessageDelivery": "false",
            **values,
            **_row(record),
            "SubscriptionArn": record.arn,
            "PendingConfirmation": "true" if record.status == PENDING else "false",
            "ConfirmationWasAuthenticated": "true"
            if record.document["Protocol"] in ("sqs", FUNCTION) or record.document.get("Authenticated")
            else "false",
        }
    }


def set_attributes(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SetSubscriptionAttributes``: one of them."""
    given = {params["AttributeName"]: params.get("AttributeValue", "")}
    with context.platform.database.write() as transaction:
        record = find_subscription(transaction, params["SubscriptionArn"])
        present = record.document[ATTRIBUTES]
        values = {**present, **_checked(given, record.document["Protocol"], present)}
        record.document[ATTRIBUTES] = {name: value for name, value in values.items() if value != ""}
        record.modified = context.platform.clock()
        transaction.update(record)
    return {}


OPERATIONS: Mapping[str, Handler] = {
    "ConfirmSubscription": confirm,
    "GetSubscriptionAttributes": get_attributes,
    "ListSubscriptions": list_all,
    "ListSubscriptionsByTopic": list_of_topic,
    "SetSubscriptionAttributes": set_attributes,
    "Subscribe": subscribe,
    "Unsubscribe": unsubscribe,
}
