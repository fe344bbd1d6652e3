"""When a schedule is due: its expression in its time zone, between its dates, with the window that it may be late by.

Reference: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from clary.core.errors import ValidationException
from clary.services.application_autoscaling.api import Schedule, read_schedule

PRECISION_SECONDS = 60.0
"""Schedules are kept to the minute, so that a moment of the last minute is not over."""
_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")


def read(document: Mapping[str, Any]) -> Schedule:
    """The expression of a schedule. Raises ``ValidationException``."""
    text, zone = document["ScheduleExpression"], document.get("ScheduleExpressionTimezone")
    if match := _RATE.fullmatch(text):
        # Rules want the singular where it is one; schedules take either.
        text = f"rate({match[1]} {match[2]}{'' if match[1] == '1' else 's'})"
    try:
        return read_schedule(text, zone)
    except ValidationException as error:
        if "Timezone" in error.message:
            raise ValidationException(f"Invalid Schedule Expression Timezone {zone}.") from None
        raise ValidationException(f"Invalid Schedule Expression {document['ScheduleExpression']}.") from None


def check(document: Mapping[str, Any], now: float) -> None:
    """Check what a request says of times. Raises ``ValidationException``."""
    read(document)
    start, end = seconds(document.get("StartDate")), seconds(document.get("EndDate"))
    if end is not None and end <= now:
        raise ValidationException("The EndDate you specify must be in the future.")
    if start is not None and end is not None and end <= start:
        raise ValidationException("The EndDate you specify must be after the StartDate.")
    window = document["FlexibleTimeWindow"]
    if window["Mode"] == "FLEXIBLE" and "MaximumWindowInMinutes" not in window:
        raise ValidationException("A FLEXIBLE time window must have MaximumWindowInMinutes.")
    if window["Mode"] == "OFF" and "MaximumWindowInMinutes" in window:
        raise ValidationException("MaximumWindowInMinutes can only be given with a FLEXIBLE time window.")


def seconds(moment: Any) -> float | None:
    """A date of a request, or as it is kept: seconds since the epoch."""
    return moment.timestamp() if isinstance(moment, datetime) else moment


def first(document: Mapping[str, Any], begun: float) -> float | None:
    """When a schedule that was put at ``begun`` is due first: one with a rate at once, or at its ``StartDate``."""
    return _following(document, begun, begun, at_once=True)


def following(document: Mapping[str, Any], after: float, begun: float) -> float | None:
    """When it is due after that; ``None`` if it is not any more."""
    return _following(document, after, begun)


def _following(document: Mapping[str, Any], after: float, begun: float, at_once: bool = False) -> float | None:
    plan = read(document)
    if plan.at is not None:
        # Neither date counts for it.
        return plan.following(after - PRECISION_SECONDS if at_once else after, begun, None, None)
    start = document.get("StartDate")
    origin = begun if start is None else start
    if at_once or after < origin:
        # The origin is due itself, if the expression says so.
        after = max(after, origin) - 0.001
    return plan.following(after, origin, None, document.get("EndDate"))


def delay(document: Mapping[str, Any]) -> float:
    """How many seconds within its window a schedule is late this time."""
    minutes = document["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0)
    return random.uniform(0, minutes * 60)
