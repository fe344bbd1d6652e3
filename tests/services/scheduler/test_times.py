"""When schedules are due, in time zones whose clocks are put forward and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from clary.core.errors import ValidationException
from clary.services.scheduler import times

OFF = {"Mode": "OFF"}


def at(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def document(expression: str, zone: str = "UTC", **members: Any) -> dict[str, Any]:
    return {
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": zone,
        "FlexibleTimeWindow": OFF,
        **members,
    }


def told(moments: list[float | None], zone: str = "UTC") -> list[str | None]:
    return [m if m is None else datetime.fromtimestamp(m, ZoneInfo(zone)).strftime("%d %H:%M") for m in moments]


def series(document: dict[str, Any], begun: float, count: int) -> list[float | None]:
    found = [times.first(document, begun)]
    while len(found) < count and found[-1] is not None:
        found.append(times.following(document, found[-1], begun))
    return found


BEGUN = at("2026-01-10T12:00:30")


@pytest.mark.parametrize(
    ("expression", "members", "expected"),
    [
        # One with a rate begins at once, or at its start.
        ("rate(5 minutes)", {}, ["10 12:00", "10 12:05", "10 12:10"]),
        ("rate(1 hour)", {}, ["10 12:00", "10 13:00", "10 14:00"]),
        ("rate(1 hours)", {}, ["10 12:00", "10 13:00", "10 14:00"]),
        ("rate(2 days)", {"StartDate": at("2026-01-11T06:00")}, ["11 06:00", "13 06:00", "15 06:00"]),
        ("rate(10 minutes)", {"StartDate": at("2026-01-10T11:55")}, ["10 12:05", "10 12:15", "10 12:25"]),
        ("rate(1 days)", {"EndDate": at("2026-01-12T00:00")}, ["10 12:00", "11 12:00", None]),
        # A cron expression is not due at its start unless it says so.
        ("cron(0 9 * * ? *)", {"StartDate": at("2026-01-12T10:00")}, ["13 09:00", "14 09:00", "15 09:00"]),
        ("cron(0 9 * * ? *)", {"StartDate": at("2026-01-12T09:00")}, ["12 09:00", "13 09:00", "14 09:00"]),
        ("at(2026-01-10T12:30:00)", {}, ["10 12:30", None]),
        # To the minute; what is longer ago is over.
        ("at(2026-01-10T12:00:00)", {}, ["10 12:00", None]),
        ("at(2026-01-10T11:59:00)", {}, [None]),
        ("at(2026-01-10T12:30:00)", {"EndDate": at("2026-01-10T12:10")}, ["10 12:30", None]),
    ],
)
def test_when_it_is_due(expression: str, members: dict[str, Any], expected: list[str | None]) -> None:
    assert told(series(document(expression, **members), BEGUN, 3)) == expected


def test_clocks_that_are_put_forward_leave_a_time_out() -> None:
    zone = "America/New_York"
    found = series(document("cron(30 2 * * ? *)", zone), at("2026-03-07T00:00", zone), 3)
    assert told(found, zone) == ["07 02:30", "09 02:30", "10 02:30"]  # on the 8th there is no half past two


def test_clocks_that_are_put_back_show_a_time_twice_and_it_counts_once() -> None:
    zone = "America/New_York"
    found = series(document("cron(30 1 * * ? *)", zone), at("2026-10-31T00:00", zone), 3)
    assert told(found, zone) == ["31 01:30", "01 01:30", "02 01:30"]
    assert datetime.fromtimestamp(found[1] or 0, UTC).hour == 5  # the first of the two, in summer time


def test_a_moment_is_one_of_the_zone() -> None:
    assert times.first(document("at(2026-07-01T12:00:00)", "Europe/Paris"), BEGUN) == at("2026-07-01T10:00")


def test_a_window_delays_by_no_more_than_it_says() -> None:
    wide = document("rate(1 hour)") | {"FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10}}
    delays = [times.delay(wide) for _ in range(200)]
    assert 0 <= min(delays) < max(delays) <= 600
    assert times.delay(document("rate(1 hour)")) == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ScheduleExpression": "often"}, "Invalid Schedule Expression often."),
        ({"ScheduleExpression": "rate(0 minutes)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "rate(5 seconds)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "cron(0 9 * * * *)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpression": "at(tomorrow)"}, "Invalid Schedule Expression"),
        ({"ScheduleExpressionTimezone": "Mars/Base"}, "Invalid Schedule Expression Timezone Mars/Base."),
        ({"ScheduleExpressionTimezone": "../../etc/passwd"}, "Invalid Schedule Expression Timezone"),
        ({"EndDate": datetime.fromtimestamp(BEGUN - 1, UTC)}, "EndDate you specify must be in the future"),
        (
            {"StartDate": datetime(2027, 1, 2, tzinfo=UTC), "EndDate": datetime(2027, 1, 1, tzinfo=UTC)},
            "must be after the StartDate",
        ),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "must have MaximumWindowInMinutes"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "only be given with a FLEXIBLE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException, match=message):
        times.check(document("rate(1 hour)") | changes, BEGUN)
