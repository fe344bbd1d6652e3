"""Policies: what they are given, the alarms that they make, and how they scale."""

from __future__ import annotations

from typing import Any

import pytest
from clockwork import refused
from scaled import VARIANT, Scaled

DIMENSIONS = [{"Name": "EndpointName", "Value": "mine"}, {"Name": "VariantName", "Value": "all"}]


def test_the_alarms_of_target_tracking(scaled: Scaled) -> None:
    scaled.register()
    names = scaled.track()
    high, low = sorted(names)
    assert high.startswith("TargetTracking-endpoint/mine/variant/all-AlarmHigh-")
    assert low.startswith("TargetTracking-endpoint/mine/variant/all-AlarmLow-")
    [policy] = scaled.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert sorted(alarm["AlarmName"] for alarm in policy["Alarms"]) == [high, low]
    alarm = scaled.shown(high)
    assert policy["PolicyARN"].startswith("arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:")
    assert policy["PolicyARN"].endswith(":resource/sagemaker/endpoint/mine/variant/all:policyName/track")
    assert alarm["AlarmActions"] == [policy["PolicyARN"]]
    assert alarm["AlarmDescription"] == (
        f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}."
    )
    told = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator")
    assert [alarm[member] for member in told] == [
        "AWS/SageMaker", "InvocationsPerInstance", "Sum", 60, 3, 100.0, "GreaterThanThreshold",
    ]  # fmt: skip
    assert alarm["Dimensions"] == DIMENSIONS
    alarm = scaled.shown(low)
    assert [alarm[member] for member in told[3:]] == [60, 15, 90.0, "LessThanThreshold"]
    # Put again, it has new ones.
    again = scaled.track(50.0)
    assert not set(again) & set(names)
    assert len(scaled.cloudwatch.describe_alarms()["MetricAlarms"]) == 2
    [policy] = scaled.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0
    scaled.scaling.delete_scaling_policy(**VARIANT, PolicyName="track")
    assert scaled.cloudwatch.describe_alarms()["MetricAlarms"] == []
    scaled.track()
    scaled.scaling.deregister_scalable_target(**VARIANT)
    assert scaled.cloudwatch.describe_alarms()["MetricAlarms"] == []
    scaled.look()


def test_metrics_of_ones_own_and_of_seconds(scaled: Scaled) -> None:
    scaled.register()
    own = {
        "MetricName": "CPUUtilization", "Namespace": "/aws/sagemaker/Endpoints", "Dimensions": DIMENSIONS,
        "Statistic": "Average", "Unit": "Percent",
    }  # fmt: skip
    high, low = sorted(scaled.track(50.0, CustomizedMetricSpecification=own))
    alarm = scaled.shown(high)
    assert {member: alarm[member] for member in own} == own
    assert "TreatMissingData" not in scaled.shown(low)
    queries = [{"Id": "x", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "m"}, "Stat": "Maximum"}}]
    high, low = sorted(scaled.track(50.0, "queries", CustomizedMetricSpecification={"Metrics": queries}))
    assert scaled.shown(high)["Metrics"][0]["MetricStat"]["Period"] == 60
    quick = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}
    made = scaled.scaling.put_scaling_policy(
        **VARIANT, PolicyName="quick", PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 5, "PredefinedMetricSpecification": quick},
    )  # fmt: skip
    for alarm in made["Alarms"]:
        shown = scaled.shown(alarm["AlarmName"])
        assert (shown["Period"], shown["MetricName"]) == (10, "ConcurrentRequestsPerModel")
        assert shown["EvaluationPeriods"] == (3 if "High" in alarm["AlarmName"] else 90)


def test_out_in_proportion_and_in_with_care(scaled: Scaled) -> None:
    scaled.register(1, 10)
    high, low = sorted(scaled.track())
    scaled.invocations(250, 250)
    assert (scaled.state(high), scaled.endpoints.desired) == ("INSUFFICIENT_DATA", 1)
    scaled.later(60)
    scaled.invocations(250)
    assert (scaled.state(high), scaled.endpoints.desired) == ("ALARM", 3)
    [activity] = scaled.activities()
    assert (activity["Description"], activity["Cause"], activity["StatusCode"]) == (
        "Setting desired instance count to 3.", f"monitor alarm {high} in state ALARM triggered policy track",
        "InProgress",
    )  # fmt: skip
    assert any(item.startswith("Successfully executed action arn:aws:autoscaling:") for item in scaled.history(high))
    scaled.settle()
    assert scaled.activities()[0]["StatusCode"] == "Successful"
    # Each has a third now; over the next quarter of an hour it gets less.
    for value in [84] * 14:
        scaled.later(60)
        scaled.invocations(value)
    assert (scaled.state(high), scaled.endpoints.desired) == ("OK", 3)
    for value in (20, 20, 20):
        scaled.later(60)
        scaled.invocations(value)
    # Below nine tenths of the target for fifteen minutes: for the highest of them, three are needed.
    assert (scaled.state(low), scaled.endpoints.desired) == ("ALARM", 3)
    for value in [20] * 12:
        scaled.later(60)
        scaled.invocations(value)
    assert scaled.endpoints.desired == 1
    assert scaled.activities()[0]["Cause"] == f"monitor alarm {low} in state ALARM triggered policy track"


