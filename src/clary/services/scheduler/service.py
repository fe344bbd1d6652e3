"""EventBridge Scheduler: schedules in groups.

Reference: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.core.errors import ConflictException, ValidationException
from clary.resources import changes
from clary.resources.acted_on import ActedOn
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.paging import cut
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.services.scheduler import targets, times
from clary.services.scheduler.errors import ResourceNotFoundException
from clary.services.scheduler.invocations import keep_time, start_again
from clary.state.records import Record
from clary.state.transaction import Transaction

DEFAULT = "default"
"""The group that every account has."""
SCHEDULER = Dialect(
    service="scheduler",
    verbs={
        "create": ("Create{noun}",),
        "describe": ("Get{noun}",),
        "list": ("List{nouns}",),
        "delete": ("Delete{noun}",),
    },
    missing=lambda noun, name, arn: ResourceNotFoundException(f"{noun} {name} does not exist."),
    present=lambda noun, name, arn: ConflictException(f"{noun} {name} already exists."),
    page=100,
)
_PATHS = {"Arn": "@arn", "CreationDate": "@created", "LastModificationDate": "@modified"}


def _check_group(context: Context, transaction: Transaction, name: str) -> None:
    if name != DEFAULT:
        groups.find(context, transaction, name)


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    params.setdefault("GroupName", DEFAULT)
    params.setdefault("State", "ENABLED")
    params.setdefault("ScheduleExpressionTimezone", "UTC")
    params.setdefault("ActionAfterCompletion", "NONE")
    _check_group(context, transaction, params["GroupName"])
    times.check(params, context.platform.clock())
    targets.check(context, params["Target"])


def _begin(context: Context, transaction: Transaction, record: Record) -> None:
    # Dates are numbers once they are stored.
    for member in ("StartDate", "EndDate"):
        if member in record.document:
            record.document[member] = times.seconds(record.document[member])
    start_again(record, context.platform.clock())
    transaction.update(record)


def _prepare_group(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    if params["Name"] == DEFAULT:
        raise ConflictException("Schedule group default already exists.")


def _remove_group(context: Context, transaction: Transaction, record: Record) -> bool:
    for schedule in transaction.find(schedules.query(context).within(record.name)):
        transaction.delete(schedule)
    return True


groups = Resource(
    SCHEDULER,
    "ScheduleGroup",
    names=("Name",),
    arn="schedule-group/{name}",
    status="State",
    initial="ACTIVE",
    paths=_PATHS,
    sort_by="@name",
    missing=lambda name, arn: ResourceNotFoundException(f"Schedule group {name} does not exist."),
    present=lambda name, arn: ConflictException(f"Schedule group {name} already exists."),
    prepare=_prepare_group,
    remove=_remove_group,
)
schedules = Resource(
    SCHEDULER,
    "Schedule",
    names=("GroupName", "Name"),
    unnamed={"GroupName": DEFAULT},
    arn="schedule/{GroupName}/{name}",
    paths=_PATHS,
    sort_by="@name",
    prepare=_prepare,
    added=_begin,
    reconcile=keep_time,
)


def update_schedule(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateSchedule``: what a request does not say goes back to its default."""
    params.pop("ClientToken", None)
    with context.platform.database.write() as transaction:
        record = schedules.named(context, transaction, params)
        _prepare(context, transaction, params)
        given = {name: value for name, value in params.items() if name not in schedules.names}
        changes.change(schedules, context, transaction, record, given, replace=True)
        _begin(context, transaction, record)
    context.platform.wake(record.id)
    return {"ScheduleArn": record.arn}


def list_schedules(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListSchedules``: of all groups unless one is named."""
    group, prefix, state = params.get("GroupName"), params.get("NamePrefix", ""), params.get("State")
    with context.platform.database.read() as transaction:
        wanted = replace(schedules.query(context), sort_by="@name")
        if group is not None:
            _check_group(context, transaction, group)
            wanted = wanted.within(group)
        records = transaction.find(wanted)
    found = [
        {
            "Arn": record.arn,
            "Name": record.name,
            "GroupName": record.key.parent,
            "State": record.document["State"],
            "CreationDate": record.created,
            "LastModificationDate": record.modified,
            "Target": {"Arn": record.document["Target"]["Arn"]},
        }
        for record in records
        if record.name.startswith(prefix) and state in (None, record.document["State"])
    ]
    rows, following = cut(found, params, SCHEDULER.page)
    return {"Schedules": rows} | ({"NextToken": following} if following else {})


def _default_group(context: Context) -> dict[str, Any]:
    return {"Name": DEFAULT, "Arn": groups.make_arn(context, DEFAULT), "State": "ACTIVE"}


def _shown(record: Record) -> dict[str, Any]:
    return {
        "Name": record.name,
        "Arn": record.arn,
        "State": record.status,
        "CreationDate": record.created,
        "LastModificationDate": record.modified,
    }


def get_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetScheduleGroup``: the default one is always there."""
    if params["Name"] == DEFAULT:
        return _default_group(context)
    with context.platform.database.read() as transaction:
        return _shown(groups.find(context, transaction, params["Name"]))


def list_groups(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListScheduleGroups``: the default one first."""
    with context.platform.database.read() as transaction:
        records = transaction.find(replace(groups.query(context), sort_by="@name"))
    kept = (_default_group(context), *map(_shown, records))
    found = [group for group in kept if group["Name"].startswith(params.get("NamePrefix", ""))]
    rows, following = cut(found, params, SCHEDULER.page)
    return {"ScheduleGroups": rows} | ({"NextToken": following} if following else {})


def delete_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteScheduleGroup``: with its schedules."""
    if params["Name"] == DEFAULT:
        raise ValidationException("You cannot delete the default schedule group.")
    with context.platform.database.write() as transaction:
        changes.remove(groups, context, transaction, groups.find(context, transaction, params["Name"]))
    return {}


OPERATIONS: dict[str, Handler] = {
    "UpdateSchedule": update_schedule,
    "ListSchedules": list_schedules,
    "GetScheduleGroup": get_group,
    "ListScheduleGroups": list_groups,
    "DeleteScheduleGroup": delete_group,
}


SUBJECTS: Mapping[str, ActedOn] = {
    "UpdateSchedule": schedules.arn_of,
    "ListSchedules": lambda context, params: "*",
    "GetScheduleGroup": groups.arn_of,
    "DeleteScheduleGroup": groups.arn_of,
    "ListScheduleGroups": lambda context, params: "*",
}


def tagged_as(arn: str) -> str:
    """A schedule has the tags of its group."""
    before, mark, rest = arn.partition(":schedule/")
    return f"{before}:schedule-group/{rest.partition('/')[0]}" if mark else arn


def app() -> ServiceApp:
    """The service."""
    made = service(SCHEDULER, (groups, schedules), OPERATIONS, subjects=SUBJECTS, tagging="TagResource")
    return replace(made, tagged_as=tagged_as)
