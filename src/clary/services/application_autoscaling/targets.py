"""Scalable targets: what may be scaled, and between which bounds.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Reconciliation
from clary.resources.resource import Resource
from clary.services.application_autoscaling import variants
from clary.services.application_autoscaling.activities import scale
from clary.services.application_autoscaling.dialect import SCALING, TARGET, ObjectNotFoundException, target_text
from clary.services.application_autoscaling.policies import drop_alarms
from clary.services.application_autoscaling.records import (
    ACTIONS,
    POLICIES,
    TARGETS,
    check_capacity,
    of_target,
    target_of,
)
from clary.state.records import Record
from clary.state.transaction import Transaction

BUSY_SECONDS = 2.0
"""How often it is tried to bring an endpoint into its bounds while it takes no changes."""
SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    for member in ("MinCapacity", "MaxCapacity"):
        if member not in params:
            raise ValidationException(f"{member} is required to register a new scalable target.")
    check_capacity(params)
    _check_variant(context, transaction, params)
    namespace = params["ServiceNamespace"]
    # The role that AWS makes where none is named; nothing runs under it here.
    role = f"aws-service-role/{namespace}.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling"
    params.setdefault("RoleARN", f"arn:aws:iam::{context.account}:role/{role}_{namespace.title()}")
    params["SuspendedState"] = {**dict.fromkeys(SUSPENDED, False), **params.get("SuspendedState", {})}


def _check_variant(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> None:
    if params["ScalableDimension"] != variants.INSTANCES:
        return
    key = variants.variant_of(context.account, context.region, params)
    if key is None or params["ServiceNamespace"] != variants.NAMESPACE:
        raise ValidationException("Unsupported service namespace, resource type or scalable dimension")
    if variants.endpoints.variant_capacity(transaction, key) is None:
        raise ValidationException(f"SageMaker endpoint variant does not exist: {params['ResourceId']}")


def _amend(context: Context, _: Transaction, record: Record, changes: dict[str, Any]) -> None:
    check_capacity({**record.document, **changes})
    if "SuspendedState" in changes:
        changes["SuspendedState"] = {**record.document["SuspendedState"], **changes["SuspendedState"]}
    record.wake_at = context.platform.clock()


def _remove(context: Context, transaction: Transaction, record: Record) -> bool:
    for policy in of_target(transaction, POLICIES, record):
        drop_alarms(context, transaction, policy)
        transaction.delete(policy)
    for action in of_target(transaction, ACTIONS, record):
        transaction.delete(action)
    return True


def _located(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    record = target_of(transaction, context.account, context.region, params)
    if record is None:
        raise ObjectNotFoundException(f"No scalable target found for {target_text(params)}")
    return record


def keep_bounds(look: Reconciliation) -> float | None:
    """Bring a variant between the bounds of its target, when those are new (see ``clary.resources.context``)."""
    record, now = look.record, look.platform.clock()
    key = variants.variant_of(record.key.account, record.key.region, record.document)
    capacity, busy = None, False
    if key is not None:
        with look.platform.database.read() as transaction:
            capacity = variants.endpoints.variant_capacity(transaction, key)
            busy = variants.endpoints.is_busy(transaction, key)
    least, most = record.document["MinCapacity"], record.document["MaxCapacity"]
    before = capacity.desired if capacity is not None else least
    count = min(max(before, least), most)
    if count != before and busy:
        return BUSY_SECONDS
    record.wake_at = None
    if count == before:
        look.save()
        return None
    cause = f"{'minimum' if count > before else 'maximum'} capacity was set to {count}"
    look.save(lambda transaction: scale(transaction, record, count, before, cause, now))
    return None


targets = Resource(
    SCALING,
    TARGETS,
    names=TARGET,
    arn="scalable-target/{id}",
    arn_member="ScalableTargetARN",
    prepare=_prepare,
    amend=_amend,
    remove=_remove,
    locate=_located,
    reconcile=keep_bounds,
    related={"ResourceIds": lambda context, transaction, ids: _targets_of(context, transaction, ids)},
)


def _targets_of(context: Context, transaction: Transaction, ids: list[str]) -> list[str]:
    found = (transaction.find(targets.query(context).where("ResourceId", each)) for each in ids)
    return [record.arn for records in found for record in records]