def test_back_to_the_least_when_nobody_asks_any_more(scaled: Scaled) -> None:
    scaled.register(2, 10)
    scaled.settle()
    scaled.track()
    scaled.invocations(500, 500, 500)
    # In those minutes there was one, whatever there is now.
    assert scaled.endpoints.desired == 5
    scaled.settle()
    for _ in range(18):
        scaled.later(60)
    assert scaled.endpoints.desired == 2
    scaled.settle()
    scaled.later(300)
    reasons = [each.get("NotScaledReasons") for each in scaled.activities(IncludeNotScaledActivities=True)]
    assert reasons[0] == [{"Code": "AlreadyAtMinCapacity", "MinCapacity": 2}]
    # It is said once, not every minute.
    scaled.later(60)
    scaled.later(60)
    assert len(scaled.activities(IncludeNotScaledActivities=True)) == len(reasons)


def test_a_new_policy_waits_before_it_scales_in(scaled: Scaled) -> None:
    scaled.endpoints.desired = scaled.endpoints.current = 4
    scaled.register(1, 10)
    _, low = sorted(scaled.track())
    scaled.later(600)
    assert (scaled.state(low), scaled.endpoints.desired) == ("ALARM", 4)
    scaled.later(310)
    assert scaled.endpoints.desired == 1


def test_the_cooldown_of_scaling_out(scaled: Scaled) -> None:
    scaled.register(1, 20)
    scaled.track(ScaleOutCooldown=300)
    scaled.invocations(200, 200, 200)
    assert scaled.endpoints.desired == 2
    scaled.settle()
    # What was measured per instance is of the one that there was.
    for _ in range(3):
        scaled.later(60)
        scaled.invocations(200)
    assert scaled.endpoints.desired == 2
    # A larger change than the last does not wait: five where there was one, then ten where there were two.
    scaled.later(60)
    scaled.invocations(500)
    assert scaled.endpoints.desired == 5
    scaled.settle()
    scaled.later(10)
    assert scaled.endpoints.desired == 5  # It acts once a minute.
    scaled.later(50)
    assert scaled.endpoints.desired == 10
    scaled.settle()
    for _ in range(4):
        scaled.later(60)
        scaled.invocations(200)
        assert scaled.endpoints.desired == 10
    scaled.later(60)
    scaled.invocations(200)
    assert scaled.endpoints.desired == 20


def test_the_cooldown_of_scaling_in(scaled: Scaled) -> None:
    scaled.endpoints.desired = scaled.endpoints.current = 8
    scaled.register(1, 8)
    low_arn = scaled.step((None, 0, -1), Cooldown=300)
    scaled.alarm("low", ComparisonOperator="LessThanThreshold", AlarmActions=[low_arn], TreatMissingData="ignore")
    scaled.put([1.0])
    scaled.look()
    scaled.look()
    assert scaled.endpoints.desired == 7
    for _ in range(4):
        scaled.settle()
        scaled.later(60)
    assert scaled.endpoints.desired == 7
    scaled.later(60)
    assert scaled.endpoints.desired == 6


def test_steps_and_their_aggregation(scaled: Scaled) -> None:
    scaled.register(1, 9)
    for kind, count in (("Minimum", 2), ("Average", 3), ("Maximum", 5)):
        arn = scaled.step((0, 10, 1), (10, 30, 2), (30, None, 4), MetricAggregationType=kind, Cooldown=0)
        scaled.endpoints.desired = scaled.endpoints.current = 1
        scaled.put([10.0, 20.0, 40.0], kind)
        scaled.alarm(kind, MetricName=kind, EvaluationPeriods=3, AlarmActions=[arn])
        scaled.look()
        scaled.look()
        assert scaled.endpoints.desired == count, kind
        scaled.settle()
        scaled.cloudwatch.delete_alarms(AlarmNames=[kind])
    [policy] = scaled.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["Alarms"] == []


