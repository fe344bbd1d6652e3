"""Why an alarm has its state, in the words and in the JSON that CloudWatch uses.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from clary.services.cloudwatch.alarms.judge import BREACHING, NOT_BREACHING, Datapoint, Verdict, breaches
from clary.services.cloudwatch.alarms.states import ALARM, INSUFFICIENT_DATA

LONGEST_REASON = 1_023
LONGEST_DATA = 4_000
_SHOWN_POINTS = 5
"""So many points that crossed the threshold are told; from so many on, they are told in a sentence of their own."""
_WORDS = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}
_TREATED = {BREACHING: "Breaching", NOT_BREACHING: "NonBreaching"}


def reason(alarm: Mapping[str, Any], verdict: Verdict) -> str:
    """``StateReason`` of an alarm, by its document, that was judged so."""
    periods = alarm["EvaluationPeriods"]
    if verdict.state == INSUFFICIENT_DATA:
        return f"Insufficient Data: {_counted(periods)} {_was(periods)} unknown."
    real = [point for point in verdict.points if point.value is not None]
    crossing = [
        point for point in real if point.value is not None and breaches(alarm, point.value) == (verdict.state == ALARM)
    ]
    treated = ""
    if verdict.filled:
        treatment = _TREATED[alarm["TreatMissingData"]]
        treated = f" and {_counted(verdict.filled, 'missing ')} {_was(verdict.filled)} treated as [{treatment}]"
    if not crossing:
        received = f"{_counted(len(real))} {_was(len(real))}" if real else "no datapoints were"
        text = f"{received} received for {periods} period{'' if periods == 1 else 's'}{treated}"
    else:
        text = _crossed(alarm, verdict, crossing, treated)
    return f"Threshold Crossed: {text}."[:LONGEST_REASON]


def _crossed(alarm: Mapping[str, Any], verdict: Verdict, crossing: Sequence[Datapoint], treated: str) -> str:
    periods, number = alarm["EvaluationPeriods"], len(crossing)
    alarming = verdict.state == ALARM
    needed = alarm.get("DatapointsToAlarm")
    count = _counted(number) if needed is None else f"{number} out of the last {_counted(periods, always='s')}"
    listed = "[" + ", ".join(map(_point, crossing[:_SHOWN_POINTS])) + "]"
    relation = f"{'' if alarming else 'not '}{_WORDS[alarm['ComparisonOperator']]} the threshold"
    threshold = f"({number_text(alarm['Threshold'])})"
    if number < _SHOWN_POINTS:
        text = f"{count} {listed} {_was(number)} {relation} {threshold}{treated}"
    else:
        newest = "The most recent datapoints which crossed the threshold" if alarming else "The most recent datapoints"
        text = f"{count} {_was(number)} {relation} {threshold}{treated}. {newest}: {listed}"
    if needed is None:
        return text
    least = needed if alarming else periods - needed + 1
    return f"{text} (minimum {_counted(least)} for {'OK -> ALARM' if alarming else 'ALARM -> OK'} transition)"


def reason_data(alarm: Mapping[str, Any], verdict: Verdict, now: float) -> str:
    """``StateReasonData`` of an alarm, by its document, that was judged so: of as many points as it has room for."""
    points = verdict.points
    while len(text := orjson.dumps(_data(alarm, points, now)).decode()) > LONGEST_DATA:
        points = points[: len(points) // 2]
    return text


def _data(alarm: Mapping[str, Any], points: Sequence[Datapoint], now: float) -> dict[str, Any]:
    real = [point for point in points if point.value is not None]
    data: dict[str, Any] = {"version": "1.0", "queryDate": moment(now)}
    if real:
        data["startDate"] = moment(real[-1].time)
    members = (("unit", "Unit"), ("statistic", "Statistic"), ("statistic", "ExtendedStatistic"), ("period", "Period"))
    data |= {member: alarm[source] for member, source in members if source in alarm}
    data |= {"recentDatapoints": [point.value for point in reversed(real)], "threshold": alarm["Threshold"]}
    return {**data, "evaluatedDatapoints": [_evaluated(point) for point in points]}


def _evaluated(point: Datapoint) -> dict[str, Any]:
    told: dict[str, Any] = {"timestamp": moment(point.time)}
    return told if point.value is None else {**told, "sampleCount": float(point.samples), "value": point.value}


def composite_data(children: Sequence[tuple[str, str, float]]) -> str:
    """``StateReasonData`` of a composite alarm: the ARNs, states and times of change of the alarms that led to it."""
    triggering = [{"arn": arn, "state": {"value": state, "timestamp": moment(time)}} for arn, state, time in children]
    while len(text := orjson.dumps({"triggeringAlarms": triggering}).decode()) > LONGEST_DATA:
        triggering.pop()
    return text


def moment(seconds: float) -> str:
    """A time as the JSON of alarms has it: ``2026-11-21T10:00:00.000+0000``."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def day_and_time(seconds: float) -> str:
    """A time as the reasons of composite alarms have it: ``Friday 14 August, 2020 21:54:46 UTC``."""
    return f"{datetime.fromtimestamp(seconds, UTC):%A %d %B, %Y %H:%M:%S} UTC"


def number_text(value: float) -> str:
    """A number as Java writes it: ``5.0``, ``1.0E7``."""
    shortest = repr(float(value))
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return shortest
    places = len(shortest.partition("e")[0].replace("-", "").replace(".", "").strip("0")) - 1
    digits, exponent = f"{value:.{max(places, 1)}e}".split("e")
    return f"{digits}E{int(exponent)}"


def _point(point: Datapoint) -> str:
    assert point.value is not None
    return f"{number_text(point.value)} ({datetime.fromtimestamp(point.time, UTC):%d/%m/%y %H:%M:%S})"


def _counted(number: int, kind: str = "", always: str = "") -> str:
    return f"{number} {kind}datapoint{always or ('' if number == 1 else 's')}"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"
