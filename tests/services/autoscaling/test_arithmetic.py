"""How many instances policies ask for, and when schedules are due: tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clary.core.errors import ValidationException
from clary.services.application_autoscaling.arithmetic import aggregated, proportional, stepped
from clary.services.application_autoscaling.schedule import read_schedule


@pytest.mark.parametrize(
    ("capacity", "value", "target", "count"),
    [
        (1, 150, 100, 2),
        (1, 200, 100, 2),
        (1, 201, 100, 3),
        (4, 150, 100, 6),
        (3, 110, 100, 4),
        (10, 89, 100, 9),
        (2, 89, 100, 2),
        (5, 0, 100, 0),
        (3, 0.7, 0.1, 21),
        (7, 70, 70, 7),
    ],
)
def test_proportional(capacity: int, value: float, target: float, count: int) -> None:
    assert proportional(capacity, value, target) == count


def steps(*bounds: tuple[float | None, float | None, int]) -> list[dict[str, Any]]:
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    return [
        {**{name: value for name, value in zip(names, each, strict=False) if value is not None},
         "ScalingAdjustment": each[2]}
        for each in bounds
    ]  # fmt: skip


OUT = steps((0, 10, 1), (10, 20, 2), (20, None, 5))
IN = steps((-10, 0, -1), (None, -10, -2))


# The tables of https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
@pytest.mark.parametrize(
    ("kind", "bounds", "above", "distance", "least", "count"),
    [
        ("ChangeInCapacity", OUT, True, 0, None, 11),
        ("ChangeInCapacity", OUT, True, 9.9, None, 11),
        ("ChangeInCapacity", OUT, True, 10, None, 12),
        ("ChangeInCapacity", OUT, True, 20, None, 15),
        ("ChangeInCapacity", OUT, True, -1, None, None),
        ("ChangeInCapacity", IN, False, -1, None, 9),
        ("ChangeInCapacity", IN, False, 0, None, 9),
        ("ChangeInCapacity", IN, False, -9.9, None, 9),
        ("ChangeInCapacity", IN, False, -10, None, 8),
        ("ChangeInCapacity", IN, False, 1, None, None),
        ("ExactCapacity", steps((0, None, 3)), True, 5, None, 3),
        ("PercentChangeInCapacity", steps((0, None, 10)), True, 5, None, 11),
        ("PercentChangeInCapacity", steps((0, None, 15)), True, 5, None, 11),
        ("PercentChangeInCapacity", steps((0, None, 1)), True, 5, None, 11),
        ("PercentChangeInCapacity", steps((0, None, 10)), True, 5, 3, 13),
        ("PercentChangeInCapacity", steps((None, 0, -1)), False, -5, None, 9),
        ("PercentChangeInCapacity", steps((None, 0, -66)), False, -5, None, 4),
        ("PercentChangeInCapacity", steps((None, 0, -66)), False, -5, 8, 2),
        ("PercentChangeInCapacity", steps((None, 0, 0)), False, -5, 8, 10),
    ],
)
def test_steps(
    kind: str, bounds: list[dict[str, Any]], above: bool, distance: float, least: int | None, count: int | None
) -> None:
    configuration = {"AdjustmentType": kind, "StepAdjustments": bounds}
    if least is not None:
        configuration["MinAdjustmentMagnitude"] = least
    assert stepped(configuration, 10, above, distance) == count


def test_what_values_come_to() -> None:
    values = [1.0, 2.0, 6.0]
    assert aggregated({}, values) == aggregated({"MetricAggregationType": "Average"}, values) == 3
    assert aggregated({"MetricAggregationType": "Minimum"}, values) == 1
    assert aggregated({"MetricAggregationType": "Maximum"}, values) == 6


def moment(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("0 10 * * ? *", "2026-03-04T09:00", "2026-03-04T10:00"),
        ("0 10 * * ? *", "2026-03-04T10:00", "2026-03-05T10:00"),
        ("15 12 * * ? *", "2026-12-31T12:15", "2027-01-01T12:15"),
        ("0 18 ? * MON-FRI *", "2026-11-20T18:00", "2026-11-23T18:00"),
        ("0 8 1 * ? *", "2026-11-21T00:00", "2026-12-01T08:00"),
        ("0/15 * * * ? *", "2026-11-21T10:16", "2026-11-21T10:30"),
        ("0/15 * * * ? *", "2026-11-21T23:46", "2026-11-22T00:00"),
        ("*/10 * ? * MON-FRI *", "2026-11-21T10:16", "2026-11-23T00:00"),
        ("0/5 8-17 ? * MON-FRI *", "2026-11-20T17:55", "2026-11-23T08:00"),
        ("30 6 ? * 2 *", "2026-11-21T00:00", "2026-11-23T06:30"),
        ("0 0 ? * SAT,SUN *", "2026-11-20T00:00", "2026-11-21T00:00"),
        ("0 0 ? * FRI-MON *", "2026-11-17T00:00", "2026-11-20T00:00"),
        ("0 0 L * ? *", "2027-02-01T00:00", "2027-02-28T00:00"),
        ("0 0 L 2 ? *", "2027-03-01T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 ? *", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 15W * ? *", "2026-11-01T00:00", "2026-11-16T00:00"),
        ("0 0 1W * ? *", "2026-08-01T00:00", "2026-08-03T00:00"),
        ("0 0 31W 5 ? *", "2026-05-01T00:00", "2026-05-29T00:00"),
        ("0 0 LW * ? *", "2026-10-31T00:00", "2026-11-30T00:00"),
        ("0 0 ? * 6L *", "2026-11-01T00:00", "2026-11-27T00:00"),
        ("0 0 ? * L *", "2026-11-01T00:00", "2026-11-07T00:00"),
        ("0 0 ? * 3#2 *", "2026-11-01T00:00", "2026-11-10T00:00"),
        ("0 0 ? * MON#5 *", "2026-11-01T00:00", "2026-11-30T00:00"),
        ("0 0 1 JAN,JUL ? *", "2026-02-01T00:00", "2026-07-01T00:00"),
        ("0 0 1 1 ? 2030-2040/5", "2031-02-01T00:00", "2035-01-01T00:00"),
        ("0 12 * * ? 2025", "2026-02-01T00:00", None),
        ("0 0 31 2 ? *", "2026-02-01T00:00", None),
    ],
)
def test_cron(expression: str, after: str, due: str | None) -> None:
    schedule = read_schedule(f"cron({expression})", None)
    assert schedule.following(moment(after), 0.0, None, None) == (None if due is None else moment(due))


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-06-01T00:00", "2026-06-01T02:30"),
        # Clocks are put forward from two to three: there is no half past two that day.
        ("2026-03-28T03:00", "2026-03-30T02:30"),
        # And back from three to two: the first half past two counts.
        ("2026-10-25T00:00", "2026-10-25T02:30"),
    ],
)
def test_cron_in_a_time_zone(after: str, due: str) -> None:
    schedule = read_schedule("cron(30 2 * * ? *)", "Europe/Berlin")
    found = schedule.following(moment(after, "Europe/Berlin"), 0.0, None, None)
    assert found == moment(due, "Europe/Berlin")
    if due.startswith("2026-10-25"):
        assert found is not None
        following = schedule.following(found, 0.0, None, None)
        assert following == moment("2026-10-26T02:30", "Europe/Berlin")


@pytest.mark.parametrize(
    ("schedule", "after", "start", "end", "due"),
    [
        ("rate(1 minute)", 1_000, None, None, 1_060),
        ("rate(5 minutes)", 1_299, None, None, 1_300),
        ("rate(5 minutes)", 1_300, None, None, 1_600),
        ("rate(1 hour)", 1_000, 5_000, None, 5_000),
        ("rate(1 hour)", 5_000, 5_000, None, 8_600),
        ("rate(2 days)", 1_000, None, 100_000, None),
        ("cron(0 0 * * ? *)", 1_000, 5_000, None, 5_000),
        ("cron(0 0 * * ? *)", 5_000, 5_000, None, 86_400),
        ("cron(0 0 * * ? *)", 5_000, 5_000, 86_399, None),
        ("at(1970-01-01T00:30:00)", 1_000, None, None, 1_800),
        ("at(1970-01-01T00:30:00)", 1_800, None, None, None),
    ],
)
def test_at_rate_start_and_end(
    schedule: str, after: float, start: float | None, end: float | None, due: float | None
) -> None:
    assert read_schedule(schedule, None).following(after, 1_000, start, end) == due


def test_at_in_a_time_zone() -> None:
    schedule = read_schedule("at(2026-07-01T12:00:00)", "America/New_York")
    assert schedule.following(0.0, 0.0, None, None) == moment("2026-07-01T16:00")


@pytest.mark.parametrize(
    "schedule",
    [
        "daily", "at(now)", "at(2026-07-01)", "rate(0 minutes)", "rate(1 minutes)", "rate(2 hour)", "rate(5 weeks)",
        "rate(5)", "cron()", "cron(0 0 * * *)", "cron(0 0 * * * *)", "cron(0 0 ? * ? *)", "cron(60 0 * * ? *)",
        "cron(0 24 * * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 * 13 ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * MON#6 *)",
        "cron(0 0 * * ? 1969)", "cron(*/0 0 * * ? *)", "cron(x 0 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 ? * XL *)",
    ],
)  # fmt: skip
def test_what_is_no_schedule(schedule: str) -> None:
    with pytest.raises(ValidationException):
        read_schedule(schedule, None)


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc/passwd", "/etc/localtime"])
def test_what_is_no_time_zone(zone: str) -> None:
    with pytest.raises(ValidationException, match="is not supported"):
        read_schedule("rate(1 hour)", zone)
