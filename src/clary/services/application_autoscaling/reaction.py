"""What a policy does about the alarms that set it off.

A policy is looked at when one of its alarms changes its state, and as long as one of them asks for it: once a minute it
may act on each. What it does not do is recorded once.

Reference: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.resources.context import Reconciliation
from clary.services.application_autoscaling import variants
from clary.services.application_autoscaling.activities import (
    FAILED,
    IN_PROGRESS,
    SUCCESSFUL,
    add_activity,
    capacity_changes,
    scale,
)
from clary.services.application_autoscaling.arithmetic import aggregated, proportional, stepped
from clary.services.application_autoscaling.records import POLICIES, of_target, target_of
from clary.services.application_autoscaling.tracking import COOLDOWN_SECONDS, LOW_SECONDS
from clary.services.cloudwatch.alarms.api import SetOff, set_off
from clary.services.cloudwatch.sources import Place
from clary.services.sagemaker.endpoints.scaling import Capacity
from clary.state.records import Record
from clary.state.transaction import Transaction

ALARMS = "_alarms"
"""In a policy's document: the names of the alarms that it made."""
_OUT, _IN, _ACTED, _UNSCALED = "_out", "_in", "_acted", "_unscaled"
"""In a policy's document: the last activity in each direction with the capacity before it, when it acted on each alarm,
and what it has said that it does not do."""
ACTING_SECONDS = 5.0
"""How often a policy is looked at while an alarm asks for it."""
RESTING_SECONDS = 60.0
AGAIN_SECONDS = 60.0
"""How often a policy acts on one alarm at most."""
_TRACKING = "TargetTrackingScalingPolicyConfiguration"
_STEP = "StepScalingPolicyConfiguration"


@dataclass(frozen=True)
class _Case:
    """One alarm that sets off a policy, and all that matters for what is done."""

    policy: Record
    target: Record
    alarm: SetOff
    capacity: Capacity
    changes: Sequence[tuple[float, int]]
    """When the capacity changed, the newest first, and what it was before."""
    now: float

    @property
    def least(self) -> int:
        return int(self.target.document["MinCapacity"])

    @property
    def most(self) -> int:
        return int(self.target.document["MaxCapacity"])

    def capacity_at(self, time: float) -> int:
        """How many instances there were that a value of then is about."""
        count = self.capacity.desired
        for ended, before in self.changes:
            if ended <= time:
                break
            count = before
        return count

    @property
    def cause(self) -> str:
        return f"monitor alarm {self.alarm.name} in state {self.alarm.state} triggered policy {self.policy.name}"


def react(look: Reconciliation) -> float | None:
    """Scale where an alarm asks for it (see ``clary.resources.context.Reconciler``)."""
    record, now = look.record, look.platform.clock()
    place = Place(look.platform, record.key.account, record.key.region)
    key = variants.variant_of(place.account, place.region, record.document)
    if key is None:
        record.wake_at = None
        look.save()
        return None
    with look.platform.database.read() as transaction:
        target = target_of(transaction, place.account, place.region, record.document)
        capacity = variants.endpoints.variant_capacity(transaction, key)
        alarms = set_off(place, transaction, record.arn, now)
        if target is None or capacity is None or not alarms:
            return RESTING_SECONDS
        if variants.endpoints.is_busy(transaction, key):
            return ACTING_SECONDS
        changes = capacity_changes(transaction, target)
        for alarm in alarms:
            case = _Case(record, target, alarm, capacity, changes, now)
            if _acted_lately(case):
                continue
            count = _wanted(transaction, place, case)
            if count is not None and _act(look, case, count):
                break
    return ACTING_SECONDS


def _acted_lately(case: _Case) -> bool:
    since, at = case.policy.document.get(_ACTED, {}).get(case.alarm.name, (None, 0.0))
    return bool(since == case.alarm.since and case.now < at + AGAIN_SECONDS)


def _wanted(transaction: Transaction, place: Place, case: _Case) -> int | None:
    """The capacity that a policy asks for because of an alarm, within the bounds; ``None`` if it asks for nothing."""
    if _STEP in case.policy.document:
        count = _by_steps(transaction, case)
    elif case.alarm.comparison.startswith("Greater"):
        count = _up_to_target(transaction, case)
    else:
        count = _down_to_target(transaction, place, case)
    return None if count is None else min(max(count, case.least), case.most)


def _by_steps(transaction: Transaction, case: _Case) -> int | None:
    configuration = case.policy.document[_STEP]
    values = [point.value for point in case.alarm.points if point.value is not None]
    if not values:
        return None
    distance = aggregated(configuration, values) - case.alarm.threshold
    above = case.alarm.comparison.startswith("Greater")
    cooldown = configuration.get("Cooldown", COOLDOWN_SECONDS)
    count = stepped(configuration, case.capacity.desired, above, distance)
    if count is None or count <= case.capacity.desired:
        return None if count is None or _cools(transaction, case, _IN, cooldown) else count
    if (base := _cools(transaction, case, _OUT, cooldown)) is not None:
        # What was added is part of what is asked for now.
        larger = stepped(configuration, base, above, distance)
        return larger if larger is not None and larger > case.capacity.desired else None
    return count


