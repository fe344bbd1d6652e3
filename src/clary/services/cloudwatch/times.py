"""The periods of a time range that are asked for.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
"""

from __future__ import annotations

from datetime import datetime

from clary.core.errors import ServiceError
from clary.services.cloudwatch.errors import InvalidParameterValue

SHORT = (1, 5, 10, 20, 30)
_DAY = 86_400.0


def check_period(period: int, path: str, error: type[ServiceError] = InvalidParameterValue) -> None:
    """Refuse, with ``error``, a period that CloudWatch does not have."""
    if period not in SHORT and period % 60:
        listed = ", ".join(map(str, SHORT))
        raise error(f"The parameter {path} must be one of {listed} or a multiple of 60.")


def first_second(start: datetime, period: int, now: float) -> int:
    """Where the periods begin: the older the start, the rounder, for the points are longer there."""
    seconds = start.timestamp()
    if period < 60:
        step = period
    elif seconds > now - 15 * _DAY:
        step = 60
    else:
        step = 300 if seconds > now - 63 * _DAY else 3_600
    return int(seconds // step) * step


def last_second(end: datetime, period: int) -> int:
    """The second after the last, which belongs to no period; a period that it cuts counts with what is before it."""
    seconds = end.timestamp()
    # Points of whole minutes stand at the minute's start.
    return int(-(-seconds // 1)) if period < 60 else int(-(-seconds // 60)) * 60
