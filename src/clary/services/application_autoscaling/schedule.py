"""The schedules of scheduled actions: ``at(...)``, ``rate(...)`` and ``cron(...)``, and when they are due next.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clary.core.errors import ValidationException
from clary.services.application_autoscaling.cron import Cron, read_cron

_SCHEDULE = re.compile(r"(at|rate|cron)\((.*)\)")
_RATE = re.compile(r"([1-9]\d{0,5}) (minute|hour|day)(s?)")
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


@dataclass(frozen=True)
class Schedule:
    """A schedule that was read: a moment, a rate in seconds, or a cron expression."""

    zone: ZoneInfo
    at: float | None = None
    every: int | None = None
    cron: Cron | None = None

    def following(self, after: float, begin: float, start: float | None, end: float | None) -> float | None:
        """The first time after ``after`` at which it is due; ``None`` if there is none.

        A rate counts from ``begin``, when it was put. With a ``start`` it is due then, and as it says from then on;
        after ``end`` it is due no more. A schedule for one moment has neither.
        """
        if self.at is not None:
            return self.at if self.at > after else None
        if start is not None and start > after:
            found: float | None = start
        elif self.every is not None:
            origin = begin if start is None else start
            found = origin + ((after - origin) // self.every + 1) * self.every
        else:
            assert self.cron is not None
            found = self.cron.following(after, self.zone)
        return found if found is None or end is None or found <= end else None


@lru_cache(maxsize=1024)
def read_schedule(text: str, zone: str | None) -> Schedule:
    """What ``Schedule`` and ``Timezone`` say. Raises ``ValidationException`` if that is no schedule."""
    try:
        place = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationException(f"Timezone {zone} is not supported.") from None
    match = _SCHEDULE.fullmatch(text)
    if match is None:
        raise _unsupported(text, "it must be at(...), rate(...) or cron(...)")
    kind, inner = match.groups()
    if kind == "at":
        try:
            moment = datetime.strptime(inner, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=place)
        except ValueError:
            raise _unsupported(text, "the time must have the form yyyy-mm-ddThh:mm:ss") from None
        return Schedule(place, at=moment.timestamp())
    if kind == "rate":
        rate = _RATE.fullmatch(inner)
        if rate is None or (rate[1] == "1") == bool(rate[3]):
            raise _unsupported(text, "the rate must have the form 1 minute, or 2 hours")
        return Schedule(place, every=int(rate[1]) * _SECONDS[rate[2]])
    try:
        return Schedule(place, cron=read_cron(inner))
    except ValueError as error:
        raise _unsupported(text, str(error)) from None


def _unsupported(text: str, why: str) -> ValidationException:
    return ValidationException(f"Schedule expression {text} is not valid: {why}.")
