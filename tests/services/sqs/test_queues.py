"""Queues by their handlers, with a clock that the test moves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from clary.core.errors import AccessDenied, ResourceNotFoundException, ServiceError
from clary.services.iam.api import Principal
from clary.services.iam.resource_policies import compiled
from clary.services.sqs import api
from clary.services.sqs.arrivals import MOST_WAITING, Arrivals
from clary.services.sqs.digests import of_attributes
from clary.services.sqs.errors import (
    InvalidAttributeName,
    InvalidParameterValue,
    MessageNotInflight,
    OverLimit,
    PurgeQueueInProgress,
    QueueDoesNotExist,
    ReceiptHandleIsInvalid,
    UnsupportedOperation,
)
from clary.services.sqs.queues import queue_of
from clary.services.sqs.service import SERVICE, sweep

ARN = "arn:aws:sqs:us-east-1:123456789012:{}"
S3: dict[str, Any] = {
    "service": "s3.amazonaws.com",
    "source_arn": "arn:aws:s3:::data",
    "source_account": "123456789012",
}


@pytest.fixture
def call(installation: Any) -> Callable[..., Any]:
    """Calls an operation, on the queue ``q`` where no other is named."""

    def call(operation: str, **params: Any) -> Any:
        if operation not in ("CreateQueue", "ListQueues", "GetQueueUrl"):
            params.setdefault("QueueUrl", "http://h/123456789012/q")
        return SERVICE.operations[operation](installation.context(), params)

    return call


def bodies(answer: Any) -> list[str]:
    return [message["Body"] for message in answer.get("Messages", [])]


def policy(arn: str, **condition: Any) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "SQS:SendMessage",
        "Resource": arn,
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_a_message_comes_back_when_nobody_deletes_it_in_time(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="q", Attributes={"VisibilityTimeout": "10"})
    call("SendMessage", MessageBody="m")
    [first] = call("ReceiveMessage")["Messages"]
    installation.now += 9
    assert call("ReceiveMessage") == {}
    call("ChangeMessageVisibility", ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=10)
    installation.now += 9
    assert call("ReceiveMessage") == {}
    installation.now += 2
    with pytest.raises(MessageNotInflight):
        call("ChangeMessageVisibility", ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=10)
    [second] = call("ReceiveMessage")["Messages"]
    # Whoever shows an old receipt takes nothing away from the one who has the message now.
    call("DeleteMessage", ReceiptHandle=first["ReceiptHandle"])
    installation.now += 11
    [third] = call("ReceiveMessage", MessageSystemAttributeNames=["All"])["Messages"]
    assert third["Attributes"]["ApproximateReceiveCount"] == "3"
    assert second["MessageId"] == third["MessageId"]
    for _ in range(2):
        call("DeleteMessage", ReceiptHandle=third["ReceiptHandle"])
    installation.now += 11
    assert call("ReceiveMessage") == {}
    call("CreateQueue", QueueName="other")
    with pytest.raises(ReceiptHandleIsInvalid):
        call("DeleteMessage", QueueUrl="http://h/123456789012/other", ReceiptHandle=third["ReceiptHandle"])


def test_what_is_too_old_is_gone_even_where_nobody_looks(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="q", Attributes={"MessageRetentionPeriod": "60"})
    call("SendMessage", MessageBody="old")
    installation.now += 50
    call("SendMessage", MessageBody="young")
    installation.now += 20
    with installation.database.read() as transaction:
        record = queue_of(transaction, ARN.format("q"))
    assert record is not None and record.wake_at is not None

    class Look:
        platform = installation.platform

    look: Any = Look()
    look.record = record
    assert sweep(look) is None
    with installation.database.read() as transaction:
        assert [message.body for message in transaction.messages.visible_after(record.id, installation.now, 0, 10)] == [
            "young"
        ]
        again = queue_of(transaction, ARN.format("q"))
    assert again is not None and again.wake_at is not None and again.wake_at > installation.now
    call("SetQueueAttributes", Attributes={"MessageRetentionPeriod": "120"})
    installation.now += 80
    assert bodies(call("ReceiveMessage")) == ["young"]
    installation.now += 41
    assert call("ReceiveMessage") == {}


def test_delays(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="q", Attributes={"DelaySeconds": "5"})
    call("SendMessage", MessageBody="by the queue")
    call("SendMessage", MessageBody="at once", DelaySeconds=0)
    assert bodies(call("ReceiveMessage", MaxNumberOfMessages=10)) == ["at once"]
    counts = call("GetQueueAttributes", AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    assert counts == {"Attributes": {"ApproximateNumberOfMessagesDelayed": "1"}}
    installation.now += 5
    assert bodies(call("ReceiveMessage", MaxNumberOfMessages=10)) == ["by the queue"]
    with pytest.raises(InvalidParameterValue):
        call("SendMessage", MessageBody="m", DelaySeconds=901)


def test_fifo_queues_know_for_five_minutes_what_they_were_sent(installation: Any, call: Any) -> None:
    url = "http://h/123456789012/q.fifo"
    call("CreateQueue", QueueName="q.fifo", Attributes={"FifoQueue": "true"})
    once = {"QueueUrl": url, "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
    first = call("SendMessage", **once)
    [message] = call("ReceiveMessage", QueueUrl=url)["Messages"]
    call("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    installation.now += 299
    again = call("SendMessage", **once)
    assert (again["MessageId"], again["SequenceNumber"]) == (first["MessageId"], first["SequenceNumber"])
    assert call("ReceiveMessage", QueueUrl=url) == {}
    installation.now += 2
    assert call("SendMessage", **once)["SequenceNumber"] > first["SequenceNumber"]
    assert bodies(call("ReceiveMessage", QueueUrl=url)) == ["m"]
    call("SetQueueAttributes", QueueUrl=url, Attributes={"DeduplicationScope": "messageGroup"})
    for group in ("x", "y", "x"):
        call("SendMessage", **{**once, "MessageGroupId": group, "MessageBody": group})
    assert bodies(call("ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10)) == ["x", "y"]
    installation.now += 31
    [late] = call("ReceiveMessage", QueueUrl=url)["Messages"]
    installation.now += 31
    with pytest.raises(InvalidParameterValue, match="expired"):
        call("DeleteMessage", QueueUrl=url, ReceiptHandle=late["ReceiptHandle"])
    with pytest.raises(InvalidParameterValue, match="ContentBasedDeduplication"):
        call("SendMessage", QueueUrl=url, MessageBody="m", MessageGroupId="g")
    with pytest.raises(InvalidParameterValue, match="DelaySeconds"):
        call("SendMessage", **{**once, "DelaySeconds": 3})
    with pytest.raises(InvalidAttributeName):
        call("SetQueueAttributes", QueueUrl=url, Attributes={"FifoQueue": "true"})


def test_dead_letters_need_a_queue_that_takes_them(call: Any) -> None:
    def redrive(target: str) -> dict[str, str]:
        return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": ARN.format(target), "maxReceiveCount": 1})}

    with pytest.raises(InvalidParameterValue, match="does not exist"):
        call("CreateQueue", QueueName="q", Attributes=redrive("dead"))
    call("CreateQueue", QueueName="dead", Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'})
    with pytest.raises(InvalidParameterValue, match="does not allow"):
        call("CreateQueue", QueueName="q", Attributes=redrive("dead"))
    dead = "http://h/123456789012/dead"
    allowed = json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [ARN.format("q")]})
    call("SetQueueAttributes", QueueUrl=dead, Attributes={"RedriveAllowPolicy": allowed})
    call("CreateQueue", QueueName="q", Attributes=redrive("dead"))
    with pytest.raises(InvalidParameterValue, match="same type"):
        call("CreateQueue", QueueName="f.fifo", Attributes={"FifoQueue": "true", **redrive("dead")})
    for number in range(3):
        call("SendMessage", MessageBody=str(number))
    assert bodies(call("ReceiveMessage", MaxNumberOfMessages=10, VisibilityTimeout=0)) == ["0", "1", "2"]
    assert call("ReceiveMessage", MaxNumberOfMessages=10) == {}
    assert bodies(call("ReceiveMessage", QueueUrl=dead, MaxNumberOfMessages=10)) == ["0", "1", "2"]
    call("SetQueueAttributes", Attributes={"RedrivePolicy": ""})
    assert "RedrivePolicy" not in call("GetQueueAttributes", AttributeNames=["All"])["Attributes"]


def test_purges_come_a_minute_apart_and_a_queue_takes_its_messages_with_it(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="q", tags={"a": "b"})
    call("SendMessage", MessageBody="m")
    call("PurgeQueue")
    assert call("ReceiveMessage") == {}
    with pytest.raises(PurgeQueueInProgress):
        call("PurgeQueue")
    installation.now += 60
    call("PurgeQueue")
    call("TagQueue", Tags={"c": "d"})
    call("UntagQueue", TagKeys=["a"])
    assert call("ListQueueTags") == {"Tags": {"c": "d"}}
    call("SendMessage", MessageBody="m")
    call("DeleteQueue")
    with pytest.raises(QueueDoesNotExist):
        call("ReceiveMessage")
    call("CreateQueue", QueueName="q")
    assert call("ReceiveMessage") == {}


def test_only_so_many_messages_are_in_flight(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary.services.sqs.receiving.MOST_IN_FLIGHT", 2)
    call("CreateQueue", QueueName="q")
    for number in range(3):
        call("SendMessage", MessageBody=str(number))
    call("ReceiveMessage", MaxNumberOfMessages=2)
    with pytest.raises(OverLimit):
        call("ReceiveMessage")


def test_services_send_where_the_policy_of_the_queue_lets_them(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="q")
    arn, platform = ARN.format("q"), installation.platform
    with pytest.raises(AccessDenied):
        api.send(platform, arn, "m", **S3)
    conditions = {
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:*:*:data"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
    call("SetQueueAttributes", Attributes={"Policy": policy(arn, **conditions)})
    api.send(platform, arn, "allowed", **S3)
    for other in ({"source_arn": "arn:aws:s3:::other"}, {"source_account": "1"}, {"service": "sns.amazonaws.com"}):
        with pytest.raises(AccessDenied):
            api.send(platform, arn, "m", **{**S3, **other})
    assert bodies(call("ReceiveMessage", MaxNumberOfMessages=10)) == ["allowed"]
    with pytest.raises(QueueDoesNotExist):
        api.send(platform, arn + "x", "m", **S3)


def test_a_policy_of_a_queue_lets_in_whom_it_names(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="q")
    call("AddPermission", Label="both", AWSAccountIds=["111122223333"], Actions=["SendMessage", "ReceiveMessage"])
    stranger = Principal("arn:aws:iam::111122223333:root", "111122223333", "111122223333", "root", "root")
    context = installation.context(stranger)
    params = {"QueueUrl": "http://h/123456789012/q", "MessageBody": "m"}
    assert SERVICE.resource_of is not None and SERVICE.policy_of is not None
    subject = SERVICE.resource_of(context, "SendMessage", params)
    assert isinstance(subject, str)
    text = SERVICE.policy_of(context, subject)
    assert text is not None

    def may(action: str) -> bool:
        decision = installation.identities.decide(stranger, action, subject, {}, compiled(text), "123456789012")
        return bool(decision.allowed)

    assert (may("sqs:SendMessage"), may("sqs:DeleteQueue")) == (True, False)
    with pytest.raises(InvalidParameterValue, match="Already exists"):
        call("AddPermission", Label="both", AWSAccountIds=["111122223333"], Actions=["SendMessage"])
    call("RemovePermission", Label="both")
    with pytest.raises(InvalidParameterValue, match="can't find label"):
        call("RemovePermission", Label="both")
    assert "Policy" not in call("GetQueueAttributes", AttributeNames=["All"])["Attributes"]


@pytest.mark.parametrize(
    ("attributes", "digest"),
    [
        ({"timestamp": {"DataType": "Number", "StringValue": "1493147359900"}}, "235c5c510d26fb653d073faed50ae77c"),
        (
            {"timestamp": {"DataType": "Number.java.lang.Long", "StringValue": "1493147359900"}},
            "2e2e4876d8e0bd6b8c2c8f556831c349",
        ),
    ],
)
def test_digests_of_attributes_are_those_of_aws(attributes: Any, digest: str) -> None:
    assert of_attributes(attributes) == digest


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("aws.x", {"DataType": "String", "StringValue": "a"}),
        ("a..b", {"DataType": "String", "StringValue": "a"}),
        ("a", {"StringValue": "a"}),
        ("a", {"DataType": "Text", "StringValue": "a"}),
        ("a", {"DataType": "String"}),
        ("a", {"DataType": "Binary", "StringValue": "a"}),
        ("a", {"DataType": "Number", "StringValue": "one"}),
    ],
)
def test_attributes_that_messages_cannot_have(call: Any, name: str, value: Any) -> None:
    call("CreateQueue", QueueName="q")
    with pytest.raises(ServiceError) as error:
        call("SendMessage", MessageBody="m", MessageAttributes={name: value})
    assert error.value.code == "InvalidParameterValue"


def test_who_comes_when_all_places_are_taken_gets_that_of_the_one_who_waited_longest() -> None:
    arrivals, ended = Arrivals(), []

    def wait(number: int) -> None:
        ended.append((number, arrivals.wait("q", arrivals.count("q"), 60)))

    threads = []
    for number in range(MOST_WAITING + 1):
        thread = threading.Thread(target=wait, args=(number,))
        thread.start()
        threads.append(thread)
        while number < MOST_WAITING and len(arrivals._order) <= number:
            pass
    threads[0].join(30)
    assert ended == [(0, False)]
    arrivals.tell("other")
    assert len(ended) == 1
    while len(arrivals._order) < MOST_WAITING:
        pass
    arrivals.tell("q")
    for thread in threads:
        thread.join(30)
    assert sorted(ended)[1:] == [(number, True) for number in range(1, MOST_WAITING + 1)]
    seen = arrivals.count("q")
    arrivals.tell("q")
    assert arrivals.wait("q", seen, 60)
    arrivals.close()
    assert not arrivals.wait("q", arrivals.count("q"), 60)


def test_dead_letters_go_back_to_where_they_came_from(installation: Any, call: Any) -> None:
    call("CreateQueue", QueueName="dead")
    dead = "http://h/123456789012/dead"
    for name in ("q", "gone"):
        policy = json.dumps({"deadLetterTargetArn": ARN.format("dead"), "maxReceiveCount": 1})
        call("CreateQueue", QueueName=name, Attributes={"RedrivePolicy": policy})
        url = f"http://h/123456789012/{name}"
        call("SendMessage", QueueUrl=url, MessageBody=name)
        call("ReceiveMessage", QueueUrl=url, VisibilityTimeout=0)
        assert call("ReceiveMessage", QueueUrl=url) == {}
    call("DeleteQueue", QueueUrl="http://h/123456789012/gone")
    handle = call("StartMessageMoveTask", SourceArn=ARN.format("dead"))["TaskHandle"]
    assert bodies(call("ReceiveMessage", VisibilityTimeout=0)) == ["q"]
    assert bodies(call("ReceiveMessage", QueueUrl=dead, VisibilityTimeout=0)) == ["gone"]
    call("CreateQueue", QueueName="other")
    call("StartMessageMoveTask", SourceArn=ARN.format("dead"), DestinationArn=ARN.format("other"))
    assert bodies(call("ReceiveMessage", QueueUrl="http://h/123456789012/other")) == ["gone"]
    moves = call("ListMessageMoveTasks", SourceArn=ARN.format("dead"), MaxResults=10)["Results"]
    assert [(each["Status"], each["ApproximateNumberOfMessagesMoved"]) for each in moves] == [("COMPLETED", 1)] * 2
    with pytest.raises(UnsupportedOperation):
        call("CancelMessageMoveTask", TaskHandle=handle)
    with pytest.raises(InvalidParameterValue, match="Dead Letter Queue"):
        call("StartMessageMoveTask", SourceArn=ARN.format("other"))
    with pytest.raises(ResourceNotFoundException):
        call("StartMessageMoveTask", SourceArn=ARN.format("none"))
