"""What DeepAR knows of time: the features of each point, and how far it looks back.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar_how-it-works.html#deepar_under-the-hood
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np

Array = Any
Frequency = tuple[int, str]
"""How many of which unit: ``(5, "min")``."""

MINUTES = {"min": 1, "H": 60, "D": 1440, "W": 10080}
CYCLES = {"min": (60, 1440, 10080), "H": (1440, 10080), "D": (10080, 43200, 524160), "W": (40320, 131040, 524160)}
"""Minutes after which things are alike: hour, day, week, month of 30 days or of 4 weeks, quarter, year of 52 weeks."""
TIMES = {60: 3, 1440: 3, 10080: 4, 43200: 1, 40320: 2, 131040: 2, 524160: 3}
"""How often each cycle is looked back."""
MONTHS = (3, 6, 12, 24, 36)
RECENT = 7


def lags(frequency: Frequency, longest: int) -> Array:
    """How many steps before a point lie the ones that the network is shown: ascending, at most ``longest``, int64.

    The last seven points, and those about one or several cycles ago: for days one to four weeks, a month, a year.
    """
    count, unit = frequency
    found = set(range(1, RECENT + 1))
    if unit == "M":
        steps = {months // count for months in MONTHS if months % count == 0}
    else:
        minutes = count * MINUTES[unit]
        steps = {round(cycle * times / minutes) for cycle in CYCLES[unit] for times in range(1, TIMES[cycle] + 1)}
    found |= {step + near for step in steps for near in (-1, 0, 1)}
    return np.array([lag for lag in sorted(found) if 1 <= lag <= max(1, longest)], np.int64)


def season(frequency: Frequency) -> int:
    """The steps of the cycle that is usual for a frequency: an hour, a day, a week, or a year; at least 1."""
    count, unit = frequency
    cycle = {"min": 1440, "H": 1440, "D": 10080, "W": 524160}
    return max(1, round(12 / count if unit == "M" else cycle[unit] / (count * MINUTES[unit])))


def time_features(start: datetime, frequency: Frequency, first: int, last: int) -> Array:
    """The features of the points ``first`` to ``last`` - 1, counted from ``start``: (points, features), -0.5 to 0.5."""
    count, unit = frequency
    steps = np.arange(first, last) * count
    if unit == "M":
        return (((start.month - 1 + steps) % 12) / 11 - 0.5)[:, None].astype(np.float32)
    moments = np.datetime64(start, "m") + steps * np.timedelta64(MINUTES[unit], "m")
    days = moments.astype("datetime64[D]")
    of_month = (days - moments.astype("datetime64[M]").astype("datetime64[D]")).astype(int) / 30 - 0.5
    of_year = (days - moments.astype("datetime64[Y]").astype("datetime64[D]")).astype(int) / 365 - 0.5
    of_week = (days.astype(int) + 3) % 7 / 6 - 0.5  # 1970-01-01 was a Thursday
    minutes = (moments - days.astype("datetime64[m]")).astype(int)
    features = {
        "min": (minutes % 60 / 59 - 0.5, minutes // 60 / 23 - 0.5, of_week, of_month, of_year),
        "H": (minutes // 60 / 23 - 0.5, of_week, of_month, of_year),
        "D": (of_week, of_month, of_year),
        "W": (of_month, of_year),
    }[unit]
    return np.stack(features, axis=1).astype(np.float32)
