"""The operations that make and change alarms.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from clary.resources import changes
from clary.resources.context import Context, Handler
from clary.services.cloudwatch.alarms.checks import check_composite_alarm, check_metric_alarm
from clary.services.cloudwatch.alarms.describe import (
    configuration,
    describe_alarms,
    describe_alarms_for_metric,
)
from clary.services.cloudwatch.alarms.history import describe_alarm_history, remember
from clary.services.cloudwatch.alarms.records import (
    ACTIONS,
    CHILDREN,
    COMPOSITE,
    METRIC,
    TYPE,
    actions_of,
    alarm,
    composites,
    keep_actions,
)
from clary.services.cloudwatch.alarms.resource import alarms
from clary.services.cloudwatch.alarms.rule import name_of, read_rule
from clary.services.cloudwatch.alarms.transitions import Change, change_state, tell
from clary.services.cloudwatch.errors import InvalidFormat, ResourceNotFound, ValidationError
from clary.services.sqs.api import posting
from clary.state.records import Record
from clary.state.transaction import Transaction


def put_metric_alarm(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutMetricAlarm``: a new alarm begins in the state INSUFFICIENT_DATA, one that is put again keeps its state.

    Raises as ``check_metric_alarm``.
    """
    check_metric_alarm(context, params)
    if "Metrics" not in params:
        params.setdefault("Dimensions", [])
    with context.platform.database.write() as transaction:
        record = put_alarm(context, transaction, METRIC, params)
    context.platform.wake(record.id)
    return {}


def put_composite_alarm(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutCompositeAlarm``. Raises ``ValidationError`` for a rule that cannot be read, and as
    ``check_composite_alarm``."""
    rule = read_rule(params["AlarmRule"])
    with context.platform.database.write() as transaction:
        check_composite_alarm(context, transaction, params, rule)
        record = put_alarm(context, transaction, COMPOSITE, {**params, CHILDREN: rule.alarms})
    context.platform.wake(record.id)
    return {}


def put_alarm(context: Context, transaction: Transaction, kind: str, params: dict[str, Any]) -> Record:
    """Create an alarm of this type, or put another configuration in the place of the one that it has.

    The caller wakes its reconciler when the transaction is over. Raises ``ValidationError`` if an alarm of the other
    type has the name.
    """
    now = context.platform.clock()
    before = alarm(transaction, context.account, context.region, params["AlarmName"])
    acted_on = actions_of(before) if before is not None else set()
    defaults = {"ActionsEnabled": True, **{member: [] for member in ACTIONS.values()}}
    record = changes.put(alarms, context, transaction, {**defaults, **params, TYPE: kind})
    keep_actions(transaction, record, acted_on, actions_of(record))
    done = "updated" if before is not None else "created"
    data = {"type": "Update" if before is not None else "Create", f"{done}Alarm": configuration(record)}
    remember(transaction, record, now, "ConfigurationUpdate", f'Alarm "{record.name}" {done}', data)
    return record


def delete_alarms(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteAlarms``: all that are named, or none.

    Raises ``ResourceNotFound``, and ``ValidationError`` for an alarm in the rule of a composite alarm that stays.
    """
    with context.platform.database.write() as transaction:
        named = _named(context, transaction, params["AlarmNames"])
        missing = [name for name, record in named.items() if record is None]
        if missing:
            raise ResourceNotFound(f"Could not find alarms [{', '.join(missing)}]")
        found = [record for record in named.values() if record is not None]
        if sum(record.document[TYPE] == COMPOSITE for record in found) > 1:
            raise ValidationError("Only one composite alarm can be deleted in one operation.")
        for composite in composites(transaction, context.account, context.region):
            needed = [name for name in composite.document[CHILDREN] if name in named]
            if needed and composite.name not in named:
                raise ValidationError(f"Cannot delete {needed[0]} as there are composite alarm(s) depending on it.")
        for record in found:
            remove_alarm(context, transaction, record)
    return {}


def remove_alarm(context: Context, transaction: Transaction, record: Record) -> None:
    """Delete an alarm; its history stays."""
    keep_actions(transaction, record, actions_of(record), set())
    data = {"type": "Delete", "deletedAlarm": configuration(record)}
    summary = f'Alarm "{record.name}" deleted'
    remember(transaction, record, context.platform.clock(), "ConfigurationUpdate", summary, data)
    changes.remove(alarms, context, transaction, record)


def set_alarm_state(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SetAlarmState``: until the alarm is judged next, with all that follows from a change of state.

    Raises ``ResourceNotFound``, and ``InvalidFormat`` for data that is no JSON.
    """
    data = params.get("StateReasonData", "")
    try:
        readable = not data or isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        readable = False
    if not readable:
        raise InvalidFormat("The parameter StateReasonData must be a JSON object.")
    with posting(context.platform) as post:
        record = alarm(post.transaction, context.account, context.region, params["AlarmName"])
        if record is None:
            raise ResourceNotFound(f"Could not find alarm {params['AlarmName']}")
        change = Change(params["StateValue"], params["StateReason"], data, by_hand=True)
        before = change_state(record, change, post.now)
        record.modified = post.now
        post.transaction.update(record)
        tell(post, record, before)
    return {}


def _switch(enabled: bool) -> Handler:
    def switch(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        """Alarms that are not there do not matter."""
        now = context.platform.clock()
        with context.platform.database.write() as transaction:
            for record in _named(context, transaction, params["AlarmNames"]).values():
                if record is None or record.document["ActionsEnabled"] == enabled:
                    continue
                record.document["ActionsEnabled"] = enabled
                record.modified = now
                transaction.update(record)
                data = {"type": "Update", "updatedAlarm": configuration(record)}
                remember(transaction, record, now, "ConfigurationUpdate", f'Alarm "{record.name}" updated', data)
        return {}

    return switch


def _named(context: Context, transaction: Transaction, names: list[str]) -> dict[str, Record | None]:
    return {name: alarm(transaction, context.account, context.region, name) for name in map(name_of, names)}


def subject_of(context: Context, operation: str, params: Mapping[str, Any]) -> str | tuple[str, ...]:
    """The ARNs of the alarms that an operation acts on, for the policies."""
    if "ResourceARN" in params:
        return str(params["ResourceARN"])
    if operation not in OPERATIONS or operation == "DescribeAlarmsForMetric":
        return "*"
    names = params.get("AlarmNames") or [params.get("AlarmName", "*")]
    return tuple(alarms.make_arn(context, name_of(name)) for name in names)


OPERATIONS: Mapping[str, Handler] = {
    "PutMetricAlarm": put_metric_alarm,
    "PutCompositeAlarm": put_composite_alarm,
    "DescribeAlarms": describe_alarms,
    "DescribeAlarmsForMetric": describe_alarms_for_metric,
    "DescribeAlarmHistory": describe_alarm_history,
    "DeleteAlarms": delete_alarms,
    "SetAlarmState": set_alarm_state,
    "EnableAlarmActions": _switch(True),
    "DisableAlarmActions": _switch(False),
}
