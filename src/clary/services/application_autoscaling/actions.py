"""Scheduled actions: the bounds of a target, changed at times that are known beforehand.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Reconciliation
from clary.resources.resource import Resource
from clary.services.application_autoscaling.activities import FAILED, SUCCESSFUL, add_activity
from clary.services.application_autoscaling.dialect import SCALING, TARGET, ObjectNotFoundException, target_text
from clary.services.application_autoscaling.records import ACTIONS, check_capacity, registered, target_of
from clary.services.application_autoscaling.schedule import read_schedule
from clary.state.records import Record
from clary.state.transaction import Transaction

LONGEST_PAUSE_SECONDS = 60.0
"""How often the time is looked at at least: somebody may set the clock."""
_NEXT, _PUT = "_next", "_put"
"""In an action's document: when it is due next, and when it was put."""
_BOUNDS = ("MinCapacity", "MaxCapacity")
_KEPT = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    registered(context, transaction, params)
    if "Schedule" not in params:
        raise ValidationException("Schedule is required to create a scheduled action.")
    if not any(member in params.get("ScalableTargetAction", {}) for member in _BOUNDS):
        raise ValidationException("ScalableTargetAction must have MinCapacity, MaxCapacity, or both.")
    if all(member in params["ScalableTargetAction"] for member in _BOUNDS):
        check_capacity(params["ScalableTargetAction"])
    for member in ("StartTime", "EndTime"):
        if isinstance(params.get(member), datetime):
            params[member] = params[member].timestamp()
    start, end = params.get("StartTime"), params.get("EndTime")
    if start is not None and end is not None and end <= start:
        raise ValidationException("EndTime must be later than StartTime.")
    params[_PUT] = context.platform.clock()
    params[_NEXT] = _following(params, params[_PUT])
    if params[_NEXT] is None:
        raise ValidationException("The scheduled action is never due: its schedule is over.")


def _following(action: Mapping[str, Any], after: float) -> float | None:
    schedule = read_schedule(action["Schedule"], action.get("Timezone"))
    return schedule.following(after, action[_PUT], action.get("StartTime"), action.get("EndTime"))


def _amend(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    """What is not given stays."""
    for member in _KEPT:
        if member in record.document:
            changes.setdefault(member, record.document[member])
    named = {member: record.document[member] for member in TARGET}
    checked = named | changes
    _prepare(context, transaction, checked)
    changes |= {member: value for member, value in checked.items() if member not in TARGET}
    record.wake_at = context.platform.clock()


def _located(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    name, parents = actions.called(params)
    record = transaction.get(actions.key(context, name, *parents))
    if record is None:
        raise ObjectNotFoundException(
            f"No scheduled action found for {target_text(params)}, scheduled action name: {name}"
        )
    return record


def follow(look: Reconciliation) -> float | None:
    """Do what is due (see ``clary.resources.context.Reconciler``); what was missed is done once."""
    record, now = look.record, look.platform.clock()
    due: float | None = record.document[_NEXT]
    if due is not None and now < due:
        return min(LONGEST_PAUSE_SECONDS, due - now)
    record.document[_NEXT] = _following(record.document, now)
    if record.document[_NEXT] is None:
        record.wake_at = None
    rows: list[int] = []
    look.save(lambda transaction: rows.extend(_change_bounds(transaction, record, now)))
    for row in rows:
        look.platform.wake(row)
    return None if record.wake_at is None else 0.0


def _change_bounds(transaction: Transaction, record: Record, now: float) -> list[int]:
    """Give the target its new bounds, which its reconciler then keeps; gives its row."""
    target = target_of(transaction, record.key.account, record.key.region, record.document)
    if target is None or target.document["SuspendedState"]["ScheduledScalingSuspended"]:
        return []
    given = {name: value for name, value in record.document["ScalableTargetAction"].items() if name in _BOUNDS}
    texts = (("MinCapacity", "min"), ("MaxCapacity", "max"))
    what = " and ".join(f"{word} capacity to {given[member]}" for member, word in texts if member in given)
    cause = f"scheduled action name {record.name} was triggered"
    members = {"Description": f"Setting {what}", "Cause": cause}
    try:
        check_capacity({**target.document, **given})
    except ValidationException as error:
        message = f"Failed to set {what}. Reason: {error.message}"
        add_activity(transaction, target, now, FAILED, {**members, "StatusMessage": message})
        return []
    target.document |= given
    target.modified = target.wake_at = now
    transaction.update(target)
    add_activity(transaction, target, now, SUCCESSFUL, {**members, "StatusMessage": f"Successfully set {what}"})
    return [target.id]


actions = Resource(
    SCALING,
    ACTIONS,
    names=(*TARGET, "ScheduledActionName"),
    arn="arn:aws:autoscaling:{region}:{account}:scheduledAction:{id}:resource/{ServiceNamespace}/{ResourceId}:scheduledActionName/{name}",
    arn_member="ScheduledActionARN",
    prepare=_prepare,
    amend=_amend,
    locate=_located,
    reconcile=follow,
)
