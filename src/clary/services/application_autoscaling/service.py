"""Application Auto Scaling as far as it is kept: what may be scaled, and by which policies. Nothing is scaled yet.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ServiceError, ValidationException
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.state.records import Record
from clary.state.transaction import Transaction


class ObjectNotFoundException(ServiceError):
    """The target, policy or action is not registered."""

    code = "ObjectNotFoundException"
    status = 400


SCALING = Dialect(
    service="application-autoscaling",
    verbs={
        "register": ("Register{noun}",),
        "put": ("Put{noun}",),
        "list": ("Describe{nouns}",),
        "delete": ("Deregister{noun}", "Delete{noun}"),
    },
    missing=lambda noun, name, arn: ObjectNotFoundException(f"No {noun} found for {name}"),
    present=lambda noun, name, arn: ValidationException(f"{noun} {name} is registered already."),
    page=50,
)
_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_CONFIGURATIONS = {
    "StepScaling": "StepScalingPolicyConfiguration",
    "TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration",
    "PredictiveScaling": "PredictiveScalingPolicyConfiguration",
}


def _prepare_target(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    for member in ("MinCapacity", "MaxCapacity"):
        if member not in params:
            raise ValidationException(f"{member} is required to register a new scalable target.")
    _check_capacity(params)
    namespace = params["ServiceNamespace"]
    # The role that AWS makes where none is named; nothing runs under it here.
    role = f"aws-service-role/{namespace}.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling"
    params.setdefault("RoleARN", f"arn:aws:iam::{context.account}:role/{role}_{namespace.title()}")
    off = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    params["SuspendedState"] = {**dict.fromkeys(off, False), **params.get("SuspendedState", {})}


def _amend_target(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    _check_capacity({**record.document, **changes})


def _check_capacity(params: Mapping[str, Any]) -> None:
    least, most = params["MinCapacity"], params["MaxCapacity"]
    if least < 0 or least > most:
        raise ValidationException("Maximum capacity cannot be less than minimum capacity, and neither below zero.")


def _remove_target(context: Context, transaction: Transaction, record: Record) -> bool:
    for kind in (policies, actions):
        within = "/".join(record.document[member] for member in _TARGET)
        for child in transaction.find(kind.query(context).within(within)):
            transaction.delete(child)
    return True


def _check_registered(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> None:
    namespace, name, dimension = (params[member] for member in _TARGET)
    if transaction.get(targets.key(context, dimension, namespace, name)) is None:
        raise ObjectNotFoundException(
            f"No scalable target registered for service namespace: {namespace}, resource ID: {name}, "
            f"scalable dimension: {dimension}"
        )


def _prepare_policy(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    _check_registered(context, transaction, params)
    kind = params.setdefault("PolicyType", "StepScaling")
    for other, member in _CONFIGURATIONS.items():
        if (member in params) != (other == kind):
            raise ValidationException(f"A policy of the type {kind} has a {_CONFIGURATIONS[kind]} and no other.")


def _amend_policy(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    changes.setdefault("PolicyType", record.document["PolicyType"])
    _prepare_policy(context, transaction, {**{member: record.document[member] for member in _TARGET}, **changes})


def _prepare_action(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    _check_registered(context, transaction, params)
    if "Schedule" not in params:
        raise ValidationException("Schedule is required to create a scheduled action.")


targets = Resource(
    SCALING,
    "ScalableTarget",
    names=_TARGET,
    arn="scalable-target/{id}",
    arn_member="ScalableTargetARN",
    prepare=_prepare_target,
    amend=_amend_target,
    remove=_remove_target,
    related={"ResourceIds": lambda context, transaction, ids: _targets_of(context, transaction, ids)},
)
policies = Resource(
    SCALING,
    "ScalingPolicy",
    names=(*_TARGET, "PolicyName"),
    arn="arn:aws:autoscaling:{region}:{account}:scalingPolicy:{id}:resource/{ServiceNamespace}/{ResourceId}:policyName/{name}",
    arn_member="PolicyARN",
    # There are no alarms yet that would set a policy off.
    computed={"Alarms": lambda *_: []},
    prepare=_prepare_policy,
    amend=_amend_policy,
)
actions = Resource(
    SCALING,
    "ScheduledAction",
    names=(*_TARGET, "ScheduledActionName"),
    arn="arn:aws:autoscaling:{region}:{account}:scheduledAction:{id}:resource/{ServiceNamespace}/{ResourceId}:scheduledActionName/{name}",
    arn_member="ScheduledActionARN",
    prepare=_prepare_action,
)


def _targets_of(context: Context, transaction: Transaction, ids: list[str]) -> list[str]:
    found = (transaction.find(targets.query(context).where("ResourceId", each)) for each in ids)
    return [record.arn for records in found for record in records]


def describe_activities(_: Context, __: dict[str, Any]) -> dict[str, Any]:
    """``DescribeScalingActivities``: nothing has been scaled."""
    return {"ScalingActivities": []}


OPERATIONS: dict[str, Handler] = {"DescribeScalingActivities": describe_activities}


def app() -> ServiceApp:
    """The service."""
    return service(SCALING, (targets, policies, actions), OPERATIONS)
