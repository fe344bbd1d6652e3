"""What happens when an alarm changes its state: history, actions, and the composite alarms that look at it.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from clary.services.cloudwatch.alarms.history import remember
from clary.services.cloudwatch.alarms.records import ACTIONS, CHILDREN, STATE, composites
from clary.services.cloudwatch.alarms.states import State
from clary.state.records import Record
from clary.state.transaction import Transaction

SCALING_POLICY = ":scalingPolicy:"


class Change(NamedTuple):
    """The state that an alarm comes into, and why."""

    state: State
    reason: str
    data: str = ""
    """JSON; empty where there is none."""
    by_hand: bool = False
    """Whether ``SetAlarmState`` says so."""


def change_state(record: Record, change: Change, now: float) -> dict[str, Any]:
    """Give an alarm its state; gives what it was, for ``tell``."""
    before = {"status": record.status, **record.document[STATE]}
    changed = record.status != change.state
    record.document[STATE] = {
        "reason": change.reason,
        "data": change.data,
        "by_hand": change.by_hand,
        "updated": now,
        "transitioned": now if changed else before["transitioned"],
        "configured": before["configured"],
    }
    record.status = change.state
    return before


def tell(transaction: Transaction, record: Record, before: dict[str, Any], now: float) -> list[int]:
    """Record that the state of an alarm changed and hand it on; gives the rows whose reconcilers want to know.

    Nothing happens where the state is what it was ``before``.
    """
    if before["status"] == record.status:
        return []
    summary = f"Alarm updated from {before['status']} to {record.status}"
    states = {"oldState": _told(before["status"], before), "newState": _told(record.status, record.document[STATE])}
    remember(transaction, record, now, "StateUpdate", summary, states)
    rows = [
        each.id
        for each in composites(transaction, record.key.account, record.key.region)
        if record.name in each.document[CHILDREN]
    ]
    if record.document["ActionsEnabled"]:
        for arn in record.document[ACTIONS[record.status]]:
            rows += _act(transaction, record, arn, now)
    return rows


def _told(status: str, state: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"stateValue": status, "stateReason": state["reason"]}
    if state.get("data"):
        told["stateReasonData"] = orjson.loads(state["data"])
    return told


def _act(transaction: Transaction, record: Record, arn: str, now: float) -> list[int]:
    """Hand a change on to an action: a scaling policy looks at the alarm itself, as long as it is in its state."""
    policy = transaction.by_arn(arn) if SCALING_POLICY in arn else None
    if policy is not None and (policy.key.account, policy.key.region) == (record.key.account, record.key.region):
        done = {"actionState": "Succeeded", "notificationResource": arn}
        remember(transaction, record, now, "Action", f"Successfully executed action {arn}", done)
        return [policy.id]
    why = "There is no such policy" if SCALING_POLICY in arn else "Clary does not perform this kind of action yet"
    failed = {"actionState": "Failed", "notificationResource": arn, "error": why}
    remember(transaction, record, now, "Action", f'Failed to execute action {arn}. Received error: "{why}"', failed)
    return []
