"""Messages on their way to HTTP endpoints: sent one by one, and again when an endpoint does not take them.

Reference: https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
"""

from __future__ import annotations

import http.client
import json
import logging
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from clary.resources.context import Reconciliation
from clary.services.sns.publishing import bury
from clary.services.sns.subscriptions import PENDING_SECONDS
from clary.services.sns.topics import ATTRIBUTES, PENDING
from clary.services.sqs.api import posting
from clary.state.messages import Message
from clary.state.records import Record

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 15.0
_LOOK_SECONDS = 20.0
"""So long one look may take: other reconcilers want their turn."""
_PART = 20
_AGENT = "Amazon Simple Notification Service Agent"


class _Retries(NamedTuple):
    """How often a message is sent again, and after how many seconds at least and at most."""

    number: int = 3
    least: float = 20.0
    most: float = 20.0

    def pause(self, attempt: int) -> float:
        """The seconds before the attempt with this number, which grow from the least to the most."""
        share = (attempt - 1) / max(self.number - 1, 1)
        return self.least + (self.most - self.least) * min(share, 1.0)


def deliver(look: Reconciliation) -> float | None:
    """Send what waits for the endpoint of a subscription (see ``clary.resources.context.Reconciler``)."""
    record, platform = look.record, look.platform
    until = time.monotonic() + _LOOK_SECONDS
    while time.monotonic() < until:
        with platform.database.read() as transaction:
            found = transaction.messages.available(record.id, platform.clock(), _PART)
        if not found:
            break
        for message in found:
            _send(look, message)
            if time.monotonic() >= until:
                break
    return _rest(look)


def _rest(look: Reconciliation) -> float | None:
    """When to look again; a subscription that nobody confirmed ends."""
    record, platform = look.record, look.platform
    now = platform.clock()
    with platform.database.write() as transaction:
        if (seconds := transaction.messages.seconds_to_next(record.id, now)) is not None:
            return seconds
        record.wake_at = None
        if record.status == PENDING:
            record.wake_at = record.created + PENDING_SECONDS
            if record.wake_at <= now:
                transaction.delete(record)
                return None
        # Whoever publishes meanwhile changes the record, and this look is taken once more.
        transaction.update(record, release=True)
    return None


def _send(look: Reconciliation, message: Message) -> None:
    try:
        answer: int | None = _post(look.record, message)
        reason = f"the endpoint answered {answer}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        answer, reason = None, str(error) or type(error).__name__
    with posting(look.platform) as post:
        if answer is not None and 200 <= answer < 300:
            post.transaction.messages.remove(message.id)
            return
        message.received += 1
        retries = _retries(look.record)
        refused = answer is not None and 400 <= answer < 500 and answer != http.HTTPStatus.TOO_MANY_REQUESTS
        if refused or message.received > retries.number:
            post.transaction.messages.remove(message.id)
            bury(post, look.record, message.body, reason)
            return
        message.visible = post.now + retries.pause(message.received)
        post.transaction.messages.update(message)
    log.info("%s is tried again: %s", look.record.arn, reason)


def _retries(record: Record) -> _Retries:
    try:
        policy: Any = json.loads(record.document[ATTRIBUTES].get("DeliveryPolicy") or "{}")
        told = policy.get("healthyRetryPolicy") or {}
        least = min(max(float(told.get("minDelayTarget", 20)), 0.0), 3_600.0)
        most = min(max(float(told.get("maxDelayTarget", max(least, 20))), least), 3_600.0)
        return _Retries(min(max(int(told.get("numRetries", 3)), 0), 100), least, most)
    except (TypeError, ValueError, AttributeError):
        return _Retries()


def _post(record: Record, message: Message) -> int:
    """Post a message to the endpoint; gives the status that it answers. It is not followed anywhere else."""
    url = urlsplit(record.document["Endpoint"])
    assert url.hostname is not None
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
    headers = {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": _AGENT,
        "x-amz-sns-message-type": message.document["Type"],
        "x-amz-sns-message-id": message.uid,
        "x-amz-sns-topic-arn": record.arn.rpartition(":")[0],
    }
    if message.document["Type"] == "Notification":
        headers["x-amz-sns-subscription-arn"] = record.arn
    if message.document.get("Raw"):
        headers["x-amz-sns-rawdelivery"] = "true"
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.request("POST", target, message.body.encode(), headers)
        return connection.getresponse().status
    finally:
        connection.close()
