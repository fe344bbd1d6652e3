"""What a job reported of its metrics: all values, and the last of each."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from clary.services.sagemaker_metrics.api import Measurement


def measured(file: Path) -> Iterator[Measurement]:
    """The values in the order in which they were reported; the steps of each metric are counted from 0."""
    steps: Counter[str] = Counter()
    for metric in _reported(file):
        value = float(metric["value"])
        if math.isfinite(value):
            yield Measurement(metric["name"], float(metric["time"]), steps[metric["name"]], value)
        steps[metric["name"]] += 1


def final_metrics(file: Path) -> list[dict[str, Any]]:
    """``FinalMetricDataList``: for each metric its last value and when that was seen, in the order of appearance."""
    last: dict[str, dict[str, Any]] = {}
    for metric in _reported(file):
        last[metric["name"]] = {
            "MetricName": metric["name"],
            "Value": float(metric["value"]),
            "Timestamp": float(metric["time"]),
        }
    return list(last.values())


def _reported(file: Path) -> Iterable[dict[str, Any]]:
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # an agent was killed while it wrote this
