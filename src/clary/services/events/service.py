"""EventBridge: event buses, and rules that send the events on them, or one now and then, to targets.

Reference: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.core.errors import ResourceNotFoundException, ServiceError, ValidationException
from clary.resources.acted_on import ActedOn, Arns
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.paging import cut
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.services.application_autoscaling.api import read_schedule
from clary.services.events.delivery import TARGETS, check_target
from clary.services.events.patterns import fits, parsed
from clary.services.events.put import DEFAULT, put_events
from clary.services.events.schedules import keep_time, start_again
from clary.state.records import Record
from clary.state.transaction import Transaction

_SCHEDULE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)|cron\((\S+ ){5}\S+\)")
_MOST_TARGETS = 5
_ASKED_FOR = ("source", "detail-type", "detail.service", "detail.eventTypeCode", "detail.userIdentity.principalId")
"""Members of patterns that policies may ask for; those within the detail are keys of one value."""


class ResourceAlreadyExistsException(ServiceError):
    """There is one of that name."""

    code = "ResourceAlreadyExistsException"
    status = 400


EVENTS = Dialect(
    service="events",
    verbs={
        "create": ("Create{noun}",),
        "put": ("Put{noun}",),
        "describe": ("Describe{noun}",),
        "list": ("List{nouns}",),
        "update": ("Update{noun}",),
        "delete": ("Delete{noun}",),
    },
    missing=lambda noun, name, arn: ResourceNotFoundException(f"{noun} {name} does not exist."),
    present=lambda noun, name, arn: ResourceAlreadyExistsException(f"{noun} {name} already exists."),
    principal="events.amazonaws.com",
    ignored=frozenset(("Force",)),
    page=100,
)


def _check_bus(context: Context, transaction: Transaction, name: str) -> str:
    """The name of a bus that is there; the default one always is."""
    name = name.rsplit("/", 1)[-1]
    if name != DEFAULT:
        buses.find(context, transaction, name)
    return name


def _prepare_bus(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    if params["Name"] == DEFAULT:
        raise ResourceAlreadyExistsException("Event bus default already exists.")


def _remove_bus(context: Context, transaction: Transaction, record: Record) -> bool:
    if transaction.count(rules.query(context).within(record.name)):
        raise ValidationException(f"The event bus {record.name} has rules. Delete them first.")
    return True


def _check_rule(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    bus = params["EventBusName"] = _check_bus(context, transaction, params.get("EventBusName", DEFAULT))
    if "EventPattern" not in params and "ScheduleExpression" not in params:
        raise ValidationException("Parameter(s) EventPattern or ScheduleExpression must be specified.")
    if "EventPattern" in params:
        parsed(params["EventPattern"])
    if "ScheduleExpression" in params:
        if not _SCHEDULE.fullmatch(params["ScheduleExpression"]):
            raise ValidationException("Parameter ScheduleExpression is not valid.")
        _check_schedule(params["ScheduleExpression"])
        if bus != DEFAULT:
            raise ValidationException("ScheduleExpression is supported only on the default event bus.")
    params.setdefault("State", "ENABLED")


def _check_schedule(text: str) -> None:
    try:
        read_schedule(text, None)
    except ValidationException:
        raise ValidationException("Parameter ScheduleExpression is not valid.") from None


def _amend_rule(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    changes["EventBusName"] = record.key.parent
    _check_rule(context, transaction, changes)
    changes[TARGETS] = record.document.get(TARGETS, {})
    start_again(record, context.platform.clock())


def _remove_rule(_: Context, __: Transaction, record: Record) -> bool:
    if record.document.get(TARGETS):
        raise ValidationException("Rule can't be deleted since it has targets.")
    return True


buses = Resource(
    EVENTS,
    "EventBus",
    names=("Name",),
    arn="event-bus/{name}",
    paths={"Arn": "@arn"},
    sort_by="@name",
    missing=lambda name, arn: ResourceNotFoundException(f"Event bus {name} does not exist."),
    prepare=_prepare_bus,
    remove=_remove_bus,
)


class _Rules(Resource):
    """Rules, whose ARN names the bus unless it is the default one."""

    def make_arn(self, context: Context, name: str, *parents: str, id: str = "*") -> str:
        """The ARN of the rule called ``name``."""
        return super().make_arn(context, name, *("" if parent == DEFAULT else parent for parent in parents), id=id)


rules = _Rules(
    EVENTS,
    "Rule",
    names=("EventBusName", "Name"),
    aliases={"Rule": "Name"},
    unnamed={"EventBusName": DEFAULT},
    arn="rule/{EventBusName}/{name}",
    paths={"Arn": "@arn"},
    sort_by="@name",
    missing=lambda name, arn: ResourceNotFoundException(f"Rule {name} does not exist on EventBus."),
    prepare=_check_rule,
    amend=_amend_rule,
    remove=_remove_rule,
    reconcile=keep_time,
)


def _default_bus(context: Context) -> dict[str, Any]:
    return {"Name": DEFAULT, "Arn": buses.make_arn(context, DEFAULT)}


def describe_bus(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeEventBus``: the default one where none is named."""
    name = params.get("Name", DEFAULT).rsplit("/", 1)[-1]
    if name == DEFAULT:
        return _default_bus(context)
    with context.platform.database.read() as transaction:
        record = buses.find(context, transaction, name)
    return {**record.document, "Arn": record.arn, "CreationTime": record.created, "LastModifiedTime": record.modified}


