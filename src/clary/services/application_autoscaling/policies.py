"""Scaling policies: step scaling, and target tracking with the alarms that it makes.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScalingPolicy.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.core.ids import request_id
from clary.resources import changes
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.application_autoscaling import variants
from clary.services.application_autoscaling.dialect import SCALING, TARGET, ObjectNotFoundException, target_text
from clary.services.application_autoscaling.reaction import ALARMS, react
from clary.services.application_autoscaling.records import POLICIES, of_target, registered
from clary.services.application_autoscaling.steps import check_steps
from clary.services.application_autoscaling.tracking import check_tracking, metric_of, tracking_alarms
from clary.services.cloudwatch.alarms.api import METRIC, alarm, alarms_acting_on, put_alarm, remove_alarm
from clary.state.records import Record
from clary.state.transaction import Transaction

STEP, TRACKING = "StepScaling", "TargetTrackingScaling"
CONFIGURATIONS = {
    STEP: "StepScalingPolicyConfiguration",
    TRACKING: "TargetTrackingScalingPolicyConfiguration",
}


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    target = registered(context, transaction, params)
    kind = params.setdefault("PolicyType", STEP)
    if kind not in CONFIGURATIONS:
        raise NotAvailableYet("Predictive scaling policies are not available in Clary yet.")
    for each, member in CONFIGURATIONS.items():
        if (member in params) != (each == kind):
            raise ValidationException(f"A policy of the type {kind} has a {CONFIGURATIONS[kind]} and no other.")
    configuration = params[CONFIGURATIONS[kind]]
    if kind == STEP:
        check_steps(configuration)
        return
    check_tracking(configuration, params["ScalableDimension"])
    for policy in of_target(transaction, POLICIES, target):
        other = policy.document.get(CONFIGURATIONS[TRACKING])
        if other is not None and policy.name != params["PolicyName"] and metric_of(other) == metric_of(configuration):
            raise ValidationException(
                "Only one TargetTrackingScaling policy for a given metric specification is allowed."
            )


def _amend(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    changes.setdefault("PolicyType", record.document["PolicyType"])
    if not any(member in changes for member in CONFIGURATIONS.values()):
        changes |= {member: record.document[member] for member in CONFIGURATIONS.values() if member in record.document}
    named = {member: record.document[member] for member in (*TARGET, "PolicyName")}
    _prepare(context, transaction, named | changes)
    changes[ALARMS] = record.document.get(ALARMS, [])
    record.wake_at = context.platform.clock()


def _alarms(context: Context, transaction: Transaction, record: Record) -> list[dict[str, str]]:
    acting = alarms_acting_on(transaction, context.account, context.region, record.arn)
    return [{"AlarmName": each.name, "AlarmARN": each.arn} for each in acting]


def _remove(context: Context, transaction: Transaction, record: Record) -> bool:
    drop_alarms(context, transaction, record)
    return True


def _located(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    name, parents = policies.called(params)
    record = transaction.get(policies.key(context, name, *parents))
    if record is None:
        raise ObjectNotFoundException(f"No scaling policy found for {target_text(params)}, policy name: {name}")
    return record


policies = Resource(
    SCALING,
    POLICIES,
    names=(*TARGET, "PolicyName"),
    arn="arn:aws:autoscaling:{region}:{account}:scalingPolicy:{id}:resource/{ServiceNamespace}/{ResourceId}:policyName/{name}",
    arn_member="PolicyARN",
    computed={"Alarms": _alarms},
    prepare=_prepare,
    amend=_amend,
    remove=_remove,
    locate=_located,
    reconcile=react,
)


def put_scaling_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutScalingPolicy``: a policy that tracks a target gets two new alarms each time.

    Raises ``ObjectNotFoundException``, ``ValidationException``, and ``NotAvailableYet`` for predictive scaling and
    metric math.
    """
    with context.platform.database.write() as transaction:
        record = changes.put(policies, context, transaction, params)
        drop_alarms(context, transaction, record)
        made = []
        if record.document["PolicyType"] == TRACKING and variants.variant_of(context.account, context.region, params):
            made = [_make(context, transaction, record, *each) for each in tracking_alarms(record)]
        record.document[ALARMS] = [each.name for each in made]
        transaction.update(record)
        answer = {"PolicyARN": record.arn, "Alarms": _alarms(context, transaction, record)}
    for each in (record, *made):
        context.platform.wake(each.id)
    return answer


def _make(context: Context, transaction: Transaction, policy: Record, kind: str, members: dict[str, Any]) -> Record:
    name = f"TargetTracking-{policy.document['ResourceId']}-{kind}-{request_id()}"
    description = f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.arn}."
    named = {"AlarmName": name, "AlarmDescription": description, "AlarmActions": [policy.arn]}
    return put_alarm(context, transaction, METRIC, {**named, **members})


def drop_alarms(context: Context, transaction: Transaction, policy: Record) -> None:
    """Delete the alarms that a policy made."""
    for name in policy.document.get(ALARMS, []):
        made = alarm(transaction, context.account, context.region, name)
        if made is not None:
            remove_alarm(context, transaction, made)
    policy.document[ALARMS] = []
