"""Changes of resources are told once each, and schedules keep their time, whatever is killed."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")

MODELS = 20


def queue(plant: Any, name: str) -> tuple[str, str]:
    """A queue to which everybody may send: its address and its ARN."""
    sqs = plant.client("sqs")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def bodies(plant: Any, url: str) -> list[Any]:
    sqs, found = plant.client("sqs"), []
    for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found.append(json.loads(message["Body"]))
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_each_change_is_told_once(plant: Any, wait_until: Any) -> None:
    url, arn = queue(plant, "changes")
    events, sagemaker = plant.client("events"), plant.client("sagemaker")
    events.put_rule(Name="changes", EventPattern=json.dumps({"source": ["aws.sagemaker"]}))
    events.put_targets(Rule="changes", Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail"}])
    plant.train("told")
    for number in range(MODELS):
        # A client sends again what was not answered, and that is the same call.
        sagemaker.create_model(ModelName=f"m{number}", ExecutionRoleArn=plant.role, PrimaryContainer={"Image": "own:1"})
        if number % 7 == 3:
            plant.kill("control")
    assert plant.await_end("told")["TrainingJobStatus"] == "Completed"
    models: Counter[str] = Counter()
    statuses: Counter[tuple[str, str]] = Counter()

    def all_told() -> bool:
        for detail in bodies(plant, url):
            if "ModelName" in detail:
                models[detail["ModelName"]] += 1
            else:
                statuses[detail["TrainingJobStatus"], detail["SecondaryStatus"]] += 1
        return len(models) == MODELS and ("Completed", "Completed") in statuses

    wait_until(all_told, what=lambda: f"{models} and {statuses} were told")
    assert set(models.values()) == {1} and statuses["Completed", "Completed"] == 1
    assert bodies(plant, url) == []


def test_what_was_due_while_it_was_down_is_called_once(plant: Any, wait_until: Any) -> None:
    url, arn = queue(plant, "calls")
    iam, scheduler = plant.client("iam"), plant.client("scheduler")
    trust = {"Effect": "Allow", "Principal": {"Service": "scheduler.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allowed)]
    role = iam.create_role(RoleName="calls", AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName="calls", PolicyName="all", PolicyDocument=documents[1])
    soon = (datetime.now(UTC) + timedelta(seconds=3)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    target = {"Arn": arn, "RoleArn": role, "Input": "1"}
    scheduler.create_schedule(Name="once", ScheduleExpression=soon, FlexibleTimeWindow={"Mode": "OFF"}, Target=target)
    plant.down()
    wait_until(lambda: datetime.now(UTC).strftime("at(%Y-%m-%dT%H:%M:%S)") > soon, what="the time of the schedule")
    plant.up()
    called: list[Any] = []
    wait_until(lambda: called.extend(bodies(plant, url)) or called, what="the call")
    plant.kill("control")
    plant.await_health()
    assert called == [1] and bodies(plant, url) == []
