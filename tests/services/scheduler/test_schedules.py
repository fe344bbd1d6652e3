"""Schedules by the handlers and the reconciler: what is called when, again, and at last."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary.core.errors import ConflictException, InternalFailure, ServiceError, ValidationException
from clary.services.scheduler.errors import ResourceNotFoundException
from clary.state.records import Query

ACCOUNT = "123456789012"
SDK = "arn:aws:scheduler:::aws-sdk:"


def attributes(message: Any) -> dict[str, str]:
    return {name: each["StringValue"] for name, each in message["MessageAttributes"].items()}


def test_a_rate_calls_at_once_and_then_whenever_it_is_due(scheduled: Any) -> None:
    scheduled.create(Target={"Arn": scheduled.queue(), "Input": "hello"})
    scheduled.later()
    assert scheduled.bodies() == ["hello"]
    scheduled.later(299)
    assert scheduled.bodies() == []
    scheduled.later(1)
    assert scheduled.bodies() == ["hello"]


def test_what_was_due_while_it_was_down_is_called_once(scheduled: Any) -> None:
    scheduled.create(Target={"Arn": scheduled.queue(), "Input": "x"})
    scheduled.later(3_700)
    assert scheduled.bodies() == ["x"]
    scheduled.later(0)
    assert scheduled.bodies() == []
    scheduled.later(200)  # due at the whole five minutes again
    assert scheduled.bodies() == ["x"]


def test_context_attributes_and_the_notification(scheduled: Any) -> None:
    text = json.dumps(
        {
            "schedule": "<aws.scheduler.schedule-arn>",
            "at": "<aws.scheduler.scheduled-time>",
            "id": "<aws.scheduler.execution-id>",
            "attempt": "<aws.scheduler.attempt-number>",
            "other": "<aws.scheduler.unknown>",
        }
    )
    queue = scheduled.queue()
    arn = scheduled.create("a", "at(2027-01-15T08:30:00)", Target={"Arn": queue, "Input": text})
    scheduled.later(1_800)
    [body] = scheduled.bodies()
    told = json.loads(body)
    assert (told["schedule"], told["at"], told["attempt"]) == (arn, "2027-01-15T08:30:00Z", "1")
    assert len(told["id"]) == 36 and told["other"] == "<aws.scheduler.unknown>"
    scheduled.create("b", Target={"Arn": queue})
    scheduled.later()
    [body] = scheduled.bodies()
    told = json.loads(body)
    assert (told["source"], told["detail-type"], told["detail"]) == ("aws.scheduler", "Scheduled Event", "{}")
    assert told["resources"] == [arn.replace("/a", "/b")]


def test_a_schedule_that_is_over_stays_or_goes(scheduled: Any) -> None:
    queue = scheduled.queue()
    for name, action in (("stays", "NONE"), ("goes", "DELETE")):
        scheduled.create(
            name, "at(2027-01-15T08:01:00)", Target={"Arn": queue, "Input": name}, ActionAfterCompletion=action
        )
    scheduled.later(60)
    assert sorted(scheduled.bodies()) == ["goes", "stays"]
    assert [each["Name"] for each in scheduled("scheduler", "ListSchedules")["Schedules"]] == ["stays"]
    scheduled.later(86_400)
    assert scheduled.bodies() == []


def test_disabled_and_enabled_again(scheduled: Any) -> None:
    target = {"Arn": scheduled.queue(), "Input": "x", "RoleArn": scheduled.role}
    scheduled.create(Target=target, State="DISABLED")
    scheduled.later(3_600)
    assert scheduled.bodies() == []
    off = {"Mode": "OFF"}
    scheduled(
        "scheduler",
        "UpdateSchedule",
        Name="s",
        ScheduleExpression="rate(1 hour)",
        Target=target,
        FlexibleTimeWindow=off,
    )
    scheduled.later()
    assert scheduled.bodies() == ["x"]
    shown = scheduled("scheduler", "GetSchedule", Name="s")
    assert (shown["State"], shown["ScheduleExpression"]) == ("ENABLED", "rate(1 hour)")
    assert shown["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}


def test_a_window_keeps_to_its_end(scheduled: Any) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    target = {"Arn": scheduled.queue(), "Input": "<aws.scheduler.scheduled-time>"}
    scheduled.create("w", "at(2027-01-15T08:01:00)", Target=target, FlexibleTimeWindow=window)
    scheduled.later(60 + 15 * 60)
    assert scheduled.bodies() == ["2027-01-15T08:01:00Z"]


def test_without_permission_the_call_is_a_dead_letter_at_once(scheduled: Any) -> None:
    queue, dead = scheduled.queue(), scheduled.queue("dead")
    arn = scheduled.create(Target={"Arn": queue, "Input": "x", "DeadLetterConfig": {"Arn": dead}})
    scheduled("iam", "DeleteRolePolicy", RoleName="schedules", PolicyName="all")
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    scheduled("iam", "PutRolePolicy", RoleName="schedules", PolicyName="dead", PolicyDocument=document)
    scheduled.installation.identities.refresh()
    scheduled.later()
    assert scheduled.bodies() == []
    [message] = scheduled.received("dead")
    told = attributes(message)
    assert (message["Body"], told["SCHEDULE_ARN"], told["TARGET_ARN"]) == ("x", arn, queue)
    assert "AccessDenied" in told["ERROR_CODE"] and told["RETRY_ATTEMPTS"] == "0"
    assert "EXHAUSTED_RETRY_CONDITION" not in told


class Busy:
    """Calls that fail as often as it says."""

    def __init__(self, times: int) -> None:
        self.times, self.made = times, 0

    def offers(self, service: str, operation: str) -> bool:
        return True

    def make(self, context: Any, service: str, operation: str, members: Any) -> dict[str, Any]:
        self.made += 1
        if self.made <= self.times:
            raise InternalFailure("busy")
        return {}


@pytest.mark.parametrize(("failures", "most", "made"), [(2, 185, 3), (9, 1, 2), (9, 0, 1)])
def test_what_failed_is_tried_again(scheduled: Any, failures: int, most: int, made: int) -> None:
    from dataclasses import replace

    busy = Busy(failures)
    scheduled.platform = replace(scheduled.platform, calls=busy)
    policy = {"MaximumRetryAttempts": most, "MaximumEventAgeInSeconds": 3_600}
    dead = {"Arn": scheduled.queue("dead")}
    target = {"Arn": f"{SDK}sqs:purgeQueue", "Input": "{}", "RetryPolicy": policy, "DeadLetterConfig": dead}
    scheduled.create("a", "at(2027-01-15T08:01:00)", Target=target)
    scheduled.later(60)
    for _ in range(10):
        scheduled.later(60)
    assert busy.made == made
    letters = [attributes(each) for each in scheduled.received("dead")]
    expected = [] if made > failures else [("MaximumRetryAttempts", str(most), "InternalFailure")]
    names = ("EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS", "ERROR_CODE")
    assert [tuple(each[name] for name in names) for each in letters] == expected


def test_an_operation_is_called_as_the_role_and_creates_once(scheduled: Any) -> None:
    given = json.dumps({"Name": "made-<aws.scheduler.attempt-number>"})
    scheduled.create("a", Target={"Arn": f"{SDK}scheduler:createScheduleGroup", "Input": given})
    scheduled.allow("scheduler:CreateScheduleGroup")
    scheduled.later()
    assert scheduled("scheduler", "GetScheduleGroup", Name="made-1")["State"] == "ACTIVE"
    # As after a crash between the call and its being noted.
    database = scheduled.platform.database
    with database.write() as transaction:
        [record] = transaction.find(Query(ACCOUNT, "us-east-1", "scheduler", "Schedule"))
        [group] = transaction.find(Query(ACCOUNT, "us-east-1", "scheduler", "ScheduleGroup"))
        execution = group.document["CreatedBy"]["IamIdentity"]["Arn"].rsplit("/", 1)[-1]
        now = scheduled.installation.now
        call = {"id": execution, "scheduled": now, "attempts": 0, "since": now, "next": now}
        record.document["_calls"], record.wake_at = [call], now
        transaction.update(record)
    scheduled.later()
    with database.read() as transaction:
        record = transaction.by_id(record.id)
        assert record.document["_calls"] == []
        assert transaction.count(Query(ACCOUNT, "us-east-1", "scheduler", "ScheduleGroup")) == 1
    assert f"assumed-role/schedules/{execution}" in group.document["CreatedBy"]["IamIdentity"]["Arn"]


def test_an_operation_that_the_role_may_not_call(scheduled: Any) -> None:
    dead = {"Arn": scheduled.queue("dead")}
    target = {"Arn": f"{SDK}scheduler:createScheduleGroup", "Input": '{"Name": "g"}', "DeadLetterConfig": dead}
    scheduled.create("a", Target=target)
    scheduled.allow("sqs:SendMessage")
    scheduled.later()
    [message] = scheduled.received("dead")
    assert "scheduler:CreateScheduleGroup" in attributes(message)["ERROR_MESSAGE"]
    scheduled.allow("*")
    wrong = {**target, "Input": '{"Name": 7}'}
    scheduled.create("b", Target=wrong)
    scheduled.later()
    [message] = scheduled.received("dead")
    assert attributes(message)["ERROR_CODE"] in ("SerializationException", "ValidationException")


def test_events_on_a_bus(scheduled: Any) -> None:
    queue = scheduled.queue()
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}
    text = json.dumps({"Version": "2012-10-17", **policy})
    scheduled("sqs", "SetQueueAttributes", QueueUrl=f"http://h/{ACCOUNT}/q", Attributes={"Policy": text})
    scheduled("events", "PutRule", Name="r", EventPattern='{"source": ["clock"]}')
    scheduled("events", "PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": queue}])
    bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
    parameters = {"Source": "clock", "DetailType": "Tick"}
    target = {"Arn": bus, "EventBridgeParameters": parameters, "Input": '{"n": 1}'}
    scheduled.create("e", Target=target)
    scheduled.later()
    [body] = scheduled.bodies()
    event = json.loads(body)
    assert (event["source"], event["detail-type"], event["detail"]) == ("clock", "Tick", {"n": 1})


def test_topics(scheduled: Any) -> None:
    topic = scheduled("sns", "CreateTopic", Name="t")["TopicArn"]
    policy = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}]}
    queue, text = scheduled.queue(), json.dumps({"Version": "2012-10-17", **policy})
    scheduled("sqs", "SetQueueAttributes", QueueUrl=f"http://h/{ACCOUNT}/q", Attributes={"Policy": text})
    scheduled("sns", "Subscribe", TopicArn=topic, Protocol="sqs", Endpoint=queue)
    scheduled.create("t", Target={"Arn": topic, "Input": "news"})
    scheduled.later()
    [body] = scheduled.bodies()
    assert json.loads(body)["Message"] == "news"


def test_groups(scheduled: Any) -> None:
    target = {"Arn": scheduled.queue(), "Input": "x"}
    with pytest.raises(ResourceNotFoundException, match="Schedule group g does not exist"):
        scheduled.create(GroupName="g", Target=target)
    assert scheduled("scheduler", "GetScheduleGroup", Name="default")["State"] == "ACTIVE"
    made = scheduled("scheduler", "CreateScheduleGroup", Name="g", Tags=[{"Key": "a", "Value": "b"}])
    arn = made["ScheduleGroupArn"]
    assert arn == f"arn:aws:scheduler:us-east-1:{ACCOUNT}:schedule-group/g"
    assert scheduled("scheduler", "ListTagsForResource", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert scheduled.create(GroupName="g", Target=target).endswith(":schedule/g/s")
    assert scheduled.create(Target=target).endswith(":schedule/default/s")
    with pytest.raises(ConflictException, match="Schedule s already exists"):
        scheduled.create(Target=target)
    names = [group["Name"] for group in scheduled("scheduler", "ListScheduleGroups")["ScheduleGroups"]]
    assert names == ["default", "g"]
    assert len(scheduled("scheduler", "ListSchedules")["Schedules"]) == 2
    [listed] = scheduled("scheduler", "ListSchedules", GroupName="g", NamePrefix="s", State="ENABLED")["Schedules"]
    assert (listed["GroupName"], listed["Target"]["Arn"]) == ("g", target["Arn"])
    scheduled("scheduler", "DeleteScheduleGroup", Name="g")
    with pytest.raises(ServiceError, match="does not exist"):
        scheduled("scheduler", "GetSchedule", Name="s", GroupName="g")
    assert scheduled("scheduler", "GetSchedule", Name="s")["GroupName"] == "default"
    with pytest.raises(ValidationException):
        scheduled("scheduler", "DeleteScheduleGroup", Name="default")
    scheduled("scheduler", "DeleteSchedule", Name="s")
    with pytest.raises(ResourceNotFoundException, match="Schedule s does not exist"):
        scheduled("scheduler", "DeleteSchedule", Name="s")


QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"Arn": "nonsense"}, "Provided Arn is not in correct format."),
        ({"Arn": f"arn:aws:ecs:us-east-1:{ACCOUNT}:cluster/c"}, "ecs is not a supported service for a target"),
        ({"Arn": f"{SDK}sqs:getQueueUrl", "Input": "{}"}, "getQueueUrl API is not supported"),
        ({"Arn": f"{SDK}rds:stopDBCluster", "Input": "{}"}, "rds:stopDBCluster is not a supported service"),
        ({"Arn": f"{SDK}sagemaker:makeTea", "Input": "{}"}, "sagemaker:makeTea is not a supported service"),
        ({"Arn": f"{SDK}sagemaker:createModel"}, "You must provide an input"),
        ({"Arn": f"{SDK}sagemaker:createModel", "Input": "[1"}, "Invalid RequestJson"),
        ({"Arn": f"{SDK}sagemaker:createModel", "Input": "[]"}, "Invalid RequestJson"),
        ({"Arn": f"{QUEUE}.fifo"}, "needs SqsParameters"),
        ({"Arn": QUEUE, "EventBridgeParameters": {"Source": "a", "DetailType": "b"}}, "cannot have EventBridgeParam"),
        ({"Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"}, "needs EventBridgeParameters"),
        ({"Arn": QUEUE, "DeadLetterConfig": {"Arn": f"{QUEUE}.fifo"}}, "must not be a FIFO queue"),
        ({"Arn": QUEUE, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "must allow AWS EventBridge Scheduler"),
        ({"Arn": QUEUE, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"}, "must allow AWS EventBridge"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_targets_that_are_refused(scheduled: Any, target: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationException, match=message):
        scheduled.create(Target=target)
