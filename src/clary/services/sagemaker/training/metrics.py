"""The last value of every metric that a job reported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def final_metrics(file: Path) -> list[dict[str, Any]]:
    """``FinalMetricDataList``: for each metric its last value and when that was seen, in the order of appearance."""
    last: dict[str, dict[str, Any]] = {}
    if not file.exists():
        return []
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                metric = json.loads(line)
            except ValueError:
                continue  # an agent was killed while it wrote this
            last[metric["name"]] = {
                "MetricName": metric["name"],
                "Value": float(metric["value"]),
                "Timestamp": float(metric["time"]),
            }
    return list(last.values())
