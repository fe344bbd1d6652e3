"""How many instances a policy asks for.

Reference: https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

_TINY = 1e-9
"""Divisions are not exact; what lacks so little is there."""


def proportional(capacity: int, value: float, target: float) -> int:
    """The capacity with which a metric per unit of capacity, which is ``value`` now, is at most ``target``."""
    return math.ceil(capacity * value / target - _TINY)


def stepped(configuration: Mapping[str, Any], capacity: int, above: bool, distance: float) -> int | None:
    """The capacity after the step for a metric that is ``distance`` from its alarm's threshold.

    ``configuration`` is a ``StepScalingPolicyConfiguration``; ``above`` says whether the alarm goes off above its
    threshold. ``None`` if there is no step for that.
    """
    step = _step(configuration["StepAdjustments"], above, distance)
    if step is None:
        return None
    adjustment: int = step["ScalingAdjustment"]
    kind = configuration["AdjustmentType"]
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return capacity + adjustment
    change = _whole(capacity * adjustment / 100)
    least = configuration.get("MinAdjustmentMagnitude", 0)
    if adjustment and abs(change) < least:
        change = least if adjustment > 0 else -least
    return capacity + change


def _whole(change: float) -> int:
    """A percentage as instances: towards zero, but at least one."""
    if 0 < abs(change) < 1:
        return 1 if change > 0 else -1
    return math.trunc(change + math.copysign(_TINY, change))


def _step(steps: Sequence[Mapping[str, Any]], above: bool, distance: float) -> Mapping[str, Any] | None:
    """Above a threshold the lower bound belongs to a step, below it the upper one does."""
    for step in steps:
        lower = step.get("MetricIntervalLowerBound", -math.inf)
        upper = step.get("MetricIntervalUpperBound", math.inf)
        if (lower <= distance < upper) if above else (lower < distance <= upper):
            return step
    return None


def aggregated(configuration: Mapping[str, Any], values: Sequence[float]) -> float:
    """What the values that an alarm is judged by come to, as a ``StepScalingPolicyConfiguration`` says."""
    kind = configuration.get("MetricAggregationType", "Average")
    if kind == "Minimum":
        return min(values)
    return max(values) if kind == "Maximum" else sum(values) / len(values)
