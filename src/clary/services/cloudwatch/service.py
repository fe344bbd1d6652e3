"""CloudWatch's metrics and alarms as the platform runs them. Dashboards are not there yet.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.grammar import Operations
from clary.services.cloudwatch.alarms.operations import OPERATIONS as ALARMS
from clary.services.cloudwatch.alarms.operations import subject_of
from clary.services.cloudwatch.alarms.records import ACTIONS, KIND
from clary.services.cloudwatch.alarms.tagging import tag_handlers
from clary.services.cloudwatch.alarms.watch import watch
from clary.services.cloudwatch.get_data import get_metric_data
from clary.services.cloudwatch.get_statistics import get_metric_statistics
from clary.services.cloudwatch.listing import list_metrics
from clary.services.cloudwatch.put import put_metric_data

METRICS: Mapping[str, Handler] = {
    "PutMetricData": put_metric_data,
    "GetMetricStatistics": get_metric_statistics,
    "GetMetricData": get_metric_data,
    "ListMetrics": list_metrics,
}


def conditions_of(_: Context, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metrics have no ARN: policies tell by their namespace what may be put, and what alarms may do.

    Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    """
    if operation == "PutMetricData":
        return {"cloudwatch:namespace": params["Namespace"]}
    if operation in ("PutMetricAlarm", "PutCompositeAlarm"):
        return {"cloudwatch:AlarmActions": [arn for member in ACTIONS.values() for arn in params.get(member, ())]}
    return {}


SERVICE = ServiceApp(
    "cloudwatch",
    Operations(lambda: {**tag_handlers(), **METRICS, **ALARMS}),
    reconcilers={KIND: watch},
    resource_of=subject_of,
    conditions_of=conditions_of,
    tagging="TagResource",
)
