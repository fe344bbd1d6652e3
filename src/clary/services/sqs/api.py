"""Queues as other services use them: sending on behalf of a service, which the queue's policy must allow."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from clary.core.errors import AccessDenied
from clary.resources.context import Platform
from clary.services.iam.api import Identities
from clary.services.iam.resource_policies import allows_role, allows_service
from clary.services.iam.subjects import Subject
from clary.services.sqs.arrivals import ARRIVALS
from clary.services.sqs.errors import QueueDoesNotExist
from clary.services.sqs.queues import ATTRIBUTES, is_fifo, queue_of
from clary.services.sqs.sending import Parcel, put
from clary.state.records import Record
from clary.state.transaction import Transaction

__all__ = ["Parcel", "Posting", "Sender", "allows", "is_fifo", "posting", "queue_of", "send", "send_within"]

log = logging.getLogger(__name__)

_SEND = "sqs:SendMessage"


@dataclass(frozen=True)
class Sender:
    """On whose behalf something is sent: a service, for one of the resources of an account."""

    service: str
    """As policies name it: ``s3.amazonaws.com``."""
    source_arn: str = ""
    source_account: str = ""
    role: Subject | None = None
    """The role in which the service works, which needs no consent of the queue's policy within its account."""
    source_owner: str = ""
    """The account as older services tell it, whom the policy consents to that a topic has by default."""


@dataclass
class Posting:
    """A transaction in which messages are sent to queues and topics, and whom to tell once they are stored."""

    platform: Platform
    transaction: Transaction
    now: float
    queues: set[str] = field(default_factory=set)
    """ARNs of queues in which something has arrived."""
    rows: set[int] = field(default_factory=set)
    """Resources whose reconcilers have something to deliver."""

    @property
    def identities(self) -> Identities:
        """Who decides what policies allow."""
        identity = self.platform.identity
        assert isinstance(identity, Identities)
        return identity

    def tell(self) -> None:
        """Tell whoever waits; for when the transaction is committed."""
        for queue in self.queues:
            ARRIVALS.tell(queue)
        for row in self.rows:
            self.platform.wake(row)


@contextmanager
def posting(platform: Platform) -> Iterator[Posting]:
    """A transaction to send in; whoever waits is told after it was committed."""
    with platform.database.write() as transaction:
        post = Posting(platform, transaction, platform.clock())
        yield post
    post.tell()


def allows(post: Posting, record: Record, sender: Sender) -> bool:
    """Whether the policy of a queue lets the sender send to it."""
    policy = record.document[ATTRIBUTES].get("Policy")
    if sender.role is not None:
        return allows_role(post.identities, sender.role, policy, _SEND, record.arn, sender.service.split(".")[0])
    return allows_service(
        post.identities, policy, _SEND, record.arn, sender.service, sender.source_arn, sender.source_account
    )


def send_within(post: Posting, arn: str, parcel: Parcel, sender: Sender) -> str:
    """Send as part of a transaction; gives the message's id.

    Raises ``QueueDoesNotExist``, ``AccessDenied``, or ``ServiceError`` for what the queue does not take.
    """
    record = queue_of(post.transaction, arn)
    if record is None:
        raise QueueDoesNotExist
    if not allows(post, record, sender):
        raise AccessDenied(
            f"{sender.service} is not authorized to perform: {_SEND} on resource: {arn} because no resource-based "
            f"policy allows it for {sender.source_arn or 'it'}"
        )
    sent = put(post.transaction, record, parcel, post.now)
    post.queues.add(arn)
    return sent.message_id


def send(
    platform: Platform,
    arn: str,
    body: str,
    *,
    service: str,
    source_arn: str = "",
    source_account: str = "",
    attributes: Mapping[str, Any] | None = None,
    group: str = "",
    deduplication: str = "",
) -> str:
    """Send a message to the queue ``arn`` on behalf of ``service``; gives its id.

    The queue's policy must allow it, whose conditions may ask for ``aws:SourceArn`` and ``aws:SourceAccount``. Raises
    ``QueueDoesNotExist``, ``AccessDenied``, or another ``ServiceError`` for what the queue does not take.
    """
    parcel = Parcel(body, attributes or {}, service, group=group, deduplication=deduplication)
    with posting(platform) as post:
        return send_within(post, arn, parcel, Sender(service, source_arn, source_account))
