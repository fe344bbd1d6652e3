"""``PutMetricData``: what it keeps and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clary.testing.server import Server

ALL = ("SampleCount", "Sum", "Minimum", "Maximum", "Average")


def shown(point: dict[str, Any]) -> list[float]:
    return [point[name] for name in ALL]


def test_values_come_one_by_one_counted_and_summed_up(watch: Any) -> None:
    watch.put({"Value": 4.0}, {"Value": -2.0})
    watch.put({"Values": [1.0, 3.0], "Counts": [2.0, 0.5]})
    watch.put({"Values": [10.0, 20.0]})
    statistics = {"SampleCount": 4, "Sum": 40, "Minimum": -7, "Maximum": 30}
    watch.put({"StatisticValues": statistics})
    [point] = watch.statistics(*ALL)
    assert point["Timestamp"] == watch.at(watch.minute) and point["Unit"] == "None"
    assert shown(point) == [10.5, 75.5, -7, 30, 75.5 / 10.5]
    # What is not known one by one has no percentiles.
    assert watch.statistics("p50") == []
    watch.put({"StatisticValues": {"SampleCount": 3, "Sum": 6, "Minimum": 2, "Maximum": 2}}, MetricName="same")
    assert watch.statistics("p50", name="same")[0]["ExtendedStatistics"] == {"p50": 2}


def test_many_values_go_compressed(watch: Any) -> None:
    watch.put(*({"Value": 1.0, "MetricName": f"m{number}"} for number in range(1000)))
    metrics = watch.client.get_paginator("list_metrics").paginate(Namespace="Mine").build_full_result()["Metrics"]
    assert sorted(metric["MetricName"] for metric in metrics) == sorted(f"m{number}" for number in range(1000))


def test_metrics_are_apart_by_dimensions_region_and_resolution(watch: Any, clary_aws: Server) -> None:
    one, other = [{"Name": "a", "Value": "1"}, {"Name": "b", "Value": "2"}], [{"Name": "a", "Value": "1"}]
    watch.put({"Value": 1}, {"Value": 2, "Dimensions": one}, {"Value": 4, "Dimensions": one[::-1]})
    watch.put({"Value": 8, "Dimensions": other})
    sums = [watch.statistics("Sum", Dimensions=dimensions)[0]["Sum"] for dimensions in ([], one, other, one[::-1])]
    assert sums == [1, 6, 8, 6]
    assert watch.statistics("Sum", Dimensions=[{"Name": "b", "Value": "2"}]) == []
    assert watch.statistics("Sum", name="n") == []
    there = clary_aws.session(region="eu-west-1").client("cloudwatch")
    assert there.list_metrics()["Metrics"] == []
    fine = {"Value": 1, "StorageResolution": 1, "MetricName": "fine"}
    watch.put(*({**fine, "Timestamp": watch.at(watch.minute + second)} for second in (0, 1, 1, 7)))
    asked = watch.range(watch.minute, watch.minute + 10)
    assert [point["Sum"] for point in watch.statistics("Sum", name="fine", period=1, **asked)] == [1, 2, 1]
    assert [point["Sum"] for point in watch.statistics("Sum", name="fine", period=5, **asked)] == [3, 1]
    assert [point["Sum"] for point in watch.statistics("Sum", name="fine")] == [4]
    # Of a metric by the minute nothing is known within it.
    assert watch.statistics("Sum", period=1, **asked) == []


def test_units_stay_apart(watch: Any) -> None:
    watch.put({"Value": 1, "Unit": "Seconds"}, {"Value": 2, "Unit": "Bytes"}, {"Value": 4})
    points = watch.statistics("Sum")
    assert [(point["Unit"], point["Sum"]) for point in points] == [("Bytes", 2), ("None", 4), ("Seconds", 1)]
    assert [point["Sum"] for point in watch.statistics("Sum", Unit="Bytes")] == [2]
    assert watch.statistics("Sum", Unit="Bits") == []
    assert watch.data(watch.query())["MetricDataResults"][0]["Values"] == [7]
    query = watch.query()
    query["MetricStat"]["Unit"] = "Seconds"
    assert watch.data(query)["MetricDataResults"][0]["Values"] == [1]


def test_values_without_a_time_are_of_now_and_entities_have_values(watch: Any) -> None:
    entity = {"Entity": {"KeyAttributes": {"Type": "Service", "Name": "s"}}}
    data = [{"MetricName": "m", "Value": 1.0}]
    watch.client.put_metric_data(Namespace="Mine", EntityMetricData=[{**entity, "MetricData": data}])
    [point] = watch.statistics("Sum")
    assert abs(point["Timestamp"].timestamp() - watch.now) <= 90


DAY = 86_400
WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("InvalidParameterValue", "Timestamp must specify a time within the past two weeks.", {"Timestamp": -15 * DAY}),
    ("InvalidParameterValue", "must specify a time no more than two hours in the future.", {"Timestamp": 7_300}),
    ("InvalidParameterValue", "StorageResolution must be a value in the set [ 1, 60 ].", {"StorageResolution": 5}),
    ("InvalidParameterValue", "The value NaN for parameter MetricData.member.1.Value is invalid.", {"Value": "NaN"}),
    ("InvalidParameterValue", "is invalid.", {"Value": "Infinity"}),
    ("InvalidParameterValue", "is invalid.", {"Value": 2.0**361}),
    ("InvalidParameterValue", "is invalid.", {"Values": [1.0], "Counts": [0.0]}),
    ("InvalidParameterValue", "must be of the same size.", {"Values": [1.0, 2.0], "Counts": [1.0]}),
    ("InvalidParameterValue", "must not have a size greater than 150.", {"Values": [1.0] * 151}),
    ("InvalidParameterValue", "is invalid.", {"Dimensions": [{"Name": ":a", "Value": "1"}]}),
    ("InvalidParameterValue", "is invalid.", {"Dimensions": [{"Name": "é", "Value": "1"}]}),
    ("InvalidParameterValue", "is invalid.", {"Dimensions": [{"Name": "a", "Value": " "}]}),
    ("InvalidParameterValue", "two dimensions named a", {"Dimensions": [{"Name": "a", "Value": "1"}] * 2}),
    (
        "InvalidParameterValue",
        "must be greater",
        {"StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 2, "Maximum": 1}},
    ),
    (
        "InvalidParameterValue",
        "SampleCount is invalid",
        {"StatisticValues": {"SampleCount": 0, "Sum": 3, "Minimum": 1, "Maximum": 1}},
    ),
    ("InvalidParameterCombination", "mutually exclusive", {"Value": 1.0, "Values": [1.0]}),
    ("MissingParameter", "At least one of the parameters MetricData.member.1.Value", {}),
    ("MissingParameter", "Values is required", {"Values": []}),
    ("ValidationError", "less than or equal to 30", {"Dimensions": [{"Name": "a", "Value": "1"}] * 31, "Value": 1}),
    ("ValidationError", "enum value set", {"Unit": "Parsecs", "Value": 1}),
    ("ValidationError", "less than or equal to 255", {"MetricName": "m" * 256, "Value": 1}),
]


@pytest.mark.parametrize(("code", "message", "datum"), WRONG)
def test_what_cannot_be_kept(
    watch: Any, refused: Callable[..., str], code: str, message: str, datum: dict[str, Any]
) -> None:
    given = {"MetricName": "m", **({"Value": 1.0} if not datum.keys() & {"Values", "StatisticValues"} else {}), **datum}
    if code == "MissingParameter" and not datum:
        del given["Value"]
    if "Timestamp" in datum:
        given["Timestamp"] = watch.at(watch.now + datum["Timestamp"])
    if isinstance(given.get("Value"), str):
        given["Value"] = float(given["Value"])
    data = [given, {"MetricName": "good", "Value": 1.0}]
    assert message in refused(code, watch.client.put_metric_data, Namespace="Mine", MetricData=data)
    # All or none.
    assert watch.client.list_metrics()["Metrics"] == []


def test_what_is_wrong_with_a_request(watch: Any, refused: Callable[..., str]) -> None:
    put = watch.client.put_metric_data
    data = [{"MetricName": "m", "Value": 1.0}]
    message = refused("InvalidParameterValue", put, Namespace="AWS/SageMaker", MetricData=data)
    assert message == "The value AWS/ for parameter Namespace is invalid."
    assert refused("MissingParameter", put, Namespace="Mine", MetricData=[]) == "The parameter MetricData is required."
    message = refused("InvalidParameterValue", put, Namespace="Mine", MetricData=data * 1001)
    assert message == "The collection MetricData must not have a size greater than 1000."
    refused("ValidationError", put, Namespace=":Mine", MetricData=data)
    refused("UnknownOperationException", watch.client.put_dashboard, DashboardName="d", DashboardBody="{}")


def test_policies_are_asked(clary_aws: Server, refused: Callable[..., str]) -> None:
    iam = clary_aws.client("iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}]}
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", **trust}))
    statement = {"Effect": "Allow", "Action": ["cloudwatch:ListMetrics"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="reader", PolicyName="p", PolicyDocument=document)
    reader = clary_aws.session("reader").client("cloudwatch")
    assert reader.list_metrics()["Metrics"] == []
    data = [{"MetricName": "m", "Value": 1.0}]
    assert "cloudwatch:PutMetricData" in refused("AccessDenied", reader.put_metric_data, Namespace="M", MetricData=data)
    statement = {**statement, "Action": "cloudwatch:PutMetricData"}
    statement["Condition"] = {"StringEquals": {"cloudwatch:namespace": ["N"]}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="reader", PolicyName="q", PolicyDocument=document)
    reader.put_metric_data(Namespace="N", MetricData=data)
    refused("AccessDenied", reader.put_metric_data, Namespace="M", MetricData=data)
    # Jobs and notebooks may, by the policy that AWS gives them.
    clary_aws.session(clary_aws.role_arn).client("cloudwatch").put_metric_data(Namespace="M", MetricData=data)
    assert len(reader.list_metrics()["Metrics"]) == 2