def test_steps_while_it_cools_down(scaled: Scaled) -> None:
    scaled.register(1, 20)
    arn = scaled.step((0, 50, 2), (50, None, 3), Cooldown=300)
    scaled.alarm(AlarmActions=[arn])
    scaled.put([10.0])
    scaled.look()
    scaled.look()
    assert scaled.endpoints.desired == 3
    scaled.settle()
    scaled.later(60)
    scaled.put([10.0])
    scaled.look()
    assert scaled.endpoints.desired == 3
    # Three where two have been added: one more.
    scaled.later(60)
    scaled.put([90.0])
    scaled.look()
    scaled.look()
    assert scaled.endpoints.desired == 4


def test_an_alarm_that_stays_acts_again_every_minute(scaled: Scaled) -> None:
    scaled.register(1, 4)
    arn = scaled.step((0, None, 1), Cooldown=0)
    scaled.alarm(AlarmActions=[arn], TreatMissingData="ignore")
    scaled.put([10.0])
    counts = []
    for _ in range(24):
        scaled.later(10)
        scaled.endpoints.settle()
        counts.append(scaled.endpoints.desired)
    assert counts[:2] == [2, 2] and counts[-1] == 4
    assert [counts.count(number) for number in (2, 3)] in ([6, 6], [7, 6], [6, 7], [7, 7])
    last = scaled.activities(IncludeNotScaledActivities=True)[0]
    assert (last["NotScaledReasons"], last["StatusCode"]) == (
        [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 4}], "Failed",
    )  # fmt: skip
    assert last["Description"] == "Attempting to scale due to alarm triggered"
    assert len(scaled.activities()) == 3


def test_a_state_set_by_hand_brings_its_values(scaled: Scaled) -> None:
    scaled.register(1, 20)
    high, _ = sorted(scaled.track())
    scaled.force("ALARM", high, StateReasonData='{"recentDatapoints": [300, 450]}')
    policy = scaled.app.reconcilers["ScalingPolicy"]
    from clary.control.scheduler import Look

    [record] = scaled._active("application-autoscaling", "ScalingPolicy")
    policy(Look(scaled.installation.platform, record, record.fence))
    assert scaled.endpoints.desired == 5


def test_scaling_in_needs_all_that_track(scaled: Scaled) -> None:
    scaled.endpoints.desired = scaled.endpoints.current = 6
    scaled.register(1, 10)
    scaled.track()
    own = {"MetricName": "m", "Namespace": "Mine", "Statistic": "Average"}
    scaled.track(10.0, "own", CustomizedMetricSpecification=own)
    for _ in range(16):
        scaled.later(60)
        scaled.put([9.5])
    scaled.later(60)
    assert scaled.endpoints.desired == 6
    for _ in range(16):
        scaled.later(60)
        scaled.put([5.0])
    scaled.later(60)
    # Nobody invokes it, and the other metric is at half of its target.
    assert scaled.endpoints.desired == 3


def test_scaling_in_can_be_switched_off_and_all_suspended(scaled: Scaled) -> None:
    scaled.endpoints.desired = scaled.endpoints.current = 4
    scaled.register(1, 8)
    scaled.track(DisableScaleIn=True)
    for _ in range(20):
        scaled.later(60)
    assert scaled.endpoints.desired == 4
    scaled.register(1, 8, SuspendedState={"DynamicScalingOutSuspended": True})
    scaled.invocations(500, 500, 500)
    assert scaled.endpoints.desired == 4
    scaled.register(1, 8, SuspendedState={"DynamicScalingOutSuspended": False})
    scaled.later(10)
    scaled.later(10)
    assert scaled.endpoints.desired == 8


def test_an_endpoint_that_is_busy_is_waited_for(scaled: Scaled) -> None:
    scaled.register(1, 8)
    scaled.track()
    scaled.endpoints.busy = True
    scaled.invocations(300, 300, 300)
    assert (scaled.endpoints.desired, scaled.activities()) == (1, [])
    scaled.endpoints.busy = False
    scaled.later(5)
    assert scaled.endpoints.desired == 3


def test_a_refusal_is_recorded_and_tried_again_a_minute_later(scaled: Scaled) -> None:
    scaled.register(1, 8)
    scaled.track()
    scaled.endpoints.refusal = "No room."
    scaled.invocations(300, 300, 300)
    scaled.later(10)
    [activity] = scaled.activities()
    assert activity["StatusCode"] == "Failed" and "Reason: No room." in activity["StatusMessage"]
    scaled.endpoints.refusal = ""
    scaled.later(60)
    assert scaled.endpoints.desired == 3


