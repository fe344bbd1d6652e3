"""Scaling activities: what was scaled and why, how it went, and what was not scaled.

Reference: https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.core.errors import ServiceError
from clary.core.ids import request_id
from clary.resources.context import Context, Reconciliation
from clary.resources.paging import read_token, write_token
from clary.services.application_autoscaling import variants
from clary.services.application_autoscaling.dialect import SERVICE, TARGET, within
from clary.state.records import Key, Query, Record
from clary.state.transaction import Transaction

KIND = "ScalingActivity"
KEPT_SECONDS = 42 * 86_400.0
"""Activities of the last six weeks can be asked for."""
LOOK_SECONDS = 2.0
"""How often it is looked whether a change is fulfilled."""
PAGE = 50
WANTED, BEFORE = "_wanted", "_before"
"""In an activity's document: the capacity that it asks for, and the one that there was."""
SUCCESSFUL, FAILED, IN_PROGRESS, OVERRIDDEN, UNFULFILLED = (
    "Successful", "Failed", "InProgress", "Overridden", "Unfulfilled",
)  # fmt: skip
_FORGOTTEN_AT_ONCE = 100
_LATELY = 50


def add_activity(
    transaction: Transaction, target: Record, now: float, status: str, members: Mapping[str, Any]
) -> Record:
    """Record an activity of a target; one that is not in progress has ended. Forgets what is older than six weeks."""
    name = request_id()
    named = {member: target.document[member] for member in TARGET}
    document = {**named, "ActivityId": name, **members, "_scaled": "NotScaledReasons" not in members}
    if status != IN_PROGRESS and "NotScaledReasons" not in members:
        document["EndTime"] = now
    key = Key(target.key.account, target.key.region, SERVICE, KIND, within(named), name)
    wake_at = now if status == IN_PROGRESS else None
    record = Record(key, f"{target.arn}/activity/{name}", now, now, document, status, wake_at)
    transaction.insert(record)
    old = replace(_all_of(target), limit=_FORGOTTEN_AT_ONCE)
    for each in transaction.find(old.where("@created", now - KEPT_SECONDS, "to")):
        transaction.delete(each)
    return record


def scale(transaction: Transaction, target: Record, count: int, before: int, cause: str, now: float) -> Record:
    """Have ``count`` instances, rather than ``before``, of the variant that ``target`` is about; gives the activity,
    which may have failed."""
    key = variants.variant_of(target.key.account, target.key.region, target.document)
    assert key is not None
    # What has been fulfilled by now is not overridden by this.
    for last in transaction.find(_all_of(target).where("@status", IN_PROGRESS)):
        if (outcome := _outcome(transaction, last)) is not None:
            _end(last, *outcome, now)
            transaction.update(last)
    description = f"Setting desired instance count to {count}."
    members = {"Description": description, "Cause": cause, WANTED: count, BEFORE: before}
    try:
        variants.endpoints.set_desired(transaction, key, count, now)
    except ServiceError as error:
        service = f"(Service: AmazonSageMaker; Status Code: {error.status}; Error Code: {error.code})"
        message = f"Failed to set desired instance count to {count}. Reason: {error.message} {service}"
        return add_activity(transaction, target, now, FAILED, {**members, "StatusMessage": message})
    message = _done(count, "Waiting for change to be fulfilled by sagemaker.")
    return add_activity(transaction, target, now, IN_PROGRESS, {**members, "StatusMessage": message})


def _done(count: int, then: str) -> str:
    return f"Successfully set desired instance count to {count}. {then}"


def fulfil(look: Reconciliation) -> float | None:
    """See how an activity in progress goes on (see ``clary.resources.context.Reconciler``)."""
    with look.platform.database.read() as transaction:
        outcome = _outcome(transaction, look.record)
    if outcome is None:
        return LOOK_SECONDS
    _end(look.record, *outcome, look.platform.clock())
    look.save()
    return None


def _outcome(transaction: Transaction, record: Record) -> tuple[str, str] | None:
    """How an activity has ended, and what became of the change; ``None`` while it is in progress."""
    count = record.document[WANTED]
    key = variants.variant_of(record.key.account, record.key.region, record.document)
    assert key is not None
    capacity = variants.endpoints.variant_capacity(transaction, key)
    if capacity is not None and capacity.desired == count:
        if variants.endpoints.is_busy(transaction, key) or capacity.current != count:
            return None
        return SUCCESSFUL, "Change successfully fulfilled by sagemaker."
    newer = replace(_all_of(record), limit=1).where("@created", record.created + 0.001, "from").where("_scaled", True)
    if capacity is not None and transaction.find(newer):
        return OVERRIDDEN, "Change was overridden by another one."
    return UNFULFILLED, "Change was not fulfilled by sagemaker."


def _end(record: Record, status: str, then: str, now: float) -> None:
    record.status, record.wake_at = status, None
    record.document["StatusMessage"] = _done(record.document[WANTED], then)
    record.document["EndTime"] = now


def _all_of(target: Record) -> Query:
    """All activities of a target, told by its record or by that of one of them."""
    return Query(target.key.account, target.key.region, SERVICE, KIND).within(within(target.document))


def capacity_changes(transaction: Transaction, target: Record) -> list[tuple[float, int]]:
    """When the capacity of a target changed lately, the newest first, and what it was before."""
    query = replace(_all_of(target).where("_scaled", True), descending=True, limit=_LATELY)
    return [
        (float(each.document.get("EndTime", math.inf)), int(each.document[BEFORE]))
        for each in transaction.find(query)
        if BEFORE in each.document and each.status in (IN_PROGRESS, SUCCESSFUL)
    ]


def describe_activities(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeScalingActivities``: the newest first. Raises ``ValidationException``."""
    query = replace(Query(context.account, context.region, SERVICE, KIND), descending=True)
    for member in TARGET:
        if member in params:
            query = query.where(member, params[member])
    if not params.get("IncludeNotScaledActivities"):
        query = query.where("_scaled", True)
    size = int(params.get("MaxResults", PAGE))
    query = replace(query, limit=size + 1)
    if params.get("NextToken"):
        query = replace(query, after=read_token(params["NextToken"], query.sort_by, True))
    with context.platform.database.read() as transaction:
        records = transaction.find(query)
    answer: dict[str, Any] = {"ScalingActivities": [_shown(record) for record in records[:size]]}
    if len(records) > size:
        answer["NextToken"] = write_token(records[size - 1].created, records[size - 1].id, query.sort_by, True)
    return answer


def _shown(record: Record) -> dict[str, Any]:
    kept = {name: value for name, value in record.document.items() if not name.startswith("_")}
    return {**kept, "StartTime": record.created, "StatusCode": record.status}
