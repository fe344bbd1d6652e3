"""Where targets, policies and scheduled actions are kept.

What belongs to a target has the target's three names as its parent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.application_autoscaling.dialect import (
    SERVICE,
    TARGET,
    ObjectNotFoundException,
    target_text,
    within,
)
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

TARGETS, POLICIES, ACTIONS = "ScalableTarget", "ScalingPolicy", "ScheduledAction"
"""The kinds of the records."""


def target_of(transaction: Transaction, account: str, region: str, params: Mapping[str, Any]) -> Record | None:
    """The target that ``params`` name."""
    namespace, resource, dimension = (params[member] for member in TARGET)
    return transaction.get(Key(account, region, SERVICE, TARGETS, f"{namespace}/{resource}", dimension))


def registered(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    """The target that ``params`` name. Raises ``ObjectNotFoundException``."""
    target = target_of(transaction, context.account, context.region, params)
    if target is None:
        raise ObjectNotFoundException(f"No scalable target registered for {target_text(params)}")
    return target


def of_target(transaction: Transaction, kind: str, target: Record) -> list[Record]:
    """The policies or scheduled actions of a target, the oldest first."""
    query = Query(target.key.account, target.key.region, SERVICE, kind)
    return transaction.find(query.within(within(target.document)))


def check_capacity(params: Mapping[str, Any]) -> None:
    """Refuse bounds that make no sense, with ``ValidationException``."""
    least, most = params["MinCapacity"], params["MaxCapacity"]
    if least < 0 or most < 0:
        raise ValidationException("Minimum capacity and maximum capacity must be greater than or equal to 0")
    if least > most:
        raise ValidationException("Maximum capacity cannot be less than minimum capacity")
