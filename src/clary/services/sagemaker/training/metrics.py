"""What a job reported of its metrics: all values, and the last of each."""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from clary.services.sagemaker_metrics.api import Measurement


def together(known: Sequence[Mapping[str, str]], given: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """The ``MetricDefinitions`` of an algorithm and those of a request, which may repeat them: whoever takes a request
    from another job's description gives the algorithm's own too."""
    names = {each["Name"] for each in given}
    return [*(each for each in known if each["Name"] not in names), *given]


def measured(files: Sequence[Path]) -> Iterator[Measurement]:
    """The values that the hosts of a job reported, in the order of their times; the steps of each metric are counted
    from 0."""
    steps: Counter[str] = Counter()
    for metric in _in_order(files):
        value = float(metric["value"])
        if math.isfinite(value):
            yield Measurement(metric["name"], float(metric["time"]), steps[metric["name"]], value)
        steps[metric["name"]] += 1


def final_metrics(files: Sequence[Path]) -> list[dict[str, Any]]:
    """``FinalMetricDataList``: for each metric its last value and when that was seen, in the order of appearance."""
    last: dict[str, dict[str, Any]] = {}
    for metric in _in_order(files):
        last[metric["name"]] = {
            "MetricName": metric["name"],
            "Value": float(metric["value"]),
            "Timestamp": float(metric["time"]),
        }
    return list(last.values())


def _in_order(files: Sequence[Path]) -> Iterable[dict[str, Any]]:
    return heapq.merge(*map(_reported, files), key=lambda metric: float(metric["time"]))


def _reported(file: Path) -> Iterable[dict[str, Any]]:
    if not file.exists():
        return
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # an agent was killed while it wrote this
