"""The JSON documents in which messages of topics are delivered.

They carry no signature: that of SNS is made with a certificate of amazonaws.com, which nobody else has. Reference:
https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


def timestamp(seconds: float) -> str:
    """A time with milliseconds, as SNS writes it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def notification(
    topic: str,
    uid: str,
    message: str,
    *,
    subject: str | None,
    attributes: Mapping[str, Mapping[str, str]],
    now: float,
    unsubscribe_url: str,
    sequence: str = "",
) -> str:
    """What a subscriber is sent that did not ask for the message alone."""
    document: dict[str, Any] = {"Type": "Notification", "MessageId": uid}
    if sequence:
        document["SequenceNumber"] = sequence
    document["TopicArn"] = topic
    if subject:
        document["Subject"] = subject
    document |= {"Message": message, "Timestamp": timestamp(now), "UnsubscribeURL": unsubscribe_url}
    if attributes:
        document["MessageAttributes"] = _attributes(attributes)
    return json.dumps(document, ensure_ascii=False)


def for_function(
    subscription: str,
    topic: str,
    uid: str,
    message: str,
    *,
    subject: str | None,
    attributes: Mapping[str, Mapping[str, str]],
    now: float,
    unsubscribe_url: str,
) -> str:
    """What a function is called with that has this subscription; otherwise as ``notification``.

    Reference: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """
    told = {
        "Type": "Notification",
        "MessageId": uid,
        "TopicArn": topic,
        "Subject": subject,
        "Message": message,
        "Timestamp": timestamp(now),
        "UnsubscribeUrl": unsubscribe_url,
        "MessageAttributes": _attributes(attributes),
    }
    source = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    return json.dumps({"Records": [{**source, "Sns": told}]}, ensure_ascii=False)


def _attributes(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {
        name: {"Type": told["DataType"], "Value": told.get("StringValue") or told["BinaryValue"]}
        for name, told in attributes.items()
    }


def confirmation(topic: str, token: str, subscribe_url: str, uid: str, now: float) -> str:
    """What an endpoint is sent that somebody has subscribed."""
    return json.dumps(
        {
            "Type": "SubscriptionConfirmation",
            "MessageId": uid,
            "Token": token,
            "TopicArn": topic,
            "Message": f"You have chosen to subscribe to the topic {topic}.\n"
            "To confirm the subscription, visit the SubscribeURL included in this message.",
            "SubscribeURL": subscribe_url,
            "Timestamp": timestamp(now),
        },
        ensure_ascii=False,
    )
