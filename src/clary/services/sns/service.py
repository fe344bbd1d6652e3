"""SNS as the platform runs it: its operations, and what each of them acts on.

Reference: https://docs.aws.amazon.com/sns/latest/api/Welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.names import owner_of
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


def policy_of(context: Context, arn: str) -> str | None:
    """The policy of a topic. Raises ``NotFound`` for one of another account that is not there."""
    with context.platform.database.read() as transaction:
        record = topic_of(transaction, arn)
    if record is None:
        if owner_of(arn, context.account) != context.account:
            raise NotFound("Topic does not exist")
        return None
    policy: str | None = record.document[ATTRIBUTES].get("Policy")
    return policy


def conditions_of(_: Context, operation: str, params: Mapping[str, Any]) -> Mapping[str, str]:
    """What policies may ask of a subscription.

    Reference: https://docs.aws.amazon.com/sns/latest/dg/sns-using-identity-based-policies.html
    """
    names = ("Protocol", "Endpoint") if operation == "Subscribe" else ()
    return {f"sns:{name}": params[name] for name in names if name in params}


SERVICE = ServiceApp(
    topics.SERVICE,
    {**topics.OPERATIONS, **subscriptions.OPERATIONS, **publishing.OPERATIONS},
    reconcilers={SUBSCRIPTION: deliver},
    resource_of=resource_of,
    policy_of=policy_of,
    conditions_of=conditions_of,
    tagging="TagResource",
    actions={"PublishBatch": "Publish"},
)
