"""Whether an alarm's points are beyond its threshold, and what is made of those that are missing.

CloudWatch looks at a few points more than the alarm asks for, the evaluation range, and takes the newest real ones of
it; what is missing is filled in, or left out, as the alarm says, as few times as possible.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from clary.services.cloudwatch.alarms.states import ALARM, INSUFFICIENT_DATA, OK, State

EXTRA_POINTS = 2
"""How many points more than the alarm's periods the evaluation range has."""

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
MISSING, IGNORE, BREACHING, NOT_BREACHING = "missing", "ignore", "breaching", "notBreaching"


class Datapoint(NamedTuple):
    """The value of one period; none where the metric has no values in it, or too few."""

    time: int
    """The first second of the period."""
    value: float | None = None
    samples: float = 0.0
    """Of how many values."""


@dataclass(frozen=True)
class Verdict:
    """What an alarm's points come to."""

    state: State | None
    """``None`` where the alarm stays as it is."""
    points: tuple[Datapoint, ...]
    """Those that were judged, the newest first; missing ones are among them where they count."""
    filled: int = 0
    """For how many of them the alarm says how they are treated."""


def breaches(alarm: Mapping[str, Any], value: float) -> bool:
    """Whether a value is beyond the threshold of an alarm, by its document."""
    return COMPARISONS[alarm["ComparisonOperator"]](value, alarm["Threshold"])


def judge(alarm: Mapping[str, Any], points: Sequence[Datapoint]) -> Verdict:
    """The state of an alarm, by its document and the points of its evaluation range, the newest first."""
    periods = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm", periods)
    treatment = alarm.get("TreatMissingData", MISSING)
    real = [point for point in points if point.value is not None][:periods]
    beyond = [point for point in real if point.value is not None and breaches(alarm, point.value)]
    lacking = periods - len(real)
    # The newest gaps are those that count.
    gaps = [point for point in points if point.value is None][:lacking]
    judged = tuple(sorted((*real, *gaps), key=lambda point: -point.time))
    if not lacking:
        return Verdict(ALARM if len(beyond) >= needed else OK, judged)
    if treatment == BREACHING:
        return Verdict(ALARM if len(beyond) + lacking >= needed else OK, judged, lacking)
    if treatment == NOT_BREACHING:
        return Verdict(ALARM if len(beyond) >= needed else OK, judged, lacking)
    if len(beyond) >= needed:
        return Verdict(ALARM, judged)
    if len(beyond) < len(real):
        return Verdict(OK, judged)
    if treatment == IGNORE:
        return Verdict(None, judged)
    # All there is is beyond the threshold, but it is less than the alarm asks for. It is enough when the first of it is
    # so old that, had nothing been missing since, there would be enough.
    if real and list(points).index(real[-1]) + 1 >= needed:
        return Verdict(ALARM, judged)
    return Verdict(INSUFFICIENT_DATA, judged)
