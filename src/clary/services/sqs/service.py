"""SQS as the platform runs it: its operations, and how a queue forgets what is too old.

Reference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
"""

from __future__ import annotations

from clary.resources.context import Reconciliation, ServiceApp
from clary.services.sqs import moves, permissions, queues, receipts, receiving, sending
from clary.services.sqs.queues import KIND, SWEEP_SECONDS, attributes_of, owners_queue, policy_of


def sweep(look: Reconciliation) -> float | None:
    """Forget the messages that are older than the queue keeps them (see ``clary.resources.context.Reconciler``)."""
    record, now = look.record, look.platform.clock()
    oldest = now - int(attributes_of(record)["MessageRetentionPeriod"])
    with look.platform.database.write() as transaction:
        transaction.messages.expire(record.id, oldest)
        # Written down instead of kept in mind: a queue at rest shall cost nothing until then.
        record.wake_at = now + SWEEP_SECONDS
        transaction.update(record)
    return None


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
    resource_of=owners_queue,
    policy_of=policy_of,
    actions={f"{name}Batch": name for name in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")},
)
