"""Events on their way to targets, by the handlers and with what other services call."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from clary.core.errors import ValidationException
from clary.services import s3_notifications
from clary.services.events.api import emit
from clary.services.events.inputs import at, check_input, rendered
from clary.services.events.service import app
from clary.services.logs.service import SERVICE as LOGS
from clary.services.sns.service import SERVICE as SNS
from clary.services.sqs.service import SERVICE as SQS

ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{{}}"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:{{}}"
EVENT = {
    "id": "1",
    "detail-type": "T",
    "source": "shop",
    "detail": {"name": 'a"b', "n": 1, "list": [{"x": 1}, {"x": 2}], "none": None},
}


@pytest.fixture
def events(installation: Any) -> Callable[..., Any]:
    service = app()

    def call(operation: str, **params: Any) -> Any:
        return service.operations[operation](installation.context(), params)

    return call


def queue(installation: Any, name: str, **attributes: str) -> str:
    """A queue to which S3, SNS and EventBridge may send; gives its ARN."""
    services = [f"{each}.amazonaws.com" for each in ("s3", "sns", "events")]
    statement = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    params = {"QueueName": name, "Attributes": {"Policy": policy, **attributes}}
    SQS.operations["CreateQueue"](installation.context(), params)
    return QUEUE.format(name)


def received(installation: Any, name: str) -> list[Any]:
    params = {
        "QueueUrl": f"http://h/{ACCOUNT}/{name}",
        "MaxNumberOfMessages": 10,
        "MessageAttributeNames": ["All"],
    }
    return list(SQS.operations["ReceiveMessage"](installation.context(), params).get("Messages", []))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", EVENT),
        ("$.detail.n", 1),
        ("$['detail']['name']", 'a"b'),
        ("$.detail.list[1].x", 2),
        ("$.detail.list[*].x", [1, 2]),
        ("$.detail.none", None),
        ("$.detail-type", "T"),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    assert at(path, EVENT) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"<name> is <n>"', '"a\\"b is 1"'),
        ("plain <name>, <n>", 'plain a"b, 1'),
        ('{"a": <name>, "b": "<name>!", "c": <n>, "d": <none>}', '{"a": "a\\"b", "b": "a\\"b!", "c": 1, "d": null}'),
        ('{"a": <list>, "b": "<list>"}', '{"a": [{"x":1},{"x":2}], "b": "[{\\"x\\":1},{\\"x\\":2}]"}'),
        ('{"a": <missing>, "b": "<missing>"}', '{"a": "", "b": ""}'),
        ('{"r": <aws.events.rule-name>, "t": "<aws.events.event.ingestion-time>"}', '{"r": "rule", "t": "now"}'),
        ('{"e": <aws.events.event>}', '{"e": {"id":"1","detail-type":"T","source":"shop"}}'),
    ],
)
def test_templates(template: str, expected: str) -> None:
    names = ("name", "n", "list", "none", "missing")
    target = {
        "Id": "1",
        "InputTransformer": {"InputPathsMap": {x: f"$.detail.{x}" for x in names}, "InputTemplate": template},
    }
    check_input(target)
    assert rendered(target, EVENT, ("arn", "rule"), "now") == expected
    if expected.startswith("{"):
        json.loads(expected)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Input": "{}", "InputPath": "$"},
        {"InputPath": "$.a["},
        {"InputTransformer": {"InputPathsMap": {"a": "b"}, "InputTemplate": "<a>"}},
        {"InputTransformer": {"InputPathsMap": {"AWS.x": "$.a"}, "InputTemplate": "x"}},
        {"InputTransformer": {"InputTemplate": '{"a": <b>}'}},
        {"InputTransformer": {"InputPathsMap": {"a": "$.a"}, "InputTemplate": '{"a": <a>'}},
    ],
)
def test_inputs_that_are_none(wrong: Any) -> None:
    with pytest.raises(ValidationException):
        check_input({"Id": "1", **wrong})


def test_what_a_target_does_not_take_goes_to_its_dead_letters(
    installation: Any, events: Any, caplog: pytest.LogCaptureFixture
) -> None:
    dead = queue(installation, "dead")
    events("PutRule", Name="r", EventPattern='{"source": ["shop"]}')
    none = {"Id": "1", "Arn": QUEUE.format("none"), "DeadLetterConfig": {"Arn": dead}, "Input": '"in"'}
    events("PutTargets", Rule="r", Targets=[none, {"Id": "2", "Arn": TOPIC.format("none")}])
    entry = {"Source": "shop", "DetailType": "T", "Detail": "{}"}
    with caplog.at_level(logging.WARNING):
        assert events("PutEvents", Entries=[entry])["FailedEntryCount"] == 0
    assert TOPIC.format("none") in caplog.text
    [message] = received(installation, "dead")
    assert message["Body"] == '"in"'
    assert message["MessageAttributes"]["TARGET_ARN"]["StringValue"] == QUEUE.format("none")
    events("DisableRule", Name="r")
    events("PutEvents", Entries=[entry])
    assert received(installation, "dead") == []


def test_log_groups(installation: Any, events: Any) -> None:
    context, group = installation.context(), "/aws/events/all"
    LOGS.operations["CreateLogGroup"](context, {"logGroupName": group})
    events("PutRule", Name="r", EventPattern='{"source": ["shop"]}')
    arn = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{{}}"
    dead = queue(installation, "dead")
    none = {"Id": "2", "Arn": arn.format("none"), "DeadLetterConfig": {"Arn": dead}}
    events("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": arn.format(group), "InputPath": "$.detail"}, none])
    entry = {"Source": "shop", "DetailType": "T", "Detail": '{"a": 1}'}
    events("PutEvents", Entries=[entry, entry])
    asked = {"logGroupName": group, "logStreamName": "events", "startFromHead": True}
    found = LOGS.operations["GetLogEvents"](context, asked)["events"]
    assert [event["message"] for event in found] == ['{"a":1}', '{"a":1}']
    assert len(received(installation, "dead")) == 2


def test_buses_that_send_to_each_other_stop(installation: Any, events: Any, caplog: pytest.LogCaptureFixture) -> None:
    for name, other in (("one", "two"), ("two", "one")):
        events("CreateEventBus", Name=name)
        events("PutRule", Name="r", EventBusName=name, EventPattern='{"source": ["shop"]}')
        bus = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/{other}"
        events("PutTargets", Rule="r", EventBusName=name, Targets=[{"Id": "1", "Arn": bus}])
    entry = {"Source": "shop", "DetailType": "T", "Detail": "{}", "EventBusName": "one"}
    with caplog.at_level(logging.WARNING):
        events("PutEvents", Entries=[entry])
    assert "is sent to no other" in caplog.text


def test_a_fifo_queue_gets_its_group(installation: Any, events: Any) -> None:
    arn = queue(installation, "q.fifo", FifoQueue="true")
    events("PutRule", Name="r", EventPattern='{"source": ["shop"]}')
    target = {"Id": "1", "Arn": arn, "SqsParameters": {"MessageGroupId": "g"}, "Input": "1"}
    events("PutTargets", Rule="r", Targets=[target])
    entry = {"Source": "shop", "DetailType": "T", "Detail": "{}"}
    events("PutEvents", Entries=[entry, entry])
    assert [message["Body"] for message in received(installation, "q.fifo")] == ["1", "1"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"DetailType": "T", "Detail": "{}"}, "InvalidArgument"),
        ({"Source": "s", "Detail": "{}"}, "InvalidArgument"),
        ({"Source": "s", "DetailType": "T"}, "InvalidArgument"),
        ({"Source": "s", "DetailType": "T", "Detail": "[1]"}, "MalformedDetail"),
        ({"Source": "s", "DetailType": "T", "Detail": "{"}, "MalformedDetail"),
        ({"Source": "aws.s3", "DetailType": "T", "Detail": "{}"}, "NotAuthorizedForSourceException"),
        ({"Source": "s", "DetailType": "T", "Detail": "{}", "EventBusName": "none"}, "InvalidArgument"),
    ],
)
def test_entries_that_are_not_put(events: Any, entry: Any, code: str) -> None:
    answer = events("PutEvents", Entries=[entry])
    assert (answer["FailedEntryCount"], answer["Entries"][0]["ErrorCode"]) == (1, code)


def test_too_much_at_once(events: Any) -> None:
    entry = {"Source": "s", "DetailType": "T", "Detail": json.dumps({"x": "y" * 600_000})}
    with pytest.raises(ValidationException, match="over the limit"):
        events("PutEvents", Entries=[entry, entry])


def test_services_put_events_of_their_own(installation: Any, events: Any) -> None:
    arn = queue(installation, "q")
    events("PutRule", Name="r", EventPattern='{"source": ["aws.sagemaker"]}')
    events("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    event = {"source": "aws.sagemaker", "detail-type": "SageMaker Model State Change", "detail": {"a": 1}}
    identifier = emit(installation.platform, ACCOUNT, "us-east-1", event)
    [message] = received(installation, "q")
    told = json.loads(message["Body"])
    assert (told["id"], told["account"], told["region"], told["resources"]) == (identifier, ACCOUNT, "us-east-1", [])
    emit(installation.platform, ACCOUNT, "eu-west-1", event)
    assert received(installation, "q") == []


def test_notices_of_buckets(installation: Any, events: Any, caplog: pytest.LogCaptureFixture) -> None:
    arn = queue(installation, "q")
    queue(installation, "q.fifo", FifoQueue="true")
    context = installation.context()
    topic = SNS.operations["CreateTopic"](context, {"Name": "t"})["TopicArn"]
    SQS.operations["CreateQueue"](context, {"QueueName": "closed"})
    SNS.operations["Subscribe"](context, {"TopicArn": topic, "Protocol": "sqs", "Endpoint": arn})
    wanted = [
        {"target": "sqs", "arn": arn},
        {"target": "sqs", "arn": QUEUE.format("closed")},
        {"target": "sqs", "arn": QUEUE.format("none")},
        {"target": "sqs", "arn": QUEUE.format("q.fifo")},
        {"target": "sns", "arn": topic},
        {"target": "lambda", "arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"},
    ]
    invalid = s3_notifications.validate(installation.platform, ACCOUNT, "data", wanted)
    assert invalid == [each["arn"] for each in wanted[1:]]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:data"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    params = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policy}
    SNS.operations["SetTopicAttributes"](context, params)
    assert s3_notifications.validate(installation.platform, ACCOUNT, "data", wanted[4:5]) == []
    assert s3_notifications.validate(installation.platform, ACCOUNT, "other", wanted[4:5]) == [topic]

    events("PutRule", Name="r", EventPattern='{"source": ["aws.s3"], "detail": {"bucket": {"name": ["data"]}}}')
    events("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": arn, "InputPath": "$.detail-type"}])
    place = {"account": ACCOUNT, "region": "us-east-1", "bucket": "data"}
    records = {"Records": [{"eventName": "ObjectCreated:Put"}]}
    event = {"detail-type": "Object Created", "detail": {"bucket": {"name": "data"}}}
    notices = [
        {"id": 1, "target": "sqs", "arn": arn, "message": records, **place},
        {"id": 2, "target": "sns", "arn": topic, "message": records, **place},
        {"id": 3, "target": "events", "arn": "", "message": event, **place},
        {"id": 4, "target": "sqs", "arn": QUEUE.format("none"), "message": records, **place},
        {"id": 5, "target": "moon", "arn": "", "message": records, **place},
    ]
    with caplog.at_level(logging.WARNING):
        assert s3_notifications.deliver(installation.platform, notices) == [1, 2, 3, 4, 5]
    assert caplog.text.count("was not delivered") == 2
    bodies = [json.loads(message["Body"]) for message in received(installation, "q")]
    assert bodies[0] == records and bodies[2] == "Object Created"
    assert (bodies[1]["Subject"], json.loads(bodies[1]["Message"])) == ("Amazon S3 Notification", records)


def test_rules_with_a_schedule(installation: Any, events: Any) -> None:
    arn = queue(installation, "q")
    events("PutRule", Name="r", ScheduleExpression="rate(5 minutes)")
    events("PutTargets", Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    began = installation.now

    def look() -> float | None:
        """The record is looked at as the scheduler does; gives when it wants to be looked at again."""
        with installation.database.write() as transaction:
            # Its lease is over with each look, or it would not be due in time.
            claimed = transaction.claim("process", installation.now, installation.now + 1e9)
        [record] = [each for each in claimed if each.key.service == "events"]

        class Look:
            platform = installation.platform

        look: Any = Look()
        look.record = record
        assert app().reconcilers["Rule"](look) is None
        wake_at: float | None = record.wake_at
        return wake_at

    assert look() == began + 300
    installation.now += 301
    assert look() == began + 600
    [message] = received(installation, "q")
    told = json.loads(message["Body"])
    assert (told["source"], told["detail-type"], told["detail"]) == ("aws.events", "Scheduled Event", {})
    # Nobody was there for a day: one event stands for all that were due.
    installation.now += 86_400
    assert look() == began + 86_400 + 600
    times = [json.loads(message["Body"])["time"] for message in received(installation, "q")]
    # The first message is there again, for nobody has deleted it.
    assert len(times) == 2 and told["time"] in times
    events("DisableRule", Name="r")
    assert look() is None
    events("EnableRule", Name="r")
    assert look() == installation.now + 300
    events("PutRule", Name="r", ScheduleExpression="cron(0 12 * * ? *)")
    following = look()
    assert following is not None and following % 86_400 == 43_200
    assert events("ListTargetsByRule", Rule="r")["Targets"] == [{"Id": "1", "Arn": arn}]
    events("PutRule", Name="r", EventPattern='{"source": ["shop"]}')
    assert look() is None
    for wrong in ("cron(0 25 * * ? *)", "rate(1 minutes)", "at(2026-01-01T00:00:00)"):
        with pytest.raises(ValidationException):
            events("PutRule", Name="w", ScheduleExpression=wrong)
