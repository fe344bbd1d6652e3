"""Topics as other services use them: publishing on behalf of a service, which the topic's policy must allow."""

from __future__ import annotations

from clary.core.errors import AccessDenied
from clary.resources.context import Platform
from clary.services.iam.resource_policies import allows_role, allows_service
from clary.services.sns.errors import NotFound
from clary.services.sns.publishing import Publication, publication, publish_within
from clary.services.sns.topics import ATTRIBUTES, default_policy, is_fifo, topic_of
from clary.services.sqs.api import Posting, Sender, posting
from clary.state.records import Record

__all__ = ["Publication", "allows", "is_fifo", "publication", "publish", "send_within", "topic_of"]

_PUBLISH = "sns:Publish"


def allows(post: Posting, record: Record, sender: Sender) -> bool:
    """Whether the policy of a topic lets the sender publish to it."""
    policy = record.document[ATTRIBUTES].get("Policy") or default_policy(record.arn)
    if sender.role is not None:
        return allows_role(post.identities, sender.role, policy, _PUBLISH, record.arn, sender.service.split(".")[0])
    return allows_service(
        post.identities,
        policy,
        _PUBLISH,
        record.arn,
        sender.service,
        sender.source_arn,
        sender.source_account,
        sender.source_owner,
    )


def send_within(post: Posting, arn: str, what: Publication, sender: Sender) -> str:
    """Publish as part of a transaction; gives the message's id.

    Raises ``NotFound``, ``AccessDenied``, or another ``ServiceError`` for what the topic does not take.
    """
    record = topic_of(post.transaction, arn)
    if record is None:
        raise NotFound("Topic does not exist")
    if not allows(post, record, sender):
        raise AccessDenied(
            f"{sender.service} is not authorized to perform: {_PUBLISH} on resource: {arn} because no resource-based "
            f"policy allows it for {sender.source_arn or 'it'}"
        )
    return publish_within(post, record, what).message_id


def publish(
    platform: Platform,
    arn: str,
    message: str,
    *,
    service: str,
    subject: str | None = None,
    source_arn: str = "",
    source_account: str = "",
) -> str:
    """Publish a message to the topic ``arn`` on behalf of ``service``; gives its id.

    The topic's policy must allow it, whose conditions may ask for ``aws:SourceArn`` and ``aws:SourceAccount``. Raises
    ``NotFound``, ``AccessDenied``, or ``InvalidParameter`` for what the topic does not take.
    """
    what = publication({"Message": message, "Subject": subject})
    with posting(platform) as post:
        return send_within(post, arn, what, Sender(service, source_arn, source_account))