def _up_to_target(transaction: Transaction, case: _Case) -> int | None:
    configuration = case.policy.document[_TRACKING]
    newest = next((point for point in case.alarm.points if point.value is not None), None)
    if newest is None or newest.value is None:
        return None
    desired, then = case.capacity.desired, case.capacity_at(newest.time)
    base = _cools(transaction, case, _OUT, configuration.get("ScaleOutCooldown", COOLDOWN_SECONDS))
    if base is None:
        return max(proportional(then, newest.value, configuration["TargetValue"]), desired)
    # What was added is part of what is asked for now.
    larger = proportional(min(base, then), newest.value, configuration["TargetValue"])
    return larger if larger > desired else None


def _down_to_target(transaction: Transaction, place: Place, case: _Case) -> int | None:
    """All policies of the target that track something must want to scale in; the largest of what they want counts."""
    if _cools(transaction, case, _IN, _in_cooldown(case.policy)) is not None:
        return None
    wanted = [_less(case.policy, case.alarm, case)]
    for other in of_target(transaction, POLICIES, case.target):
        configuration = other.document.get(_TRACKING)
        if other.id == case.policy.id or configuration is None or configuration.get("DisableScaleIn"):
            continue
        low = [each for each in set_off(place, transaction, other.arn, case.now) if each.comparison.startswith("Less")]
        wanted.append(_less(other, low[0], case) if low else None)
    found = [count for count in wanted if count is not None]
    return max(found) if len(found) == len(wanted) else None


def _less(policy: Record, alarm: SetOff, case: _Case) -> int | None:
    configuration = policy.document[_TRACKING]
    # A policy that is new has not seen enough, even if missing values tell that nothing was asked for.
    if configuration.get("DisableScaleIn") or case.now < alarm.configured + LOW_SECONDS:
        return None
    # What the highest of fifteen minutes needs: it is scaled in with care.
    target = configuration["TargetValue"]
    needed = [proportional(case.capacity_at(point.time), point.value or 0.0, target) for point in alarm.points]
    return min(max(needed), case.capacity.desired) if needed else None


def _in_cooldown(policy: Record) -> float:
    return float(policy.document[_TRACKING].get("ScaleInCooldown", COOLDOWN_SECONDS))


def _cools(transaction: Transaction, case: _Case, direction: str, seconds: float) -> int | None:
    """The capacity before the policy's last activity in this direction, while that is in progress or cooling down."""
    last = case.policy.document.get(direction)
    activity = transaction.by_id(last["activity"]) if last is not None else None
    if last is None or activity is None or activity.status not in (IN_PROGRESS, SUCCESSFUL):
        return None
    ended = activity.document.get("EndTime")
    return int(last["before"]) if ended is None or case.now < ended + seconds else None


def _act(look: Reconciliation, case: _Case, count: int) -> bool:
    """Scale to ``count``, or say why not; whether something was done."""
    suspended: Mapping[str, bool] = case.target.document["SuspendedState"]
    before = case.capacity.desired
    direction = _OUT if count > before else _IN
    if count == before:
        return _say_why_not(look, case)
    if suspended[f"DynamicScaling{'Out' if direction == _OUT else 'In'}Suspended"]:
        return False
    document = case.policy.document
    document[_ACTED] = {**document.get(_ACTED, {}), case.alarm.name: (case.alarm.since, case.now)}
    document.pop(_UNSCALED, None)

    def also(transaction: Transaction) -> None:
        activity = scale(transaction, case.target, count, before, case.cause, case.now)
        if activity.status == FAILED:
            return
        # The policy was stored before it; the row of the activity is known only now.
        document[direction] = {"activity": activity.id, "before": before}
        if direction == _OUT:
            # A cooldown of scaling in ends when it is scaled out.
            document.pop(_IN, None)
        transaction.update(case.policy, fence=look.record.fence)

    look.save(also)
    return True


def _say_why_not(look: Reconciliation, case: _Case) -> bool:
    """Record once that a policy does nothing about an alarm in its present state."""
    out = case.alarm.comparison.startswith("Greater")
    reason: dict[str, Any] = {"Code": "AlreadyAtDesiredCapacity", "CurrentCapacity": case.capacity.desired}
    if case.capacity.desired == case.most and out:
        reason = {"Code": "AlreadyAtMaxCapacity", "MaxCapacity": case.most}
    elif case.capacity.desired == case.least and not out:
        reason = {"Code": "AlreadyAtMinCapacity", "MinCapacity": case.least}
    said: Sequence[Any] = [case.alarm.name, case.alarm.since, reason["Code"]]
    if case.policy.document.get(_UNSCALED) == said:
        return False
    case.policy.document[_UNSCALED] = said
    members = {
        "Description": "Attempting to scale due to alarm triggered",
        "Cause": case.cause,
        "NotScaledReasons": [reason],
    }
    status = SUCCESSFUL if reason["Code"] == "AlreadyAtDesiredCapacity" else FAILED
    look.save(lambda transaction: add_activity(transaction, case.target, case.now, status, members))
    return False
