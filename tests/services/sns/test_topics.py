"""Topics by their handlers, with a clock that the test moves."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from clary.core.errors import AccessDenied
from clary.services.sns import api
from clary.services.sns.deliveries import deliver
from clary.services.sns.errors import BatchEntryIdsNotDistinct, InvalidParameter, NotFound
from clary.services.sns.filters import check_filter, is_for
from clary.services.sns.service import SERVICE
from clary.services.sns.subscriptions import PENDING_SECONDS, find_subscription
from clary.services.sqs.service import SERVICE as SQS

TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:{}"
S3 = {"service": "s3.amazonaws.com", "source_arn": "arn:aws:s3:::data", "source_account": "123456789012"}


@pytest.fixture
def call(installation: Any) -> Callable[..., Any]:
    """Calls an operation, on the topic ``t`` where no other is named."""

    def call(operation: str, **params: Any) -> Any:
        if operation not in ("CreateTopic", "ListTopics") and "SubscriptionArn" not in params:
            params.setdefault("TopicArn", TOPIC)
        return SERVICE.operations[operation](installation.context(), params)

    return call


def open_queue(installation: Any, name: str, **attributes: str) -> str:
    """A queue to which every topic may send; gives its ARN."""
    arn = QUEUE.format(name)
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    params = {"QueueName": name, "Attributes": {"Policy": policy, **attributes}}
    SQS.operations["CreateQueue"](installation.context(), params)
    return arn


def received(installation: Any, name: str) -> list[Any]:
    params = {
        "QueueUrl": f"http://h/123456789012/{name}",
        "MaxNumberOfMessages": 10,
        "MessageAttributeNames": ["All"],
        "MessageSystemAttributeNames": ["All"],
    }
    return list(SQS.operations["ReceiveMessage"](installation.context(), params).get("Messages", []))


def text(value: str, kind: str = "String") -> dict[str, str]:
    return {"DataType": kind, "StringValue": value}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, True),
        ({"kind": ["a", "report"]}, True),
        ({"kind": ["a"]}, False),
        ({"kind": [{"anything-but": ["a"]}], "size": [12]}, True),
        ({"size": [{"numeric": [">", 12]}]}, False),
        ({"size": ["12"]}, False),
        ({"tags": ["red"]}, True),
        ({"tags": [{"prefix": "gr"}]}, True),
        ({"tags": ["blue"]}, False),
        ({"missing": [{"exists": False}]}, True),
        ({"missing": ["x"]}, False),
        ({"raw": [{"exists": True}]}, False),
    ],
)
def test_filters_on_attributes(policy: Any, expected: bool) -> None:
    attributes = {
        "kind": text("report"),
        "size": text("12", "Number"),
        "tags": text('["red", "green"]', "String.Array"),
        "raw": {"DataType": "Binary", "BinaryValue": "AA=="},
    }
    check_filter(json.dumps(policy), "MessageAttributes")
    assert is_for({"FilterPolicy": json.dumps(policy)}, "body", attributes) is expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [('{"a": {"b": [{"c": 1}, {"c": 2}]}}', True), ('{"a": {"b": [{"c": 3}]}}', False), ("[1]", False), ("x", False)],
)
def test_filters_on_the_body(body: str, expected: bool) -> None:
    scope = {"FilterPolicy": '{"a": {"b": {"c": [2]}}}', "FilterPolicyScope": "MessageBody"}
    assert is_for(scope, body, {}) is expected


@pytest.mark.parametrize("policy", ["[]", "{", '{"a": 1}', '{"a": {"b": ["c"]}}', '{"a": []}'])
def test_filters_that_are_none(policy: str) -> None:
    with pytest.raises(InvalidParameter):
        check_filter(policy, "MessageAttributes")


def test_fifo_topics_send_to_fifo_queues_in_order(installation: Any, call: Any) -> None:
    call("CreateTopic", Name="t.fifo", Attributes={"FifoTopic": "true", "ContentBasedDeduplication": "true"})
    topic = {"TopicArn": f"{TOPIC}.fifo"}
    arn = open_queue(installation, "q.fifo", FifoQueue="true")
    call("Subscribe", **topic, Protocol="sqs", Endpoint=arn)
    first = call("Publish", **topic, Message="1", MessageGroupId="g")
    again = call("Publish", **topic, Message="1", MessageGroupId="g")
    second = call("Publish", **topic, Message="2", MessageGroupId="g")
    assert first == again and first["SequenceNumber"] < second["SequenceNumber"]
    messages = received(installation, "q.fifo")
    assert [json.loads(each["Body"])["Message"] for each in messages] == ["1", "2"]
    assert messages[0]["Attributes"]["MessageGroupId"] == "g"
    with pytest.raises(InvalidParameter, match="MessageGroupId"):
        call("Publish", **topic, Message="3")
    with pytest.raises(InvalidParameter, match="not supported for FIFO"):
        call("Subscribe", **topic, Protocol="http", Endpoint="http://h/")
    call("CreateTopic", Name="t")
    with pytest.raises(InvalidParameter, match="can not be subscribed"):
        call("Subscribe", Protocol="sqs", Endpoint=arn)


def test_what_a_subscriber_does_not_take_goes_to_its_dead_letters(
    installation: Any, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    call("CreateTopic", Name="t")
    dead = open_queue(installation, "dead")
    arn = call("Subscribe", Protocol="sqs", Endpoint=QUEUE.format("none"))["SubscriptionArn"]
    with caplog.at_level(logging.WARNING):
        call("Publish", Message="lost")
    assert "was not delivered to" in caplog.text
    policy = json.dumps({"deadLetterTargetArn": dead})
    call("SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue=policy)
    call("Publish", Message="kept")
    assert [json.loads(each["Body"])["Message"] for each in received(installation, "dead")] == ["kept"]
    with pytest.raises(InvalidParameter):
        call("SetSubscriptionAttributes", SubscriptionArn=arn, AttributeName="RedrivePolicy", AttributeValue="{}")


def test_batches_and_messages_by_protocol(installation: Any, call: Any) -> None:
    call("CreateTopic", Name="t")
    raw = {"RawMessageDelivery": "True"}
    call("Subscribe", Protocol="sqs", Endpoint=open_queue(installation, "q"), Attributes=raw)
    entries = [{"Id": "1", "Message": "a"}, {"Id": "2", "Message": ""}]
    answer = call("PublishBatch", PublishBatchRequestEntries=entries)
    assert [each["Id"] for each in answer["Successful"]] == ["1"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("2", "InvalidParameter")]
    with pytest.raises(BatchEntryIdsNotDistinct):
        call("PublishBatch", PublishBatchRequestEntries=[entries[0], entries[0]])
    told = json.dumps({"default": "d", "sqs": "for queues"})
    call("Publish", Message=told, MessageStructure="json", MessageAttributes={"n": text("1", "Number")})
    bodies = [(each["Body"], each.get("MessageAttributes")) for each in received(installation, "q")]
    assert bodies == [("a", None), ("for queues", {"n": text("1", "Number")})]


def test_policies_of_topics(installation: Any, call: Any) -> None:
    call("CreateTopic", Name="t", Tags=[{"Key": "a", "Value": "b"}])
    call("Subscribe", Protocol="sqs", Endpoint=open_queue(installation, "q"))
    with pytest.raises(AccessDenied):
        api.publish(installation.platform, TOPIC, "m", **S3)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": TOPIC,
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::da*"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    call("SetTopicAttributes", AttributeName="Policy", AttributeValue=policy)
    api.publish(installation.platform, TOPIC, "m", subject="s", **S3)
    assert json.loads(received(installation, "q")[0]["Body"])["Subject"] == "s"
    with pytest.raises(NotFound):
        api.publish(installation.platform, TOPIC + "x", "m", **S3)
    call("AddPermission", Label="l", AWSAccountId=["111122223333"], ActionName=["Publish"])
    with pytest.raises(InvalidParameter, match="already exists"):
        call("AddPermission", Label="l", AWSAccountId=["111122223333"], ActionName=["Publish"])
    kept = json.loads(call("GetTopicAttributes")["Attributes"]["Policy"])
    assert [each.get("Sid") for each in kept["Statement"]] == [None, "l"]
    call("RemovePermission", Label="l")
    assert json.loads(call("GetTopicAttributes")["Attributes"]["Policy"])["Statement"] == [statement]
    call("TagResource", ResourceArn=TOPIC, Tags=[{"Key": "c", "Value": "d"}])
    call("UntagResource", ResourceArn=TOPIC, TagKeys=["a"])
    assert call("ListTagsForResource", ResourceArn=TOPIC) == {"Tags": [{"Key": "c", "Value": "d"}]}
    with pytest.raises(InvalidParameter, match="different attributes"):
        call("CreateTopic", Name="t", Attributes={"DisplayName": "d"})


class _Endpoint(BaseHTTPRequestHandler):
    answers: list[int]
    asked: list[str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body["Type"])
        self.send_response(self.answers.pop(0))
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def test_endpoints_are_tried_again_as_their_policy_says(installation: Any, call: Any) -> None:
    call("CreateTopic", Name="t")
    dead = open_queue(installation, "dead")
    handler = type("Endpoint", (_Endpoint,), {"answers": [200, 500, 302, 429, 503, 400], "asked": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    retry = {"healthyRetryPolicy": {"minDelayTarget": 10, "maxDelayTarget": 30, "numRetries": 3}}
    attributes = {
        "DeliveryPolicy": json.dumps(retry),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead}),
    }
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    params = {"Protocol": "http", "Endpoint": address, "ReturnSubscriptionArn": True, "Attributes": attributes}
    arn = call("Subscribe", **params)["SubscriptionArn"]

    class Look:
        platform = installation.platform
        record: Any = None

    def look() -> float | None:
        look: Any = Look()
        with installation.database.read() as transaction:
            look.record = find_subscription(transaction, arn)
        return deliver(look)

    call("Publish", Message="nobody has confirmed")
    assert look() is None and handler.asked == ["SubscriptionConfirmation"]  # type: ignore[attr-defined]
    with installation.database.read() as transaction:
        record = find_subscription(transaction, arn)
    assert record.wake_at == record.created + PENDING_SECONDS
    call("ConfirmSubscription", Token=record.document["Token"])
    call("Publish", Message="m")
    # A redirection is an answer like others: nothing is sent anywhere else.
    pauses = []
    for _ in range(3):
        pauses.append(look())
        installation.now += pauses[-1] or 0
    assert pauses == pytest.approx([10, 20, 30], abs=0.01)
    assert look() is None
    assert [json.loads(each["Body"])["Message"] for each in received(installation, "dead")] == ["m"]
    call("Publish", Message="refused")
    assert look() is None
    assert [json.loads(each["Body"])["Message"] for each in received(installation, "dead")] == ["refused"]
    assert handler.asked[1:] == ["Notification"] * 5  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_subscription_that_nobody_confirms_ends(installation: Any, call: Any) -> None:
    call("CreateTopic", Name="t")
    # Nothing listens there.
    params = {"Protocol": "http", "Endpoint": "http://127.0.0.1:1/", "ReturnSubscriptionArn": True}
    arn = call("Subscribe", **params)["SubscriptionArn"]

    class Look:
        platform = installation.platform
        record: Any = None

    for _ in range(6):
        look: Any = Look()
        with installation.database.read() as transaction:
            look.record = find_subscription(transaction, arn)
        installation.now += deliver(look) or 0
        if look.record.wake_at == look.record.created + PENDING_SECONDS:
            break
    installation.now += PENDING_SECONDS
    with installation.database.read() as transaction:
        look.record = find_subscription(transaction, arn)
    assert deliver(look) is None
    with installation.database.read() as transaction, pytest.raises(NotFound):
        find_subscription(transaction, arn)
