"""Alarms as other services use them: those that a service makes, and those that set something off.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from clary.services.cloudwatch.alarms.datapoints import datapoints
from clary.services.cloudwatch.alarms.judge import Datapoint, judge
from clary.services.cloudwatch.alarms.operations import put_alarm, remove_alarm
from clary.services.cloudwatch.alarms.records import ACTIONS, METRIC, STATE, TYPE, alarm, alarms_acting_on
from clary.services.cloudwatch.sources import Reader
from clary.state.records import Record
from clary.state.transaction import Transaction

__all__ = ["METRIC", "Datapoint", "SetOff", "alarm", "alarms_acting_on", "put_alarm", "remove_alarm", "set_off"]


class SetOff(NamedTuple):
    """An alarm of a metric whose state asks for an action."""

    name: str
    state: str
    since: float
    """When it came into its state."""
    configured: float
    comparison: str
    threshold: float
    points: list[Datapoint]
    """What it is judged by, the newest first; one without a value counts as missing."""


def set_off(reader: Reader, transaction: Transaction, action: str, now: float) -> list[SetOff]:
    """The alarms whose present state has the ARN ``action`` among its actions, with what they are judged by now."""
    acting = alarms_acting_on(transaction, reader.account, reader.region, action)
    return [
        _set_off(reader, transaction, record, now)
        for record in acting
        if record.document[TYPE] == METRIC
        and record.document["ActionsEnabled"]
        and action in record.document[ACTIONS[record.status]]
    ]


def _set_off(reader: Reader, transaction: Transaction, record: Record, now: float) -> SetOff:
    document, state = record.document, record.document[STATE]
    verdict = judge(document, datapoints(reader, transaction, document, now))
    points = list(verdict.points)
    told = orjson.loads(state["data"] or "{}").get("recentDatapoints")
    unknown = not verdict.filled and all(point.value is None for point in points)
    if isinstance(told, list) and (state.get("by_hand") or unknown):
        # Who sets a state by hand may say by which values a policy shall scale; a state that is kept while nothing is
        # known has the values that led to it.
        values = [float(value) for value in reversed(told) if isinstance(value, int | float)]
        points = [Datapoint(int(state["updated"]), value, 1.0) for value in values]
    return SetOff(
        record.name,
        record.status,
        state["transitioned"],
        state["configured"],
        document["ComparisonOperator"],
        document["Threshold"],
        points,
    )
