"""SNS as the platform runs it: its operations, and what each of them acts on.

Reference: https://docs.aws.amazon.com/sns/latest/api/Welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, ServiceApp
from clary.services.sns import publishing, subscriptions, topics
from clary.services.sns.deliveries import deliver
from clary.services.sns.errors import NotFound
from clary.services.sns.topics import ATTRIBUTES, SUBSCRIPTION, topic_arn, topic_of


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN of the topic that an operation acts on, for the policies; ``*`` where there is none."""
    if operation == "CreateTopic":
        return topic_arn(context.account, context.region, params["Name"])
    if subscription := params.get("SubscriptionArn"):
        return str(subscription).rpartition(":")[0] or "*"
    given = (params.get(name) for name in ("TopicArn", "TargetArn", "ResourceArn"))
    return str(next((each for each in given if each), "*"))


def policy_of(context: Context, operation: str, params: Mapping[str, Any]) -> tuple[str | None, str]:
    """The policy of the topic that an operation acts on, and the account that it belongs to.

    Raises ``NotFound`` for a topic of another account that is not there.
    """
    topic = resource_of(context, operation, params)
    with context.platform.database.read() as transaction:
        record = topic_of(transaction, topic) if topic != "*" else None
    if record is None:
        parts = topic.split(":")
        if len(parts) == 6 and parts[4] != context.account:
            raise NotFound("Topic does not exist")
        return None, context.account
    return record.document[ATTRIBUTES].get("Policy"), record.key.account


SERVICE = ServiceApp(
    topics.SERVICE,
    {**topics.OPERATIONS, **subscriptions.OPERATIONS, **publishing.OPERATIONS},
    reconcilers={SUBSCRIPTION: deliver},
    resource_of=resource_of,
    policy_of=policy_of,
    actions={"PublishBatch": "Publish"},
)
