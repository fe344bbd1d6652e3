"""The statistics that can be asked for, by their names.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from clary.core.errors import NotAvailableYet
from clary.state.series_points import Summary

_PERCENTILE = re.compile(r"p(100|\d{1,2}(?:\.\d{1,10})?)")
_LATER = re.compile(r"(?:(?:tm|tc|ts|wm|pr)\d|(?:TM|TC|TS|WM|PR)\(|IQM$)")


class Statistic(NamedTuple):
    """What a summary of values is asked for."""

    name: str
    of: Callable[[Summary], float | None]
    """Its value; ``None`` where it cannot be told."""
    needs_values: bool = False
    """Whether more must be known than count, sum, minimum and maximum."""


STANDARD: Mapping[str, Statistic] = {
    each.name: each
    for each in (
        Statistic("SampleCount", lambda summary: summary.count),
        Statistic("Average", lambda summary: summary.sum / summary.count),
        Statistic("Sum", lambda summary: summary.sum),
        Statistic("Minimum", lambda summary: summary.least),
        Statistic("Maximum", lambda summary: summary.most),
    )
}


def extended(name: str) -> Statistic | None:
    """A percentile such as ``p99.9``; ``None`` if there is no such statistic.

    Raises ``NotAvailableYet`` for what CloudWatch has beside percentiles: trimmed means and their like.
    """
    match = _PERCENTILE.fullmatch(name)
    if match is not None:
        percent = float(match.group(1))
        return Statistic(name, lambda summary: summary.percentile(percent), needs_values=True)
    if _LATER.match(name):
        raise NotAvailableYet(f"The statistic {name[:64]} is not available in Clary yet; percentiles such as p99 are.")
    return None
