"""What happens in buckets, told to those who want to know it: queues, topics, functions and the default bus.

The object store keeps its notices until they are acknowledged here, so that each is told at least once. Reference:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from clary.core.errors import ServiceError
from clary.resources.context import Platform
from clary.services.events import api as events
from clary.services.lambda_ import api as functions
from clary.services.sns import api as sns
from clary.services.sqs import api as sqs

log = logging.getLogger(__name__)

PRINCIPAL = "s3.amazonaws.com"
SUBJECT = "Amazon S3 Notification"


def deliver(platform: Platform, notices: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Deliver notices, and give the ids of those that need not come again: they were delivered, or never can be.

    A notice has ``id``, ``target`` (``sqs``, ``sns``, ``lambda`` or ``events``), ``arn`` of the target, ``account``,
    ``region``, ``bucket`` and ``message``: what S3 sends, or for ``events`` the event with ``detail-type`` and
    ``detail``. A target that is gone, or that does not let S3 send, is said in the log. All or none of them are
    delivered.
    """
    done: list[Any] = []
    with sqs.posting(platform) as post:
        for notice in notices:
            try:
                _deliver(post, notice)
            except (ServiceError, KeyError, TypeError, ValueError) as error:
                log.warning("a notice of the bucket %s was not delivered: %s", notice.get("bucket"), error)
            done.append(notice["id"])
    return done


def _deliver(post: sqs.Posting, notice: Mapping[str, Any]) -> None:
    target, message, account = notice["target"], notice["message"], notice["account"]
    if target == "events":
        event = {"source": "aws.s3", "resources": [_bucket_arn(notice["bucket"])], **message}
        events.emit_within(post, account, notice["region"], event)
        return
    text = orjson.dumps(message).decode()
    sender = sqs.Sender(PRINCIPAL, _bucket_arn(notice["bucket"]), account)
    if target == "sqs":
        sqs.send_within(post, notice["arn"], sqs.Parcel(text, {}, PRINCIPAL), sender)
    elif target == "sns":
        sns.send_within(post, notice["arn"], sns.Publication(text, SUBJECT), sender)
    elif target == "lambda":
        functions.invoke_later(post, notice["arn"], text, sender)
    else:
        raise ValueError(f"there are no targets of the kind {target}")


def _bucket_arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def validate(platform: Platform, account: str, bucket: str, destinations: Sequence[Mapping[str, str]]) -> list[str]:
    """The ARNs of destinations that do not exist, that S3 may not send to for this bucket, or that are of a kind to
    which nothing can be sent (FIFO queues and topics).

    A destination has ``target`` (``sqs``, ``sns``, ``lambda``) and ``arn``.
    """
    sender = sqs.Sender(PRINCIPAL, _bucket_arn(bucket), account)
    with platform.database.read() as transaction:
        post = sqs.Posting(platform, transaction, platform.clock())
        return [each["arn"] for each in destinations if not _is_reached(post, each["target"], each["arn"], sender)]


def _is_reached(post: sqs.Posting, target: str, arn: str, sender: sqs.Sender) -> bool:
    if target == "sqs":
        queue = sqs.queue_of(post.transaction, arn)
        return queue is not None and not sqs.is_fifo(queue) and sqs.allows(post, queue, sender)
    if target == "sns":
        topic = sns.topic_of(post.transaction, arn)
        return topic is not None and not sns.is_fifo(topic) and sns.allows(post, topic, sender)
    if target == "lambda":
        function = functions.function_of(post.transaction, arn)
        return function is not None and functions.allows(post, function, sender)
    return False
