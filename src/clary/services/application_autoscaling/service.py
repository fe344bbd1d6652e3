"""Application Auto Scaling as the platform runs it: variants of endpoints are scaled, other targets are kept.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/API_Operations.html
"""

from __future__ import annotations

from clary.resources.context import Handler, ServiceApp
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


def app() -> ServiceApp:
    """The service."""
    return service(SCALING, (targets, policies, actions), OPERATIONS, reconcilers={ACTIVITIES: fulfil})
