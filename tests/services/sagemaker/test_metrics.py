"""Metrics of trial components: what is put, what it comes to, and what is got over time and over steps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.sagemaker_metrics.api import Measurement, replace_measured
from clary.state.database import Database
from clary.testing.server import Server

MINUTE = 60


@pytest.fixture
def metrics(clary_aws: Server) -> Any:
    clary_aws.client("sagemaker").create_trial_component(TrialComponentName="Run")
    return clary_aws.client("sagemaker-metrics")


def value(name: str, number: float, seconds: float, step: int | None = None) -> dict[str, Any]:
    metric = {"MetricName": name, "Value": number, "Timestamp": seconds}
    return metric if step is None else {**metric, "Step": step}


def put(metrics: Any, *values: dict[str, Any], name: str = "run") -> list[dict[str, Any]]:
    errors: list[dict[str, Any]] = metrics.batch_put_metrics(TrialComponentName=name, MetricData=values).get(
        "Errors", []
    )
    return errors


def arn(server: Server) -> str:
    return str(server.client("sagemaker").describe_trial_component(TrialComponentName="Run")["TrialComponentArn"])


def summary(server: Server) -> dict[str, dict[str, Any]]:
    described = server.client("sagemaker").describe_trial_component(TrialComponentName="Run")
    return {metric["MetricName"]: metric for metric in described["Metrics"]}


def test_the_component_shows_what_the_values_come_to(metrics: Any, clary_aws: Server) -> None:
    now = int(time.time())
    assert put(metrics, value("loss", 3, now), value("acc", 0.1, now), value("loss", 1, now + 2)) == []
    # An older value is not the last.
    assert put(metrics, value("loss", 8, now - MINUTE)) == []
    shown = summary(clary_aws)
    assert list(shown) == ["loss", "acc"]
    loss = shown["loss"]
    assert loss["TimeStamp"].timestamp() == now + 2
    assert (loss["Min"], loss["Max"], loss["Last"], loss["Count"], loss["Avg"]) == (1.0, 8.0, 1.0, 3, 4.0)
    assert loss["StdDev"] == pytest.approx(2.943920)
    assert loss["SourceArn"] == arn(clary_aws)
    assert (shown["acc"]["Count"], shown["acc"]["StdDev"]) == (1, 0.0)
    found = clary_aws.client("sagemaker").search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": [{"Name": "Metrics.loss.Max", "Operator": "GreaterThan", "Value": "7"}]},
    )
    assert len(found["Results"]) == 1


def test_each_value_is_valid_or_told_by_its_index(metrics: Any, clary_aws: Server) -> None:
    now, day = time.time(), 86_400
    errors = put(
        metrics,
        value("loss", 1, now - 15 * day),
        value("loss", 2, now - 13 * day),
        value("loss", 3, now + 3 * 3600),
        value("loss", 4, now + 3600),
    )
    assert errors == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}, {"Code": "VALIDATION_ERROR", "MetricIndex": 2}]
    assert summary(clary_aws)["loss"]["Count"] == 2
    assert put(metrics, value("loss", 1, now), name="nobody") == [{"Code": "VALIDATION_ERROR", "MetricIndex": 0}]
    with pytest.raises(ClientError, match="less than or equal to 10"):
        put(metrics, *(value("loss", 1, now) for _ in range(11)))
    with pytest.raises(ClientError, match="regular expression"):
        put(metrics, value("loss", 1, now), name="Run")


def test_a_component_has_so_many_metrics_at_most(metrics: Any, clary_aws: Server) -> None:
    now = time.time()
    for first in range(0, 1000, 10):
        assert put(metrics, *(value(f"m{number}", 1, now) for number in range(first, first + 10))) == []
    errors = put(metrics, value("m0", 2, now), value("one-more", 1, now), value("m999", 2, now))
    assert errors == [{"Code": "METRIC_LIMIT_EXCEEDED", "MetricIndex": 1}]
    assert summary(clary_aws)["m999"]["Count"] == 2


def ask(metrics: Any, resource: str, statistic: str, period: str = "OneMinute", **others: Any) -> dict[str, Any]:
    axis = "IterationNumber" if period == "IterationNumber" else "Timestamp"
    query = {
        "MetricName": "loss",
        "ResourceArn": resource,
        "MetricStat": statistic,
        "Period": period,
        "XAxisType": axis,
    }
    [answer] = metrics.batch_get_metrics(MetricQueries=[query | others])["MetricQueryResults"]
    return {name: found for name, found in answer.items() if name != "ResponseMetadata"}


def test_points_over_time(metrics: Any, clary_aws: Server) -> None:
    hour = int(time.time()) // 3600 * 3600 - 3600
    put(metrics, value("loss", 1, hour), value("loss", 3, hour + 59), value("loss", 10, hour + 60))
    put(metrics, value("loss", 7, hour + 5 * MINUTE), value("other", 99, hour), value("loss", 2, hour + 10))
    resource = arn(clary_aws)
    minutes = [1000 * (hour + seconds) for seconds in (0, 60, 300)]
    for statistic, values in {
        "Min": [1, 10, 7],
        "Max": [3, 10, 7],
        "Avg": [2, 10, 7],
        "Count": [3, 1, 1],
        "Last": [3, 10, 7],
        "StdDev": [pytest.approx(0.816497), 0, 0],
    }.items():
        expected = {"Status": "Complete", "XAxisValues": minutes, "MetricValues": values}
        assert ask(metrics, resource, statistic) == expected, statistic
    assert ask(metrics, resource, "Count", "FiveMinute")["MetricValues"] == [4, 1]
    assert ask(metrics, resource, "Max", "OneHour")["XAxisValues"] == [1000 * hour]
    part = ask(metrics, resource, "Count", Start=1000 * (hour + 10), End=1000 * (hour + 60))
    assert (part["XAxisValues"], part["MetricValues"]) == (minutes[:2], [2, 1])
    assert ask(metrics, resource, "Max", MetricName="unknown")["XAxisValues"] == []


def test_points_over_steps(metrics: Any, clary_aws: Server) -> None:
    now = time.time()
    put(metrics, *(value("loss", step * 1.5, now + step, step) for step in (2, 0, 1)), value("loss", 100, now))
    put(metrics, value("loss", 4, now + 9, 1))
    resource = arn(clary_aws)
    last = ask(metrics, resource, "Last", "IterationNumber")
    assert last == {"Status": "Complete", "XAxisValues": [0, 1, 2], "MetricValues": [0, 4, 3]}
    assert ask(metrics, resource, "Avg", "IterationNumber")["MetricValues"] == [0, 2.75, 3]
    assert ask(metrics, resource, "Avg", "IterationNumber", Start=1, End=1)["XAxisValues"] == [1]


def test_a_query_that_makes_no_sense_does_not_harm_others(metrics: Any, clary_aws: Server) -> None:
    put(metrics, value("loss", 1, time.time()))
    good = {
        "MetricName": "loss",
        "ResourceArn": arn(clary_aws),
        "MetricStat": "Max",
        "Period": "OneHour",
        "XAxisType": "Timestamp",
    }
    queries = [good, good | {"XAxisType": "IterationNumber"}, good | {"ResourceArn": f"{arn(clary_aws)}x"}]
    results = metrics.batch_get_metrics(MetricQueries=queries)["MetricQueryResults"]
    assert [result["Status"] for result in results] == ["Complete", "ValidationError", "ValidationError"]
    assert "does not fit" in results[1]["Message"]
    assert "does not exist" in results[2]["Message"]
    assert results[1]["MetricValues"] == []
    theirs = good | {"ResourceArn": arn(clary_aws).replace(clary_aws.account, "1" * 12)}
    with pytest.raises(metrics.exceptions.ClientError, match="AccessDeniedException"):
        metrics.batch_get_metrics(MetricQueries=[theirs])


def test_policies_name_sagemaker_and_the_component(metrics: Any, clary_aws: Server) -> None:
    put(metrics, value("loss", 1, time.time()))
    iam, role = clary_aws.client("iam"), "puts"
    trust = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}}'
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    statement = {"Effect": "Allow", "Action": "sagemaker:BatchPutMetrics", "Resource": arn(clary_aws)}
    document = str({"Version": "2012-10-17", "Statement": statement}).replace("'", '"')
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document)
    theirs = clary_aws.session(role).client("sagemaker-metrics")
    assert put(theirs, value("loss", 2, time.time())) == []
    for refuse in (
        lambda: put(theirs, value("loss", 2, time.time()), name="another"),
        lambda: ask(theirs, arn(clary_aws), "Max"),
    ):
        with pytest.raises(ClientError) as refused:
            refuse()
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_metrics_go_with_the_component(metrics: Any, clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    put(metrics, value("loss", 1, time.time()))
    sagemaker.delete_trial_component(TrialComponentName="run")
    sagemaker.create_trial_component(TrialComponentName="Run")
    assert summary(clary_aws) == {}
    assert ask(metrics, arn(clary_aws), "Max")["MetricValues"] == []


@pytest.mark.parametrize("count", [0, 1, 10_000, 10_001])
def test_what_a_job_reported_is_kept_once_however_often_it_is_told(tmp_path: Path, count: int) -> None:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.prepare()
    replace_measured(database, 1, "arn:job", [Measurement("loss", 1.0, 0, 9.0)])
    for _ in range(2):
        values = (Measurement("loss", float(step), step, 0.5) for step in range(count))
        assert [each["Count"] for each in replace_measured(database, 1, "arn:job", values)] == [count] * (count > 0)
    with database.read() as transaction:
        kept = [(each.step, each.value) for each in transaction.metrics.values(1, "loss", 0.0, 1e6)]
    assert kept == [(step, 0.5) for step in range(count)]
    database.close()