def list_buses(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListEventBuses``: the default one first."""
    prefix = params.get("NamePrefix", "")
    with context.platform.database.read() as transaction:
        records = transaction.find(replace(buses.query(context), sort_by="@name"))
    kept = [{**record.document, "Arn": record.arn, "CreationTime": record.created} for record in records]
    found = [bus for bus in (_default_bus(context), *kept) if bus["Name"].startswith(prefix)]
    rows, following = cut(found, params, EVENTS.page)
    return {"EventBuses": rows} | ({"NextToken": following} if following else {})


def _state(value: str) -> Handler:
    def change(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = rules.named(context, transaction, params)
            record.document["State"] = value
            start_again(record, context.platform.clock())
            transaction.update(record)
        context.platform.wake(record.id)
        return {}

    return change


def _of_rule(params: Mapping[str, Any]) -> dict[str, Any]:
    return {"EventBusName": params.get("EventBusName", DEFAULT), "Name": params["Rule"]}


def put_targets(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutTargets``: add targets to a rule, or replace those with the same ids."""
    for target in params["Targets"]:
        check_target(context, target)
    with context.platform.database.write() as transaction:
        record = rules.named(context, transaction, _of_rule(params))
        targets = {**record.document.get(TARGETS, {}), **{target["Id"]: target for target in params["Targets"]}}
        if len(targets) > _MOST_TARGETS:
            raise ValidationException(f"A rule can have at most {_MOST_TARGETS} targets.")
        record.document[TARGETS] = targets
        transaction.update(record)
    return {"FailedEntryCount": 0, "FailedEntries": []}


def remove_targets(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RemoveTargets``."""
    failed = []
    with context.platform.database.write() as transaction:
        record = rules.named(context, transaction, _of_rule(params))
        targets = dict(record.document.get(TARGETS, {}))
        for each in params["Ids"]:
            if targets.pop(each, None) is None:
                message = f"Rule {record.name} does not have a target with the Id {each}."
                failed.append({"TargetId": each, "ErrorCode": "ResourceNotFoundException", "ErrorMessage": message})
        record.document[TARGETS] = targets
        transaction.update(record)
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}


def list_targets(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTargetsByRule``."""
    with context.platform.database.read() as transaction:
        record = rules.named(context, transaction, _of_rule(params))
    rows, following = cut(list(record.document.get(TARGETS, {}).values()), params, EVENTS.page)
    return {"Targets": rows} | ({"NextToken": following} if following else {})


def list_rule_names(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListRuleNamesByTarget``."""
    bus = params.get("EventBusName", DEFAULT).rsplit("/", 1)[-1]
    with context.platform.database.read() as transaction:
        records = transaction.find(replace(rules.query(context).within(bus), sort_by="@name"))
    wanted = params["TargetArn"]
    found = [
        record.name
        for record in records
        if any(target["Arn"] == wanted for target in record.document.get(TARGETS, {}).values())
    ]
    rows, following = cut(found, params, EVENTS.page)
    return {"RuleNames": rows} | ({"NextToken": following} if following else {})


def test_pattern(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``TestEventPattern``: whether a pattern is for an event."""
    try:
        event = json.loads(params["Event"])
    except ValueError:
        event = None
    needed = ("id", "detail-type", "source", "account", "time", "region", "resources")
    if not isinstance(event, dict) or any(member not in event for member in needed):
        raise ValidationException(f"Parameter Event is not valid: it must be a JSON object with {', '.join(needed)}.")
    return {"Result": fits(parsed(params["EventPattern"]), event)}


OPERATIONS: dict[str, Handler] = {
    "DescribeEventBus": describe_bus,
    "ListEventBuses": list_buses,
    "EnableRule": _state("ENABLED"),
    "DisableRule": _state("DISABLED"),
    "PutEvents": put_events,
    "PutTargets": put_targets,
    "RemoveTargets": remove_targets,
    "ListTargetsByRule": list_targets,
    "ListRuleNamesByTarget": list_rule_names,
    "TestEventPattern": test_pattern,
}


def _bus(context: Context, params: Mapping[str, Any]) -> Arns:
    return buses.arn_of(context, {"Name": params.get("Name", DEFAULT)})


def _told_buses(context: Context, params: Mapping[str, Any]) -> Arns:
    """The buses of the events that ``PutEvents`` has."""
    names = {entry.get("EventBusName", DEFAULT): None for entry in params["Entries"]}
    return tuple(buses.arn_of(context, {"Name": name}) for name in names)


SUBJECTS: Mapping[str, ActedOn] = {
    "DescribeEventBus": _bus,
    "UpdateEventBus": _bus,
    "PutEvents": _told_buses,
    **dict.fromkeys(("EnableRule", "DisableRule", "PutTargets", "RemoveTargets", "ListTargetsByRule"), rules.arn_of),
}


def conditions_of(context: Context, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """What policies may ask of events, rules and targets.

    Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-iam-conditions.html
    """
    if operation == "PutEvents":
        entries = params["Entries"]
        kinds = {"source": "Source", "detail-type": "DetailType"}
        told = {key: [entry[member] for entry in entries if member in entry] for key, member in kinds.items()}
        return {"events:eventBusInvocation": "false", **{f"events:{key}": each for key, each in told.items()}}
    keys: dict[str, Any] = {"events:creatorAccount": context.account}
    if operation == "PutRule" and "EventPattern" in params:
        keys |= _of_pattern(parsed(params["EventPattern"]))
    if operation == "PutTargets":
        keys["events:TargetArn"] = [target["Arn"] for target in params["Targets"]]
    return keys


def _of_pattern(pattern: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule says that it wants of the members that policies may ask for."""
    keys: dict[str, Any] = {}
    for key in _ASKED_FOR:
        tests: Any = pattern
        for name in key.split("."):
            tests = tests.get(name) if isinstance(tests, Mapping) else None
        texts = [text for text in tests if isinstance(text, str)] if isinstance(tests, list) else []
        if texts:
            keys[f"events:{key}"] = tuple(texts) if "." in key else texts
    return keys


def app() -> ServiceApp:
    """The service."""
    return service(
        EVENTS,
        (buses, rules),
        OPERATIONS,
        subjects=SUBJECTS,
        tagging="TagResource",
        conditions_of=conditions_of,
    )
