"""``DescribeAlarms`` and ``DescribeAlarmsForMetric``.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from clary.resources.context import Context
from clary.services.cloudwatch.alarms.records import (
    ACTIONS,
    CHILDREN,
    COMPOSITE,
    METRIC,
    STATE,
    TYPE,
    alarm,
    composites,
)
from clary.services.cloudwatch.alarms.resource import alarms
from clary.services.cloudwatch.errors import InvalidParameterCombination, ResourceNotFound, ValidationError
from clary.services.cloudwatch.tokens import read_place, write_place
from clary.state.records import Query, Record
from clary.state.transaction import Transaction

PAGE = 50
_AT_ONCE = 200
_AUTHORS = ("CreatedBy", "LastModifiedBy")
_FAMILY = ("ChildrenOfAlarmName", "ParentsOfAlarmName")


def configuration(record: Record) -> dict[str, Any]:
    """What an alarm was given, and what it was called."""
    kept = {name: value for name, value in record.document.items() if not name.startswith("_") and name not in _AUTHORS}
    return {**kept, "AlarmName": record.name, "AlarmArn": record.arn}


def shown(record: Record) -> dict[str, Any]:
    """An alarm as the answers have it."""
    state = record.document[STATE]
    told = {
        "StateValue": record.status,
        "StateReason": state["reason"],
        "StateUpdatedTimestamp": state["updated"],
        "StateTransitionedTimestamp": state["transitioned"],
        "AlarmConfigurationUpdatedTimestamp": state["configured"],
    }
    return {**configuration(record), **told, **({"StateReasonData": state["data"]} if state.get("data") else {})}


def describe_alarms(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeAlarms``: by name; of metrics unless types are named.

    Raises ``InvalidParameterCombination``, ``ValidationError``, ``ResourceNotFound`` and ``InvalidNextToken``.
    """
    _check(params)
    most = params.get("MaxRecords", PAGE)
    family = next((member for member in _FAMILY if member in params), None)
    with context.platform.database.read() as transaction:
        if family is not None:
            found = iter(_family(context, transaction, family, params[family], _after(params)))
        else:
            found = _found(context, transaction, params)
        records: list[Record] = []
        for record in found:
            records.append(record)
            if len(records) > most:
                break
    told = [shown(each) if family is None else _relative(each, family) for each in records[:most]]
    rows = list(zip((each.document[TYPE] for each in records), told, strict=False))
    answer: dict[str, Any] = {
        "MetricAlarms": [row for kind, row in rows if kind == METRIC],
        "CompositeAlarms": [row for kind, row in rows if kind == COMPOSITE],
    }
    if len(records) > most:
        answer["NextToken"] = write_place([records[most - 1].name, records[most - 1].id])
    return answer


def _check(params: Mapping[str, Any]) -> None:
    if "AlarmNames" in params and "AlarmNamePrefix" in params:
        raise InvalidParameterCombination(
            "The parameters AlarmNames and AlarmNamePrefix are mutually exclusive and you have specified both."
        )
    for member in _FAMILY:
        others = set(params) - {member, "MaxRecords", "NextToken"}
        if member in params and others:
            raise ValidationError(f"{member} cannot be specified together with {', '.join(sorted(others))}.")


def _after(params: Mapping[str, Any]) -> tuple[str, int] | None:
    if not params.get("NextToken"):
        return None
    name, row = read_place(params["NextToken"], (str, int))
    return name, row


def _found(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Iterator[Record]:
    """The alarms that a request asks for, read as they are taken."""
    query = replace(alarms.query(context), sort_by="@name", limit=_AT_ONCE, after=_after(params))
    if "AlarmNames" in params:
        query = replace(query, names=tuple(params["AlarmNames"]))
    if "AlarmNamePrefix" in params:
        query = query.where("@name", params["AlarmNamePrefix"], "starts")
    if "StateValue" in params:
        query = query.where("@status", params["StateValue"])
    types, prefix = params.get("AlarmTypes") or [METRIC], params.get("ActionPrefix", "")
    for record in _all(transaction, query):
        actions = [action for member in ACTIONS.values() for action in record.document[member]]
        fits = record.document[TYPE] in types and record.name.startswith(params.get("AlarmNamePrefix", ""))
        if fits and (not prefix or any(action.startswith(prefix) for action in actions)):
            yield record


def _all(transaction: Transaction, query: Query) -> Iterator[Record]:
    while records := transaction.find(query):
        yield from records
        query = replace(query, after=(records[-1].name, records[-1].id))


def _family(
    context: Context, transaction: Transaction, member: str, name: str, after: tuple[str, int] | None
) -> list[Record]:
    """The alarms in a composite alarm's rule, or the composite alarms that have an alarm in theirs, by name."""
    record = alarm(transaction, context.account, context.region, name)
    if record is None:
        raise ResourceNotFound(f"Could not find alarm {name}")
    if member == "ParentsOfAlarmName":
        every = composites(transaction, context.account, context.region)
        found = [each for each in every if name in each.document[CHILDREN]]
    else:
        children = record.document.get(CHILDREN, [])
        known = (alarm(transaction, context.account, context.region, child) for child in children)
        found = [each for each in known if each is not None]
    return sorted((each for each in found if after is None or (each.name, each.id) > after), key=lambda each: each.name)


def _relative(record: Record, member: str) -> dict[str, Any]:
    told = {"AlarmName": record.name, "AlarmArn": record.arn}
    if member == "ParentsOfAlarmName":
        return told
    return {**told, "StateValue": record.status, "StateUpdatedTimestamp": record.document[STATE]["updated"]}


def describe_alarms_for_metric(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeAlarmsForMetric``: the alarms on one metric, of the statistic, period and unit if those are given."""
    query = replace(alarms.query(context), sort_by="@name", limit=_AT_ONCE)
    for member in ("Namespace", "MetricName", "Statistic", "ExtendedStatistic", "Period", "Unit"):
        if member in params:
            query = query.where(member, params[member])
    wanted = _pairs(params)
    with context.platform.database.read() as transaction:
        records = [record for record in _all(transaction, query) if _pairs(record.document) == wanted]
    return {"MetricAlarms": [shown(record) for record in records]}


def _pairs(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((each["Name"], each["Value"]) for each in params.get("Dimensions", []))
