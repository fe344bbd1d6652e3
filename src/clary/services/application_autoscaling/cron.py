"""Cron expressions with six fields: minutes, hours, day of month, month, day of week, year.

Reference: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1970, 2199
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
Matches = Callable[[date], bool]


@dataclass(frozen=True)
class Cron:
    """An expression that was read."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    day: Matches
    """Whether it is due on a day of a month in which it is."""

    def following(self, after: float, zone: ZoneInfo) -> float | None:
        """The first time after ``after`` at which the clocks of ``zone`` show what the expression says.

        A time that the clocks leave out when they are put forward is left out; of one that they show twice, the first
        counts. ``None`` if there is none any more.
        """
        begin = datetime.fromtimestamp(after, zone).date()
        for day in self._days(begin):
            for hour in self.hours:
                for minute in self.minutes:
                    at = datetime.combine(day, time(hour, minute), zone)
                    seconds = at.timestamp()
                    exists = datetime.fromtimestamp(seconds, UTC).astimezone(zone).replace(tzinfo=None)
                    if seconds > after and exists == at.replace(tzinfo=None):
                        return seconds
        return None

    def _days(self, begin: date) -> Iterator[date]:
        for year in range(max(begin.year, FIRST_YEAR), LAST_YEAR + 1):
            if year not in self.years:
                continue
            for month in sorted(self.months):
                if (year, month) < (begin.year, begin.month):
                    continue
                for number in range(1, calendar.monthrange(year, month)[1] + 1):
                    day = date(year, month, number)
                    if day >= begin and self.day(day):
                        yield day


def read_cron(text: str) -> Cron:
    """What the text between the parentheses of ``cron(...)`` says. Raises ``ValueError`` if it is none."""
    fields = text.upper().split()
    if len(fields) != 6:
        raise ValueError("there must be six fields")
    minutes, hours, of_month, months, of_week, years = fields
    if (of_month == "?") == (of_week == "?"):
        raise ValueError("one of day of month and day of week must be ?")
    return Cron(
        minutes=tuple(sorted(_numbers(minutes, 0, 59))),
        hours=tuple(sorted(_numbers(hours, 0, 23))),
        months=frozenset(_numbers(months, 1, 12, _MONTHS)),
        years=frozenset(_numbers(years, FIRST_YEAR, LAST_YEAR)),
        day=_of_month(of_month) if of_week == "?" else _of_week(of_week),
    )


def _numbers(field: str, least: int, most: int, names: tuple[str, ...] = ()) -> set[int]:
    """The numbers of a field: ``*``, ``5``, ``1-5``, ``*/10``, ``0/15``, ``MON-FRI``, and several with commas."""

    def number(text: str) -> int:
        value = names.index(text) + least if text in names else int(text) if text.isdecimal() else -1
        if not least <= value <= most:
            raise ValueError(f"{text} is not between {least} and {most}")
        return value

    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch(r"[1-9]\d{0,3}", step):
            raise ValueError(f"{part} has no step")
        if span == "*":
            begin, end = least, most
        elif "-" in span:
            begin, end = (number(each) for each in span.split("-", 1))
        else:
            begin = number(span)
            end = most if slash else begin
        if begin <= end:
            found.update(range(begin, end + 1, int(step or 1)))
        else:
            # Over the end of the week or the year: FRI-MON.
            found.update([*range(begin, most + 1), *range(least, end + 1)][:: int(step or 1)])
    return found


def _last(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


def _of_month(field: str) -> Matches:
    """``L`` is the last day of the month, ``15W`` the working day next to the 15th, ``LW`` the last working day."""
    if field == "L":
        return lambda day: day.day == _last(day)
    if field == "LW":
        return lambda day: day.day == _working(day, _last(day))
    if match := re.fullmatch(r"(\d{1,2})W", field):
        [wanted] = _numbers(match[1], 1, 31)
        return lambda day: wanted <= _last(day) and day.day == _working(day, wanted)
    numbers = _numbers(field, 1, 31)
    return lambda day: day.day in numbers


def _working(month: date, number: int) -> int:
    """The working day of a month that is next to a day of it."""
    day = month.replace(day=number)
    shift = {5: -1, 6: 1}.get(day.weekday(), 0)
    moved = day + timedelta(days=shift)
    if moved.month == day.month:
        return moved.day
    return (day + timedelta(days=2 if shift < 0 else -2)).day


def _of_week(field: str) -> Matches:
    """Sunday is 1; ``6L`` is the last Friday of a month, ``6#3`` its third."""
    if field == "L":
        field = "7"
    if match := re.fullmatch(r"(\w+)L", field):
        [wanted] = _numbers(match[1], 1, 7, _DAYS)
        return lambda day: _weekday(day) == wanted and day.day + 7 > _last(day)
    if match := re.fullmatch(r"(\w+)#([1-5])", field):
        [wanted] = _numbers(match[1], 1, 7, _DAYS)
        week = int(match[2])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // 7 + 1 == week
    numbers = _numbers(field, 1, 7, _DAYS)
    return lambda day: _weekday(day) in numbers


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1
