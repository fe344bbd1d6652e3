"""Alarms of a running installation: judged soon without anybody asking, and by policies only for whom they are."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from clary.testing.server import Server


def wait_for_state(client: Any, name: str, state: str, seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        [alarm] = client.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        if alarm["StateValue"] == state:
            return dict(alarm)
        assert time.monotonic() < deadline, alarm
        time.sleep(0.1)


@pytest.mark.parametrize("period", [10, 60])
def test_an_alarm_goes_off_and_returns(watch: Any, period: int) -> None:
    client, now = watch.client, time.time()
    times = [watch.at(now - 3 - period * number) for number in range(1, 4)]
    resolution = {"StorageResolution": 1} if period < 60 else {}
    watch.put(*({"Value": 9.0, "Timestamp": at, **resolution} for at in times))
    client.put_metric_alarm(
        AlarmName="high", Namespace=watch.namespace, MetricName="m", Statistic="Maximum", Period=period,
        EvaluationPeriods=2, Threshold=5.0, ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip
    # At once: nobody waits for the next minute.
    alarm = wait_for_state(client, "high", "ALARM", seconds=8)
    assert alarm["StateReason"].startswith("Threshold Crossed: 2 datapoints [9.0 (")
    # A state that is set by hand stays until the next look.
    client.set_alarm_state(AlarmName="high", StateValue="OK", StateReason="test")
    wait_for_state(client, "high", "ALARM", seconds=15)
    client.delete_alarms(AlarmNames=["high"])


def test_policies(clary_aws: Server, refused: Callable[..., str]) -> None:
    iam = clary_aws.client("iam")
    anybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    mine = {"Effect": "Allow", "Action": "cloudwatch:*", "Resource": "arn:aws:cloudwatch:*:*:alarm:mine*"}

    def policy(statement: dict[str, Any]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    iam.create_role(RoleName="Watcher", AssumeRolePolicyDocument=policy(anybody))
    iam.put_role_policy(RoleName="Watcher", PolicyName="p", PolicyDocument=policy(mine))
    client = clary_aws.session("Watcher").client("cloudwatch")
    alarm = {
        "Namespace": "N", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    client.put_metric_alarm(AlarmName="mine", **alarm)
    refused("AccessDenied", client.put_metric_alarm, AlarmName="other", **alarm)
    refused("AccessDenied", client.delete_alarms, AlarmNames=["mine", "other"])
    client.delete_alarms(AlarmNames=["mine"])
