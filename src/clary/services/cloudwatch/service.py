"""CloudWatch's metrics as the platform runs them. Alarms and dashboards are not there yet.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import ServiceApp
from clary.services.cloudwatch.get_data import get_metric_data
from clary.services.cloudwatch.get_statistics import get_metric_statistics
from clary.services.cloudwatch.listing import list_metrics
from clary.services.cloudwatch.put import put_metric_data


def conditions_of(operation: str, params: Mapping[str, Any]) -> Mapping[str, str]:
    """Metrics have no ARN; policies tell by their namespace what may be put.

    Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    return {"cloudwatch:namespace": params["Namespace"]} if operation == "PutMetricData" else {}


SERVICE = ServiceApp(
    "cloudwatch",
    {
        "PutMetricData": put_metric_data,
        "GetMetricStatistics": get_metric_statistics,
        "GetMetricData": get_metric_data,
        "ListMetrics": list_metrics,
    },
    conditions_of=conditions_of,
)
