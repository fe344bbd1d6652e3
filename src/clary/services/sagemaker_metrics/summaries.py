"""What all values of a metric come to, kept up to date with every value.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrialComponentMetricSummary.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from clary.state.metrics import Measurement

Summary = dict[str, Any]
"""A ``TrialComponentMetricSummary``; its standard deviation is that of the values themselves."""


def summarized(summaries: Iterable[Summary], source: str, values: Iterable[Measurement]) -> list[Summary]:
    """``summaries`` with further values that were measured of ``source``, an ARN; new metrics come last."""
    found = {(each["MetricName"], each["SourceArn"]): dict(each) for each in summaries}
    for value in values:
        key = (value.name, source)
        found[key] = _with(found[key], value) if key in found else _first(source, value)
    return list(found.values())


def _first(source: str, value: Measurement) -> Summary:
    same = dict.fromkeys(("Max", "Min", "Last", "Avg"), value.value)
    named = {"MetricName": value.name, "SourceArn": source, "TimeStamp": value.time}
    return {**named, **same, "Count": 1, "StdDev": 0.0}


def _with(summary: Summary, value: Measurement) -> Summary:
    count = summary["Count"] + 1
    # Welford's way, which loses no digits however many values there are.
    apart = value.value - summary["Avg"]
    mean = summary["Avg"] + apart / count
    squares = summary["StdDev"] ** 2 * summary["Count"] + apart * (value.value - mean)
    newest = value.time >= summary["TimeStamp"]
    return {
        **summary,
        "TimeStamp": value.time if newest else summary["TimeStamp"],
        "Last": value.value if newest else summary["Last"],
        "Max": max(summary["Max"], value.value),
        "Min": min(summary["Min"], value.value),
        "Count": count,
        "Avg": mean,
        "StdDev": math.sqrt(max(squares, 0.0) / count),
    }
