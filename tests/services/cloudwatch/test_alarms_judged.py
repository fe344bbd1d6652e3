"""How the points of an alarm are judged: N of N, M of N, missing points, and the words for it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from clary.services.cloudwatch.alarms.judge import Datapoint, judge
from clary.services.cloudwatch.alarms.reasons import number_text, reason, reason_data

ALARM: dict[str, Any] = {
    "EvaluationPeriods": 3,
    "Threshold": 5.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "Statistic": "Sum",
    "Period": 60,
}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
A, O, I, STAYS = "ALARM", "OK", "INSUFFICIENT_DATA", None  # noqa: E741
MINUTE = 1_700_000_040
"""14 November 2023, 22:14:00 UTC."""


def points(text: str, value: float = 9.0) -> list[Datapoint]:
    """``0 - X``: within the threshold, missing, beyond; as the documentation writes them, the newest last."""
    values = {"0": 1.0, "-": None, "X": value}
    marks = text.split()
    return [
        Datapoint(MINUTE - 60 * age, values[mark], 0.0 if mark == "-" else 2.0)
        for age, mark in enumerate(reversed(marks))
    ]


# The tables of https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html, and what
# their text adds.
@pytest.mark.parametrize(
    ("needed", "text", "states"),
    [
        (3, "0 - X - X", (O, O, O, O)),
        (3, "- - - - 0", (O, O, O, O)),
        (3, "0 - - - -", (O, O, O, O)),
        (3, "- - - - -", (I, STAYS, A, O)),
        (3, "0 X X - X", (A, A, A, A)),
        (3, "- - X - -", (A, STAYS, A, O)),
        (3, "- - - - X", (I, STAYS, A, O)),
        (3, "- - - X -", (I, STAYS, A, O)),
        (3, "X - - - -", (A, STAYS, A, O)),
        (3, "- - - X 0", (O, O, O, O)),
        (3, "X X X X X", (A, A, A, A)),
        (3, "X X 0 X X", (O, O, O, O)),
        (2, "0 - X - X", (A, A, A, A)),
        (2, "0 0 X 0 X", (A, A, A, A)),
        (2, "0 - X - -", (O, O, A, O)),
        (2, "- - - - 0", (O, O, A, O)),
        (2, "- - - X -", (A, STAYS, A, O)),
        (2, "- - - - X", (I, STAYS, A, O)),
        (2, "- - X X -", (A, A, A, A)),
        (1, "- - X - -", (A, A, A, A)),
        (1, "- - 0 0 0", (O, O, O, O)),
        (1, "X X 0 0 0", (O, O, O, O)),
    ],
)
def test_missing_points(needed: int, text: str, states: tuple[str | None, ...]) -> None:
    for treatment, state in zip(TREATMENTS, states, strict=True):
        alarm = {**ALARM, "DatapointsToAlarm": needed, "TreatMissingData": treatment}
        assert judge(alarm, points(text)).state == state, treatment
    assert judge({**ALARM, "DatapointsToAlarm": needed}, points(text)).state == states[0]


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", O, O, A),
        ("GreaterThanOrEqualToThreshold", O, A, A),
        ("LessThanThreshold", A, O, O),
        ("LessThanOrEqualToThreshold", A, A, O),
    ],
)
def test_comparisons(comparison: str, below: str, equal: str, above: str) -> None:
    alarm = {**ALARM, "EvaluationPeriods": 1, "ComparisonOperator": comparison}
    for value, state in ((4.0, below), (5.0, equal), (6.0, above)):
        assert judge(alarm, [Datapoint(0, value, 1)]).state == state


@pytest.mark.parametrize(
    ("members", "text", "words"),
    [
        (
            {},
            "0 0 X X X",
            "Threshold Crossed: 3 datapoints [9.0 (14/11/23 22:14:00), 9.0 (14/11/23 22:13:00), "
            "9.0 (14/11/23 22:12:00)] were greater than the threshold (5.0).",
        ),
        (
            {"EvaluationPeriods": 1},
            "- - 0",
            "Threshold Crossed: 1 datapoint [1.0 (14/11/23 22:14:00)] was not greater than the threshold (5.0).",
        ),
        (
            {"EvaluationPeriods": 1, "DatapointsToAlarm": 1, "ComparisonOperator": "LessThanOrEqualToThreshold"},
            "- - 0",
            "Threshold Crossed: 1 out of the last 1 datapoints [1.0 (14/11/23 22:14:00)] was less than or equal to the "
            "threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
        ),
        (
            {"DatapointsToAlarm": 2},
            "0 0 X 0 X",
            "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (14/11/23 22:14:00), 9.0 (14/11/23 22:12:00)] were "
            "greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition).",
        ),
        (
            {"DatapointsToAlarm": 3, "EvaluationPeriods": 5},
            "0 0 0 X 0 X 0",
            "Threshold Crossed: 3 out of the last 5 datapoints [1.0 (14/11/23 22:14:00), 1.0 (14/11/23 22:12:00), "
            "1.0 (14/11/23 22:10:00)] were not greater than the threshold (5.0) (minimum 3 datapoints for ALARM -> OK "
            "transition).",
        ),
        (
            {"TreatMissingData": "breaching", "EvaluationPeriods": 2},
            "- - - -",
            "Threshold Crossed: no datapoints were received for 2 periods and 2 missing datapoints were treated as "
            "[Breaching].",
        ),
        (
            {"TreatMissingData": "notBreaching", "EvaluationPeriods": 1},
            "- - -",
            "Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as "
            "[NonBreaching].",
        ),
        (
            {"TreatMissingData": "breaching"},
            "- - - - 0",
            "Threshold Crossed: 1 datapoint [1.0 (14/11/23 22:14:00)] was not greater than the threshold (5.0) and 2 "
            "missing datapoints were treated as [Breaching].",
        ),
        (
            {"TreatMissingData": "breaching", "DatapointsToAlarm": 2},
            "- - - - 0",
            "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing datapoints were treated as "
            "[Breaching].",
        ),
        ({}, "- - - - -", "Insufficient Data: 3 datapoints were unknown."),
        ({"EvaluationPeriods": 1}, "- - -", "Insufficient Data: 1 datapoint was unknown."),
        (
            {"DatapointsToAlarm": 3},
            "- - X - -",
            "Threshold Crossed: 1 out of the last 3 datapoints [9.0 (14/11/23 22:12:00)] was greater than the "
            "threshold (5.0) (minimum 3 datapoints for OK -> ALARM transition).",
        ),
        (
            {"EvaluationPeriods": 6},
            "X X X X X X X X",
            "Threshold Crossed: 6 datapoints were greater than the threshold (5.0). The most recent datapoints which "
            "crossed the threshold: [9.0 (14/11/23 22:14:00), 9.0 (14/11/23 22:13:00), 9.0 (14/11/23 22:12:00), "
            "9.0 (14/11/23 22:11:00), 9.0 (14/11/23 22:10:00)].",
        ),
    ],
)
def test_reasons(members: dict[str, Any], text: str, words: str) -> None:
    alarm = {**ALARM, **members}
    assert reason(alarm, judge(alarm, points(text))) == words


def test_data_of_reasons() -> None:
    alarm = {**ALARM, "Unit": "Count", "TreatMissingData": "breaching"}
    data = orjson.loads(reason_data(alarm, judge(alarm, points("- - X - X")), MINUTE + 65.25))
    assert data == {
        "version": "1.0",
        "queryDate": "2023-11-14T22:15:05.250+0000",
        "startDate": "2023-11-14T22:12:00.000+0000",
        "unit": "Count",
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [9.0, 9.0],
        "threshold": 5.0,
        "evaluatedDatapoints": [
            {"timestamp": "2023-11-14T22:14:00.000+0000", "sampleCount": 2.0, "value": 9.0},
            {"timestamp": "2023-11-14T22:13:00.000+0000"},
            {"timestamp": "2023-11-14T22:12:00.000+0000", "sampleCount": 2.0, "value": 9.0},
        ],
    }
    many = {**ALARM, "EvaluationPeriods": 1_440}
    assert len(reason_data(many, judge(many, points("X " * 1_442)), MINUTE)) <= 4_000


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5.0"),
        (0, "0.0"),
        (-0.5, "-0.5"),
        (0.35220499833424884, "0.35220499833424884"),
        (20_000, "20000.0"),
        (9_999_999.5, "9999999.5"),
        (1e7, "1.0E7"),
        (1.25e21, "1.25E21"),
        (0.00012, "1.2E-4"),
        (-3e-7, "-3.0E-7"),
    ],
)
def test_numbers_as_java_writes_them(value: float, text: str) -> None:
    assert number_text(value) == text
