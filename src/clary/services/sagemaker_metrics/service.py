"""SageMaker Metrics as one service.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Metrics_Service.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, ServiceApp
from clary.services.sagemaker.experiments.api import trial_components
from clary.services.sagemaker_metrics.get import batch_get_metrics
from clary.services.sagemaker_metrics.put import batch_put_metrics


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str | tuple[str, ...]:
    """The trial component that values are of, or the resources that queries are about."""
    if operation == "BatchPutMetrics":
        return trial_components.arn_of(context, params)
    return tuple({query["ResourceArn"]: None for query in params["MetricQueries"]})


SERVICE = ServiceApp(
    "sagemaker-metrics",
    {"BatchPutMetrics": batch_put_metrics, "BatchGetMetrics": batch_get_metrics},
    resource_of=resource_of,
    action_prefix="sagemaker",
)
