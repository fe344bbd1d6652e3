"""Application Auto Scaling as the platform runs it: variants of endpoints are scaled, other targets are kept.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.service import service
from clary.services.application_autoscaling.actions import actions
from clary.services.application_autoscaling.activities import KIND as ACTIVITIES
from clary.services.application_autoscaling.activities import describe_activities, fulfil
from clary.services.application_autoscaling.dialect import SCALING
from clary.services.application_autoscaling.policies import policies, put_scaling_policy
from clary.services.application_autoscaling.targets import targets

OPERATIONS: dict[str, Handler] = {
    "DescribeScalingActivities": describe_activities,
    "PutScalingPolicy": put_scaling_policy,
}


ON_TARGETS = (
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "PutScalingPolicy",
    "DeleteScalingPolicy",
    "PutScheduledAction",
    "DeleteScheduledAction",
)


def conditions_of(_: Context, __: str, params: Mapping[str, Any]) -> Mapping[str, str]:
    """What policies may ask of a target.

    Reference: https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_service-with-iam.html
    """
    known = {"service-namespace": params.get("ServiceNamespace"), "scalable-dimension": params.get("ScalableDimension")}
    return {f"application-autoscaling:{key}": value for key, value in known.items() if value is not None}


def app() -> ServiceApp:
    """The service."""
    return service(
        SCALING,
        (targets, policies, actions),
        OPERATIONS,
        reconcilers={ACTIVITIES: fulfil},
        subjects=dict.fromkeys(ON_TARGETS, targets.arn_of),
        tagging="TagResource",
        conditions_of=conditions_of,
    )
