"""The alarm as a resource: what Put makes of it, and what stays when it is put again.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ServiceError
from clary.resources.context import Context
from clary.resources.dialect import Dialect
from clary.resources.resource import Resource
from clary.services.cloudwatch.alarms.records import KIND, SERVICE, STATE, TYPE
from clary.services.cloudwatch.alarms.states import INSUFFICIENT_DATA
from clary.services.cloudwatch.alarms.watch import watch
from clary.services.cloudwatch.errors import ResourceNotFound, ValidationError
from clary.state.records import Record
from clary.state.transaction import Transaction


def _missing(noun: str, name: str, arn: str) -> ServiceError:
    return ResourceNotFound(f"Could not find {noun.lower()} {name}")


DIALECT = Dialect(
    service=SERVICE,
    verbs={},
    missing=_missing,
    present=lambda noun, name, arn: ValidationError(f"{noun} {name} exists already."),
)


def _begin(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    now = context.platform.clock()
    reason = "Unchecked: Initial alarm creation"
    params[STATE] = {"reason": reason, "updated": now, "transitioned": now, "configured": now}


def _amend(context: Context, _: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if record.document[TYPE] != changes[TYPE]:
        kind = record.document[TYPE]
        raise ValidationError(f"An alarm of the type {kind} with the name {record.name} exists already.")
    # The state stays until the alarm is judged by what it watches now.
    changes[STATE] = {**record.document[STATE], "configured": context.platform.clock()}


alarms = Resource(
    DIALECT,
    KIND,
    arn="alarm:{name}",
    initial=INSUFFICIENT_DATA,
    sort_by="@name",
    prepare=_begin,
    amend=_amend,
    reconcile=watch,
)
