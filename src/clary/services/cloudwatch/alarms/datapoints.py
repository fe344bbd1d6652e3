"""The points that an alarm is judged by: the periods that are over, the newest first.

The last period ends with the last whole minute, or for periods of seconds with the last ten seconds, so that periods of
several minutes slide over the points, as CloudWatch's do.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from clary.services.cloudwatch.alarms.judge import EXTRA_POINTS, Datapoint
from clary.services.cloudwatch.sources import Reader, Wanted, merged
from clary.services.cloudwatch.statistics import STANDARD, Statistic, extended
from clary.state.series_points import Metric, Summary
from clary.state.transaction import Transaction

SETTLE_SECONDS = 3.0
"""A period counts so long after its end: what endpoints measure is told a second or two later."""


class Watched(NamedTuple):
    """Which points of which metric an alarm looks at."""

    metric: Metric
    period: int
    statistic: Statistic
    unit: str | None


def watched(alarm: Mapping[str, Any]) -> Watched:
    """What an alarm looks at, by its document, which has been checked."""
    if "Metrics" in alarm:
        [query] = [each for each in alarm["Metrics"] if each.get("ReturnData", True)]
        asked = query["MetricStat"]
        return _watched(asked["Metric"], asked["Period"], asked["Stat"], asked.get("Unit"))
    statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    return _watched(alarm, alarm["Period"], statistic, alarm.get("Unit"))


def _watched(metric: Mapping[str, Any], period: int, name: str, unit: str | None) -> Watched:
    statistic = STANDARD.get(name) or extended(name)
    assert statistic is not None
    dimensions = tuple(sorted((each["Name"], each["Value"]) for each in metric.get("Dimensions", ())))
    return Watched(Metric(metric["Namespace"], metric["MetricName"], dimensions), period, statistic, unit)


def step(period: int) -> int:
    """How many seconds apart the ends of the last period are, look for look."""
    return 10 if period < 60 else 60


def datapoints(reader: Reader, transaction: Transaction, alarm: Mapping[str, Any], now: float) -> list[Datapoint]:
    """The points of the evaluation range of an alarm, by its document, the newest first."""
    metric, period, statistic, unit = watched(alarm)
    seconds = step(period)
    end = int((now - SETTLE_SECONDS) // seconds) * seconds
    count = alarm["EvaluationPeriods"] + EXTRA_POINTS
    start = end - count * period
    summaries = merged(
        reader, transaction, Wanted(metric, start, end, period, unit, percentiles=statistic.needs_values)
    )
    least = _least_samples(alarm, statistic)
    times = range(end - period, start - 1, -period)
    return [_datapoint(time, summaries.get(time), statistic, least) for time in times]


def _datapoint(time: int, summary: Summary | None, statistic: Statistic, least: float) -> Datapoint:
    if summary is None or summary.count < least:
        return Datapoint(time)
    return Datapoint(time, statistic.of(summary), summary.count)


def _least_samples(alarm: Mapping[str, Any], statistic: Statistic) -> float:
    """How many values a period must have so that its percentile means something, where the alarm cares."""
    if alarm.get("EvaluateLowSampleCountPercentile") != "ignore" or not statistic.needs_values:
        return 0.0
    share = float(statistic.name[1:]) / 100
    rest = 1 - share if share >= 0.5 else share
    return 10 / rest if rest > 0 else 0.0
