"""EventBridge Scheduler by plain boto3 against a running server."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from parity_lab import SKLEARN, Lab, eventually

OFF = {"Mode": "OFF"}
SDK = "arn:aws:scheduler:::aws-sdk:"


@pytest.fixture
def scheduler(lab: Lab) -> Any:
    return lab.server.client("scheduler")


def role(lab: Lab, name: str, *actions: str) -> str:
    """A role that schedules may assume, and that may do this."""
    iam = lab.server.client("iam")
    trusted = {"Service": "scheduler.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (trust, allowed)]
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=documents[1])
    return str(arn)


def now() -> str:
    return datetime.now(UTC).strftime("at(%Y-%m-%dT%H:%M:%S)")


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_a_training_job_is_started_at_its_time(lab: Lab, scheduler: Any) -> None:
    arn = role(lab, "starts-jobs", "sagemaker:CreateTrainingJob", "iam:PassRole")
    quick = {"ContainerEntrypoint": ["/bin/sh", "-c", "echo done"]}
    request = lab.training("scheduled", SKLEARN, AlgorithmSpecification=quick)
    target = {"Arn": f"{SDK}sagemaker:createTrainingJob", "RoleArn": arn, "Input": json.dumps(request)}
    scheduler.create_schedule(
        Name="once",
        ScheduleExpression=now(),
        FlexibleTimeWindow=OFF,
        Target=target,
        ActionAfterCompletion="DELETE",
    )
    eventually(lambda: scheduler.list_schedules()["Schedules"] == [], "the schedule is over")
    job = lab.ended("scheduled")
    assert job["TrainingJobStatus"] == "Completed"
    [described] = lab.sagemaker.list_training_jobs()["TrainingJobSummaries"]
    assert described["TrainingJobName"] == "scheduled"


def test_messages_and_dead_letters(lab: Lab, scheduler: Any) -> None:
    sqs = lab.server.client("sqs")
    arn = role(lab, "sends", "sqs:SendMessage")
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("calls", "dead")}
    queues = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in urls.items()
    }
    text = '{"at": "<aws.scheduler.scheduled-time>"}'
    target = {"Arn": queues["calls"], "RoleArn": arn, "Input": text}
    scheduler.create_schedule(Name="s", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=target)
    [message] = sqs.receive_message(QueueUrl=urls["calls"], WaitTimeSeconds=20)["Messages"]
    assert abs(datetime.fromisoformat(json.loads(message["Body"])["at"]) - datetime.now(UTC)) < timedelta(minutes=1)

    broken = {**target, "Arn": queues["calls"] + "-none", "DeadLetterConfig": {"Arn": queues["dead"]}}
    scheduler.create_schedule(Name="b", ScheduleExpression="rate(1 day)", FlexibleTimeWindow=OFF, Target=broken)
    [message] = sqs.receive_message(QueueUrl=urls["dead"], WaitTimeSeconds=20, MessageAttributeNames=["All"])[
        "Messages"
    ]
    assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == broken["Arn"]


def test_functions_are_called_with_the_input(lab: Lab, scheduler: Any) -> None:
    functions = lab.server.client("lambda")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    print('called with', event['n'])\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    own = lab.server.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    code = {"ZipFile": packed.getvalue()}
    function = functions.create_function(
        FunctionName="called", Runtime="python3.11", Role=own, Handler="app.handler", Code=code
    )["FunctionArn"]
    functions.get_waiter("function_active_v2").wait(FunctionName="called", WaiterConfig={"Delay": 1})
    target = {"Arn": function, "RoleArn": role(lab, "calls", "lambda:InvokeFunction"), "Input": '{"n": 7}'}
    scheduler.create_schedule(Name="f", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=target)

    request = {"FunctionName": "called", "InvocationType": "Event", "Payload": json.dumps({"n": 8})}
    by_operation = {**target, "Arn": f"{SDK}lambda:invoke", "Input": json.dumps(request)}
    scheduler.create_schedule(Name="o", ScheduleExpression="rate(1 hour)", FlexibleTimeWindow=OFF, Target=by_operation)

    def said() -> list[str]:
        try:
            events = lab.logs.filter_log_events(logGroupName="/aws/lambda/called", filterPattern='"called with"')
        except lab.logs.exceptions.ResourceNotFoundException:
            return []
        return sorted(event["message"].strip() for event in events["events"])

    expected = ["called with 7", "called with 8"]
    assert eventually(lambda: said() == expected, "the function was called twice")


def test_the_api(lab: Lab, scheduler: Any) -> None:
    arn = role(lab, "any", "*")
    target = {"Arn": f"{SDK}sns:createTopic", "RoleArn": arn, "Input": '{"Name": "t"}'}
    request = {
        "Name": "nightly",
        "ScheduleExpression": "cron(0 3 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10},
        "StartDate": datetime(2030, 1, 1, tzinfo=UTC),
        "EndDate": datetime(2031, 1, 1, tzinfo=UTC),
        "Description": "every night",
        "Target": target,
    }
    made = scheduler.create_schedule(**request, ClientToken="one")
    assert made == {**made, "ScheduleArn": "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"}
    assert scheduler.create_schedule(**request, ClientToken="one")["ScheduleArn"] == made["ScheduleArn"]
    assert refused(scheduler.create_schedule, **request) == "ConflictException"
    shown = scheduler.get_schedule(Name="nightly")
    for member in ("ScheduleExpressionTimezone", "FlexibleTimeWindow", "StartDate", "EndDate", "Description"):
        assert shown[member] == request[member]
    assert (shown["State"], shown["GroupName"], shown["ActionAfterCompletion"]) == ("ENABLED", "default", "NONE")
    assert shown["Target"] == {
        **target,
        "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
    }
    assert shown["LastModificationDate"] >= shown["CreationDate"]

    changed = {name: request[name] for name in ("Name", "ScheduleExpression", "Target")}
    scheduler.update_schedule(**changed, FlexibleTimeWindow=OFF, State="DISABLED")
    shown = scheduler.get_schedule(Name="nightly")
    assert (shown["State"], shown["ScheduleExpressionTimezone"]) == ("DISABLED", "UTC")
    assert "StartDate" not in shown and "Description" not in shown

    scheduler.create_schedule_group(Name="team", Tags=[{"Key": "a", "Value": "b"}])
    for number in range(3):
        scheduler.create_schedule(**{**request, "Name": f"s{number}"}, GroupName="team")
    pages = scheduler.get_paginator("list_schedules").paginate(GroupName="team", PaginationConfig={"PageSize": 2})
    assert [each["Name"] for page in pages for each in page["Schedules"]] == ["s0", "s1", "s2"]
    assert [each["Name"] for each in scheduler.list_schedules(State="DISABLED")["Schedules"]] == ["nightly"]
    group = scheduler.get_schedule_group(Name="team")
    assert scheduler.list_tags_for_resource(ResourceArn=group["Arn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    scheduler.delete_schedule_group(Name="team")
    scheduler.delete_schedule(Name="nightly")
    assert scheduler.list_schedules()["Schedules"] == []
    assert refused(scheduler.get_schedule, Name="nightly") == "ResourceNotFoundException"
    assert refused(scheduler.delete_schedule_group, Name="team") == "ResourceNotFoundException"
    wrong = {**request, "ScheduleExpression": "sometimes"}
    assert refused(scheduler.create_schedule, **wrong) == "ValidationException"
    with pytest.raises(ParamValidationError):
        scheduler.create_schedule(Name="x")


def test_policies_know_schedules(lab: Lab, scheduler: Any) -> None:
    iam, sts = lab.server.client("iam"), lab.server.client("sts")
    person = iam.create_user(UserName="planner")["User"]["Arn"]
    allowed = {
        "Effect": "Allow",
        "Action": "scheduler:GetSchedule",
        "Resource": "arn:aws:scheduler:*:*:schedule/default/mine-*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="planner", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="planner")["AccessKey"]
    client = lab.server.client(
        "scheduler",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    assert sts.get_caller_identity()["Arn"] != person
    assert refused(client.get_schedule, Name="mine-1") == "ResourceNotFoundException"
    assert refused(client.get_schedule, Name="other") == "AccessDeniedException"
    assert refused(client.get_schedule, Name="mine-1", GroupName="g") == "AccessDeniedException"
    assert refused(client.list_schedules) == "AccessDeniedException"
    # A schedule has the tags of its group.
    scheduler.create_schedule_group(Name="tagged", Tags=[{"Key": "team", "Value": "a"}])
    tagged = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    allowed = {"Effect": "Allow", "Action": "scheduler:GetSchedule", "Resource": "*", "Condition": tagged}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="planner", PolicyName="p", PolicyDocument=document)
    assert refused(client.get_schedule, Name="any", GroupName="tagged") == "ResourceNotFoundException"
    assert refused(client.get_schedule, Name="any") == "AccessDeniedException"
