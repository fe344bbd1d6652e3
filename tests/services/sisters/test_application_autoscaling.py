"""Application Auto Scaling by plain boto3: what is registered and by which policies it may be scaled."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

VARIANT = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/mine/variant/all",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TRACKING = {
    "TargetValue": 70.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_targets_and_policies(clary_aws: Server) -> None:
    scaling = clary_aws.client("application-autoscaling")
    tracking: dict[str, Any] = {
        "PolicyName": "p",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": TRACKING,
    }
    assert refused(scaling.put_scaling_policy, **VARIANT, **tracking) == "ObjectNotFoundException"
    made = scaling.register_scalable_target(**VARIANT, MinCapacity=1, MaxCapacity=4, Tags={"a": "b"})
    arn = made["ScalableTargetARN"]
    assert arn.startswith("arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/")
    assert scaling.register_scalable_target(**VARIANT, MaxCapacity=8)["ScalableTargetARN"] == arn
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ResourceId"]) == (1, 8, VARIANT["ResourceId"])
    assert target["SuspendedState"]["ScheduledScalingSuspended"] is False
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b"}
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    named = {"ServiceNamespace": "sagemaker", "ResourceIds": [VARIANT["ResourceId"], "endpoint/x/variant/y"]}
    assert len(scaling.describe_scalable_targets(**named)["ScalableTargets"]) == 1

    policy = scaling.put_scaling_policy(**VARIANT, **tracking)
    assert (policy["Alarms"], VARIANT["ResourceId"] in policy["PolicyARN"]) == ([], True)
    changed = {**tracking, "TargetTrackingScalingPolicyConfiguration": {**TRACKING, "TargetValue": 50.0}}
    assert scaling.put_scaling_policy(**VARIANT, **changed)["PolicyARN"] == policy["PolicyARN"]
    [shown] = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert shown["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["q"])["ScalingPolicies"] == []
    wrong = {**tracking, "PolicyType": "StepScaling"}
    assert refused(scaling.put_scaling_policy, **VARIANT, **wrong) == "ValidationException"

    scaling.put_scheduled_action(**VARIANT, ScheduledActionName="night", Schedule="cron(0 22 * * ? *)")
    assert len(scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]) == 1
    assert scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"] == []
    scaling.delete_scaling_policy(**VARIANT, PolicyName="p")
    assert refused(scaling.delete_scaling_policy, **VARIANT, PolicyName="p") == "ObjectNotFoundException"
    scaling.deregister_scalable_target(**VARIANT)
    assert scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"] == []
    assert refused(scaling.deregister_scalable_target, **VARIANT) == "ObjectNotFoundException"


@pytest.mark.parametrize("capacity", [{}, {"MinCapacity": 1}, {"MinCapacity": 3, "MaxCapacity": 2}])
def test_capacities_that_make_no_sense(clary_aws: Server, capacity: dict[str, int]) -> None:
    scaling = clary_aws.client("application-autoscaling")
    assert refused(scaling.register_scalable_target, **VARIANT, **capacity) == "ValidationException"
    assert scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
