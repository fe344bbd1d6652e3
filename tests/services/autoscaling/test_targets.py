"""Scalable targets, and bounds that are new."""

from __future__ import annotations

from typing import Any

import pytest
from clockwork import refused
from scaled import VARIANT, Scaled

NONE = "service namespace: sagemaker, resource ID: endpoint/mine/variant/all, scalable dimension: " + VARIANT[
    "ScalableDimension"
]  # fmt: skip


def test_what_is_registered(scaled: Scaled) -> None:
    arn = scaled.register(1, 4, Tags={"a": "b"})
    client = scaled.scaling
    assert arn.startswith("arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/")
    off = {"DynamicScalingOutSuspended": True}
    again = client.register_scalable_target(**VARIANT, MaxCapacity=8, SuspendedState=off)
    assert again["ScalableTargetARN"] == arn
    [target] = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ResourceId"]) == (1, 8, VARIANT["ResourceId"])
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": False, "DynamicScalingOutSuspended": True, "ScheduledScalingSuspended": False,
    }  # fmt: skip
    assert target["RoleARN"].endswith(":role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
                                      "AWSServiceRoleForApplicationAutoScaling_Sagemaker")  # fmt: skip
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "b"}
    assert client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    named = {"ServiceNamespace": "sagemaker", "ResourceIds": [VARIANT["ResourceId"], "endpoint/x/variant/y"]}
    assert len(client.describe_scalable_targets(**named)["ScalableTargets"]) == 1
    client.deregister_scalable_target(**VARIANT)
    assert client.describe_scalable_targets(**named)["ScalableTargets"] == []
    message = refused("ObjectNotFoundException", client.deregister_scalable_target, **VARIANT)
    assert message == f"No scalable target found for {NONE}"


def test_targets_of_other_services_are_kept(scaled: Scaled) -> None:
    table = {"ServiceNamespace": "dynamodb", "ResourceId": "table/t",
             "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}  # fmt: skip
    scaled.scaling.register_scalable_target(**table, MinCapacity=1, MaxCapacity=4)
    tracking = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
    }
    made = scaled.scaling.put_scaling_policy(
        **table, PolicyName="p", PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=tracking
    )
    assert made["Alarms"] == []
    scaled.look()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "MinCapacity is required to register a new scalable target."),
        ({"MinCapacity": 1}, "MaxCapacity is required to register a new scalable target."),
        ({"MinCapacity": 3, "MaxCapacity": 2}, "Maximum capacity cannot be less than minimum capacity"),
        ({"MinCapacity": -1, "MaxCapacity": 2},
         "Minimum capacity and maximum capacity must be greater than or equal to 0"),
        ({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "endpoint/mine"},
         "Unsupported service namespace, resource type or scalable dimension"),
        ({"MinCapacity": 1, "MaxCapacity": 2, "ServiceNamespace": "ecs"},
         "Unsupported service namespace, resource type or scalable dimension"),
        ({"MinCapacity": 1, "MaxCapacity": 2, "ResourceId": "endpoint/mine/variant/none"},
         "SageMaker endpoint variant does not exist: endpoint/mine/variant/none"),
    ],
)  # fmt: skip
def test_what_is_refused(scaled: Scaled, members: dict[str, Any], message: str) -> None:
    given = {**VARIANT, **members}
    assert refused("ValidationException", scaled.scaling.register_scalable_target, **given) == message
    assert scaled.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []


def test_bounds_are_kept_when_they_are_new(scaled: Scaled) -> None:
    scaled.register(3, 5)
    assert scaled.endpoints.desired == 3
    [activity] = scaled.activities()
    assert (activity["Description"], activity["Cause"], activity["StatusCode"]) == (
        "Setting desired instance count to 3.", "minimum capacity was set to 3", "InProgress",
    )  # fmt: skip
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 3. Waiting for change to be fulfilled by sagemaker."
    )
    assert "EndTime" not in activity and activity["ResourceId"] == VARIANT["ResourceId"]
    # Other bounds while the endpoint is busy wait for it.
    scaled.register(1, 2)
    assert scaled.endpoints.desired == 3
    scaled.settle()
    scaled.later(2)
    assert scaled.endpoints.desired == 2
    scaled.settle()
    newest, oldest = scaled.activities()
    assert newest["Cause"] == "maximum capacity was set to 2"
    assert [each["StatusCode"] for each in (newest, oldest)] == ["Successful", "Successful"]
    assert newest["StatusMessage"] == (
        "Successfully set desired instance count to 2. Change successfully fulfilled by sagemaker."
    )
    assert newest["EndTime"] >= newest["StartTime"]
    # Bounds within which it is change nothing.
    scaled.register(1, 9)
    assert len(scaled.activities()) == 2


def test_what_sagemaker_refuses(scaled: Scaled) -> None:
    scaled.endpoints.refusal = "The account-level service limit is 4 Instances."
    scaled.register(6, 9)
    [activity] = scaled.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"] == (
        "Failed to set desired instance count to 6. Reason: The account-level service limit is 4 Instances. "
        "(Service: AmazonSageMaker; Status Code: 400; Error Code: ValidationException)"
    )
    assert scaled.endpoints.desired == 1


def test_changes_that_others_undo(scaled: Scaled) -> None:
    scaled.register(3, 5)
    scaled.endpoints.desired = 1  # It was rolled back.
    scaled.settle()
    [activity] = scaled.activities()
    assert activity["StatusCode"] == "Unfulfilled"
    scaled.register(4, 5)
    scaled.endpoints.busy = False
    scaled.installation.now += 1
    scaled.register(5, 5)
    scaled.settle()
    assert [each["StatusCode"] for each in scaled.activities()] == ["Successful", "Overridden", "Unfulfilled"]
    scaled.register(6, 9)
    scaled.endpoints.exists = False
    scaled.later(2)
    assert scaled.activities()[0]["StatusCode"] == "Unfulfilled"


def test_activities_page_by_page_and_for_six_weeks(scaled: Scaled) -> None:
    for count in (2, 3, 4):
        scaled.installation.now += 1
        scaled.register(count, 9)
        scaled.settle()
    client = scaled.scaling
    pages = client.get_paginator("describe_scaling_activities").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 2}
    )
    assert [[each["Cause"][-1] for each in page["ScalingActivities"]] for page in pages] == [["4", "3"], ["2"]]
    assert len(scaled.activities(ResourceId=VARIANT["ResourceId"])) == 3
    assert scaled.activities(ResourceId="endpoint/x/variant/y") == []
    refused("ValidationException", client.describe_scaling_activities, ServiceNamespace="sagemaker", NextToken="x")
    scaled.installation.now += 43 * 86_400
    scaled.register(5, 9)
    assert len(scaled.activities()) == 1
