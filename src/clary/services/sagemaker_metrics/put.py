"""``BatchPutMetrics``: values of a trial component's metrics.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_metrics_BatchPutMetrics.html
"""

from __future__ import annotations

import math
from typing import Any

from clary.resources.context import Context
from clary.services.sagemaker.experiments.api import trial_components
from clary.services.sagemaker_metrics.summaries import summarized
from clary.state.metrics import Measurement

OLDEST_SECONDS = 14 * 86_400.0
NEWEST_SECONDS = 2 * 3_600.0
"""How far from now a metric's time may lie in the past and in the future."""
MOST_METRICS = 1_000
"""How many metrics a trial component may have."""


def batch_put_metrics(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchPutMetrics``: keep the values that are valid, and tell which are not."""
    now = context.platform.clock()
    errors: dict[int, str] = {}
    values: list[Measurement] = []
    with context.platform.database.write() as transaction:
        component = transaction.get(trial_components.key(context, params["TrialComponentName"]))
        summaries = component.document.get("Metrics", []) if component is not None else []
        names = {each["MetricName"] for each in summaries}
        for index, given in enumerate(params["MetricData"]):
            value = Measurement(given["MetricName"], given["Timestamp"].timestamp(), given.get("Step"), given["Value"])
            if component is None or not _is_valid(value, now):
                errors[index] = "VALIDATION_ERROR"
            elif value.name not in names and len(names) >= MOST_METRICS:
                errors[index] = "METRIC_LIMIT_EXCEEDED"
            else:
                names.add(value.name)
                values.append(value)
        if component is not None and values:
            transaction.metrics.add(component.id, values)
            component.document = {**component.document, "Metrics": summarized(summaries, component.arn, values)}
            transaction.update(component)
    if not errors:
        return {}
    return {"Errors": [{"Code": code, "MetricIndex": index} for index, code in errors.items()]}


def _is_valid(value: Measurement, now: float) -> bool:
    return math.isfinite(value.value) and now - OLDEST_SECONDS <= value.time <= now + NEWEST_SECONDS
