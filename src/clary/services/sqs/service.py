"""SQS as the platform runs it: its operations, and how a queue forgets what is too old.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Reconciliation, ServiceApp
from clary.services.sqs import moves, permissions, queues, receipts, receiving, sending
from clary.services.sqs.queues import KIND, SWEEP_SECONDS, attributes_of, policy_of, queue_arn, queue_meant


def sweep(look: Reconciliation) -> float | None:
    """Forget the messages that are older than the queue keeps them (see ``clary.resources.context.Reconciler``)."""
    record, now = look.record, look.platform.clock()
    oldest = now - int(attributes_of(record)["MessageRetentionPeriod"])
    with look.platform.database.write() as transaction:
        transaction.messages.expire(record.id, oldest)
        # Written down instead of kept in mind: a queue at rest shall cost nothing until then.
        record.wake_at = now + SWEEP_SECONDS
        transaction.update(record, release=True)
    return None


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN of the queue that an operation acts on, for the policies; ``*`` where there is none."""
    if operation == "CancelMessageMoveTask":
        return moves.source_of(context, params["TaskHandle"]) or queue_arn(context.account, context.region, "*")
    return queue_meant(context, params)


SERVICE = ServiceApp(
    queues.SERVICE,
    {
        **queues.OPERATIONS,
        **permissions.OPERATIONS,
        **sending.OPERATIONS,
        **receiving.OPERATIONS,
        **receipts.OPERATIONS,
        **moves.OPERATIONS,
    },
    reconcilers={KIND: sweep},
    resource_of=resource_of,
    policy_of=policy_of,
    tagging="TagQueue",
    actions={f"{name}Batch": name for name in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")},
)
