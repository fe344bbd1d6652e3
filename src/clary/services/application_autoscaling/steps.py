"""What makes no step scaling policy.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepAdjustment.html
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from clary.core.errors import ValidationException

MOST_STEPS = 20


def check_steps(configuration: Mapping[str, Any]) -> None:
    """Refuse a ``StepScalingPolicyConfiguration`` whose steps overlap or leave a gap, with ``ValidationException``."""
    kind, steps = configuration.get("AdjustmentType"), configuration.get("StepAdjustments", [])
    if kind is None:
        raise ValidationException("AdjustmentType is required for a step scaling policy.")
    if not steps:
        raise ValidationException("At least one StepAdjustment is required for a step scaling policy.")
    if len(steps) > MOST_STEPS:
        raise ValidationException(f"A step scaling policy can have at most {MOST_STEPS} step adjustments.")
    if kind == "ExactCapacity" and any(step["ScalingAdjustment"] < 0 for step in steps):
        raise ValidationException("ScalingAdjustment must not be negative for the adjustment type ExactCapacity.")
    if kind != "PercentChangeInCapacity" and "MinAdjustmentMagnitude" in configuration:
        raise ValidationException(f"MinAdjustmentMagnitude is not supported by the adjustment type {kind}.")
    for member in ("Cooldown", "MinAdjustmentMagnitude"):
        if configuration.get(member, 0) < 0:
            raise ValidationException(f"{member} must be greater than or equal to 0.")
    _check_bounds(steps)


def _check_bounds(steps: list[Mapping[str, Any]]) -> None:
    spans = sorted(
        (step.get("MetricIntervalLowerBound", -math.inf), step.get("MetricIntervalUpperBound", math.inf))
        for step in steps
    )
    if any(lower >= upper for lower, upper in spans):
        raise ValidationException("MetricIntervalUpperBound must be greater than MetricIntervalLowerBound.")
    for (_, upper), (lower, _) in pairwise(spans):
        if lower != upper:
            what = "overlap" if lower < upper else "have a gap"
            raise ValidationException(f"The intervals of step adjustments must not {what}.")
    lowest, highest = spans[0][0], spans[-1][1]
    if -math.inf < lowest < 0:
        raise ValidationException(
            "If one step adjustment has a negative lower bound, there must be one with a null lower bound."
        )
    if 0 < highest < math.inf:
        raise ValidationException(
            "If one step adjustment has a positive upper bound, there must be one with a null upper bound."
        )
