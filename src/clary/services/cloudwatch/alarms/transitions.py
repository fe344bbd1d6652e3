"""What happens when an alarm changes its state: history, actions, and the composite alarms that look at it.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from clary.core.errors import NotAvailableYet, ServiceError
from clary.services.cloudwatch.alarms.history import remember
from clary.services.cloudwatch.alarms.notices import event, message, payload, subject
from clary.services.cloudwatch.alarms.records import ACTIONS, CHILDREN, STATE, composites
from clary.services.cloudwatch.alarms.states import State
from clary.services.cloudwatch.errors import ResourceNotFound
from clary.services.events.api import emit_within
from clary.services.lambda_.api import invoke_later
from clary.services.sns.api import publication, send_within
from clary.services.sqs.api import Posting, Sender
from clary.state.records import Record

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


def tell(post: Posting, record: Record, before: dict[str, Any]) -> None:
    """Record that the state of an alarm changed and hand it on, as part of a transaction.

    Nothing happens where the state is what it was ``before``.
    """
    if before["status"] == record.status:
        return
    transaction, now = post.transaction, post.now
    summary = f"Alarm updated from {before['status']} to {record.status}"
    states = {"oldState": _told(before["status"], before), "newState": _told(record.status, record.document[STATE])}
    remember(transaction, record, now, "StateUpdate", summary, states)
    account, region = record.key.account, record.key.region
    post.rows.update(
        each.id for each in composites(transaction, account, region) if record.name in each.document[CHILDREN]
    )
    emit_within(post, account, region, event(record, before, now))
    if record.document["ActionsEnabled"]:
        for arn in record.document[ACTIONS[record.status]]:
            _act(post, record, arn, before)


def _told(status: str, state: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"stateValue": status, "stateReason": state["reason"]}
    if state.get("data"):
        told["stateReasonData"] = orjson.loads(state["data"])
    return told


def _act(post: Posting, record: Record, arn: str, before: dict[str, Any]) -> None:
    """Hand a change on to an action; the history says how that went."""
    done: dict[str, Any] = {"actionState": "Succeeded", "notificationResource": arn}
    try:
        if SCALING_POLICY in arn:
            _scale(post, record, arn)
        elif arn.startswith("arn:aws:sns:"):
            done["publishedMessage"] = _publish(post, record, arn, before["status"])
        elif arn.startswith("arn:aws:lambda:"):
            _call(post, record, arn, before)
        else:
            raise NotAvailableYet("Clary does not perform this kind of action yet")
    except ServiceError as error:
        failed = {"actionState": "Failed", "notificationResource": arn, "error": error.message}
        summary = f'Failed to execute action {arn}. Received error: "{error.message}"'
        remember(post.transaction, record, post.now, "Action", summary, failed)
    else:
        remember(post.transaction, record, post.now, "Action", f"Successfully executed action {arn}", done)


def _scale(post: Posting, record: Record, arn: str) -> None:
    """A scaling policy looks at the alarm itself, as long as that is in its state."""
    policy = post.transaction.by_arn(arn)
    if policy is None or (policy.key.account, policy.key.region) != (record.key.account, record.key.region):
        raise ResourceNotFound("There is no such policy")
    post.rows.add(policy.id)


def _call(post: Posting, record: Record, arn: str, before: dict[str, Any]) -> None:
    sender = Sender("lambda.alarms.cloudwatch.amazonaws.com", record.arn, record.key.account)
    invoke_later(post, arn, payload(record, before, post.now), sender)


def _publish(post: Posting, record: Record, arn: str, before: str) -> dict[str, Any]:
    text = message(record, before, post.now)
    account = record.key.account
    sender = Sender("cloudwatch.amazonaws.com", record.arn, account, source_owner=account)
    send_within(post, arn, publication({"Message": text, "Subject": subject(record)}), sender)
    return {"default": text}