TRACKING = {"PolicyType": "TargetTrackingScaling"}
INVOCATIONS = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
CONCURRENCY = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
OWN = {"MetricName": "m", "Namespace": "N", "Statistic": "Sum"}


@pytest.mark.parametrize(
    ("code", "configuration"),
    [
        ("ValidationException", {"TargetValue": 0, "PredefinedMetricSpecification": INVOCATIONS}),
        ("ValidationException", {"TargetValue": 1}),
        ("ValidationException", {"PredefinedMetricSpecification": INVOCATIONS}),
        ("ValidationException", {"TargetValue": 1, "PredefinedMetricSpecification": CONCURRENCY}),
        ("ValidationException", {"TargetValue": 1, "PredefinedMetricSpecification": INVOCATIONS,
                                 "CustomizedMetricSpecification": OWN}),
        ("ValidationException", {"TargetValue": 1, "CustomizedMetricSpecification": {"MetricName": "m"}}),
        ("ValidationException", {"TargetValue": 1, "PredefinedMetricSpecification": INVOCATIONS,
                                 "ScaleInCooldown": -1}),
        ("UnknownOperationException", {"TargetValue": 1, "CustomizedMetricSpecification": {
            "Metrics": [{"Id": "x", "Expression": "1"}]}}),
    ],
)  # fmt: skip
def test_what_cannot_be_tracked(scaled: Scaled, code: str, configuration: dict[str, Any]) -> None:
    scaled.register()
    refused(
        code, scaled.scaling.put_scaling_policy, **VARIANT, **TRACKING, PolicyName="p",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )  # fmt: skip
    assert scaled.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []


@pytest.mark.parametrize(
    ("steps", "members"),
    [
        ((), {}),
        (((0, 10, 1), (5, None, 2)), {}),
        (((0, 10, 1), (20, None, 2)), {}),
        (((0, 10, 1),), {}),
        (((-10, 0, 1),), {}),
        (((10, 10, 1),), {}),
        (((0, None, 1),), {"AdjustmentType": None}),
        (((0, None, 1),), {"MinAdjustmentMagnitude": 1}),
        (((0, None, -1),), {"AdjustmentType": "ExactCapacity"}),
        (((0, None, 1),), {"Cooldown": -1}),
        (((0, None, 1),), {"AdjustmentType": "Other"}),
    ],
)
def test_what_are_no_steps(scaled: Scaled, steps: tuple[Any, ...], members: dict[str, Any]) -> None:
    scaled.register()
    kind = {"AdjustmentType": "ChangeInCapacity", **members}
    kept = {member: value for member, value in kind.items() if value is not None}
    bounds = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    adjustments = [
        {**{name: value for name, value in zip(bounds, step, strict=False) if value is not None},
         "ScalingAdjustment": step[2]}
        for step in steps
    ]  # fmt: skip
    refused(
        "ValidationException", scaled.scaling.put_scaling_policy, **VARIANT, PolicyName="p",
        StepScalingPolicyConfiguration={**kept, "StepAdjustments": adjustments},
    )  # fmt: skip


def test_policies_that_are_refused(scaled: Scaled) -> None:
    client = scaled.scaling
    configuration = {"TargetValue": 1, "PredefinedMetricSpecification": INVOCATIONS}
    policy = {**VARIANT, **TRACKING, "PolicyName": "p", "TargetTrackingScalingPolicyConfiguration": configuration}
    target = "service namespace: sagemaker, resource ID: endpoint/mine/variant/all, scalable dimension: " + VARIANT[
        "ScalableDimension"
    ]  # fmt: skip
    message = refused("ObjectNotFoundException", client.put_scaling_policy, **policy)
    assert message == f"No scalable target registered for {target}"
    scaled.register()
    refused("ValidationException", client.put_scaling_policy, **{**policy, "PolicyType": "StepScaling"})
    refused("UnknownOperationException", client.put_scaling_policy, **{**policy, "PolicyType": "PredictiveScaling"})
    client.put_scaling_policy(**policy)
    message = refused("ValidationException", client.put_scaling_policy, **{**policy, "PolicyName": "q"})
    assert message == "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    message = refused("ObjectNotFoundException", client.delete_scaling_policy, **VARIANT, PolicyName="q")
    assert message == f"No scaling policy found for {target}, policy name: q"
    found = client.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["q"])["ScalingPolicies"]
    assert found == []
