"""Queues, topics and rules by plain boto3 against a running server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from clary.testing.server import Server

ACCOUNT = "123456789012"


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    told = error.value.response["Error"]
    return str(told["Code"]), str(told["Message"])


def arn_of(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def queue(sqs: Any, name: str, service: str = "", source: str = "", **attributes: str) -> tuple[str, str]:
    """A queue to which a service may send for one source: its address and its ARN."""
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    arn = arn_of(sqs, url)
    if service:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": source}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def received(sqs: Any, url: str, wait: int = 5, **arguments: Any) -> list[Any]:
    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=wait, MaxNumberOfMessages=10, **arguments)
    return list(answer.get("Messages", []))


def test_the_story_of_a_queue(clary_aws: Server) -> None:
    sqs = clary_aws.client("sqs")
    dead_url, dead = queue(sqs, "dead")
    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": "2"})
    url, _ = queue(sqs, "work", VisibilityTimeout="30", RedrivePolicy=redrive)
    assert url == f"{clary_aws.url}/{ACCOUNT}/work"
    assert sqs.get_queue_url(QueueName="work")["QueueUrl"] == url
    assert sqs.list_queues()["QueueUrls"] == [dead_url, url]
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead_url)["queueUrls"] == [url]

    attributes = {
        "color": {"DataType": "String", "StringValue": "blue"},
        "size": {"DataType": "Number", "StringValue": "3"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    # boto3 itself compares the digests of bodies; those of attributes are given.
    sent = sqs.send_message(QueueUrl=url, MessageBody="hällo", MessageAttributes=attributes)
    asked: dict[str, Any] = {"MessageAttributeNames": ["All"], "MessageSystemAttributeNames": ["All"]}
    [message] = received(sqs, url, **asked)
    assert message["Body"] == "hällo" and message["MessageId"] == sent["MessageId"]
    assert message["MessageAttributes"] == attributes
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert received(sqs, url, wait=0) == []
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1")

    handle = message["ReceiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    [again] = received(sqs, url)
    assert again["ReceiptHandle"] != handle
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
    assert received(sqs, url, wait=0) == []
    [buried] = received(sqs, dead_url, **asked)
    assert buried["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(sqs, url)
    sqs.delete_message(QueueUrl=dead_url, ReceiptHandle=buried["ReceiptHandle"])
    counts = sqs.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["All"])["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "0")


def test_a_long_poll_ends_when_a_message_comes(clary_aws: Server) -> None:
    sqs = clary_aws.client("sqs")
    url, _ = queue(sqs, "awaited")
    with ThreadPoolExecutor() as threads:
        waiting = [threads.submit(received, clary_aws.client("sqs"), url, 20) for _ in range(3)]
        begun = time.monotonic()
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(3)])
        # Who comes late finds messages that others have not taken, or waits for more of them.
        while not all(each.done() for each in waiting):
            sqs.send_message(QueueUrl=url, MessageBody="more")
        assert time.monotonic() - begun < 10
        bodies = [message["Body"] for each in waiting for message in each.result()]
    assert len(bodies) >= 3

    # One that is delayed, or in flight, ends the wait when its time has come.
    sqs.purge_queue(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=1)
    assert [message["Body"] for message in received(sqs, url, VisibilityTimeout=1)] == ["later"]
    assert [message["Body"] for message in received(sqs, url)] == ["later"]


def test_many_who_wait_shut_out_nobody(clary_aws: Server) -> None:
    sqs = clary_aws.client("sqs")
    url, _ = queue(sqs, "crowded")
    with ThreadPoolExecutor(70) as threads:
        clients = [clary_aws.client("sqs") for _ in range(70)]
        waiting = [threads.submit(received, client, url, 20) for client in clients]
        # All but those for whom there is room are answered at once, so that this request is.
        while sum(each.done() for each in waiting) < 70 - 32:
            assert sqs.list_queues()["QueueUrls"] == [url]
        sqs.delete_queue(QueueUrl=url)
        for each in waiting:
            assert each.exception() is None or "does not exist" in str(each.exception())


def test_a_fifo_queue_keeps_order_and_knows_what_it_was_sent(clary_aws: Server) -> None:
    sqs = clary_aws.client("sqs")
    url, _ = queue(sqs, "orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for group, body in (("a", "1"), ("b", "2"), ("a", "3"), ("a", "1")):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group)
    [first] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])["Messages"]
    assert (first["Body"], first["Attributes"]["MessageGroupId"]) == ("1", "a")
    # While one of a group is in flight, the others of that group wait.
    assert [message["Body"] for message in received(sqs, url)] == ["2"]
    assert received(sqs, url, wait=0) == []
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert [message["Body"] for message in received(sqs, url)] == ["3"]
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="x")[0] == "MissingParameter"


def test_bad_input_to_queues(clary_aws: Server) -> None:
    sqs = clary_aws.client("sqs")
    url, _ = queue(sqs, "q")
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="none")
    assert refused(sqs.send_message, QueueUrl=f"{url}x", MessageBody="a")[0] == (
        "AWS.SimpleQueueService.NonExistentQueue"
    )
    assert refused(sqs.create_queue, QueueName="q", Attributes={"DelaySeconds": "3"})[0] == "QueueAlreadyExists"
    assert sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "0"})["QueueUrl"] == url
    for name in ("", "a b", "x" * 81, "a.fifo"):
        assert refused(sqs.create_queue, QueueName=name)[0] == "InvalidParameterValue"
    for attributes in ({"DelaySeconds": "901"}, {"VisibilityTimeout": "x"}, {"Policy": "{"}, {"RedrivePolicy": "{}"}):
        assert refused(sqs.create_queue, QueueName="n", Attributes=attributes)[0] == "InvalidAttributeValue"
    assert refused(sqs.create_queue, QueueName="n", Attributes={"QueueArn": "x"})[0] == "InvalidAttributeName"
    assert refused(sqs.send_message, QueueUrl=url, MessageBody="\x00")[0] == "InvalidMessageContents"
    code, text = refused(sqs.send_message, QueueUrl=url, MessageBody="x" * 1_048_577)
    assert (code, "1048576" in text) == ("InvalidParameterValue", True)
    many = {str(n): {"DataType": "String", "StringValue": "x"} for n in range(11)}
    assert (
        refused(sqs.send_message, QueueUrl=url, MessageBody="a", MessageAttributes=many)[0] == "InvalidParameterValue"
    )
    assert refused(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11)[0] == "InvalidParameterValue"
    assert refused(sqs.delete_message, QueueUrl=url, ReceiptHandle="abc")[0] == "ReceiptHandleIsInvalid"
    two = [{"Id": "1", "MessageBody": "a"}, {"Id": "1", "MessageBody": "b"}]
    code = refused(sqs.send_message_batch, QueueUrl=url, Entries=two)[0]
    assert code == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[two[0], {"Id": "2", "MessageBody": "\x01"}])
    assert [each["Id"] for each in answer["Successful"]] == ["1"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("2", "InvalidMessageContents")]


def test_old_clients_send_forms_to_the_address_of_the_queue(clary_aws: Server) -> None:
    url, _ = queue(clary_aws.client("sqs"), "old")
    environment = clary_aws.environment
    credentials = Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])

    def post(**form: str) -> tuple[int, str]:
        body = urlencode({"Version": "2012-11-05", **form})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = AWSRequest("POST", url, headers, body)
        SigV4Auth(credentials, "sqs", "us-east-1").add_auth(request)
        parts = urlsplit(url)
        connection = HTTPConnection(parts.netloc)
        connection.request("POST", parts.path, body, dict(request.headers))
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    fields = {
        "Action": "SendMessage",
        "MessageBody": "a<b",
        "MessageAttribute.1.Name": "n",
        "MessageAttribute.1.Value.DataType": "String",
        "MessageAttribute.1.Value.StringValue": "v",
    }
    status, text = post(**fields)
    assert (status, "<SendMessageResult>" in text, "<MD5OfMessageAttributes>" in text) == (200, True, True)
    status, text = post(**{"Action": "ReceiveMessage", "MessageAttributeName.1": "All", "AttributeName.1": "All"})
    assert status == 200 and "<Body>a&lt;b</Body>" in text
    assert "<MessageAttribute><Name>n</Name><Value><StringValue>v</StringValue>" in text
    assert "<Attribute><Name>SenderId</Name>" in text
    status, text = post(Action="SendMessage", QueueUrl=f"{url}x", MessageBody="a")
    assert status == 400 and "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text


def test_a_role_may_do_what_the_policy_of_the_queue_says(clary_aws: Server) -> None:
    sqs = clary_aws.client("sqs")
    url, arn = queue(sqs, "shared")
    topic = clary_aws.client("sns").create_topic(Name="shared")["TopicArn"]
    role = clary_aws.session(clary_aws.role_arn)
    batch = [{"Id": "1", "MessageBody": "m"}]
    guest = role.client("sqs")
    assert refused(guest.send_message_batch, QueueUrl=url, Entries=batch)[0].startswith("AccessDenied")
    assert refused(role.client("sns").publish, TopicArn=topic, Message="m")[0] in ("AuthorizationError", "AccessDenied")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": clary_aws.role_arn},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    assert guest.send_message_batch(QueueUrl=url, Entries=batch)["Successful"]
    assert refused(guest.receive_message, QueueUrl=url)[0].startswith("AccessDenied")
    statement["Action"], statement["Resource"] = "sns:Publish", topic
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    clary_aws.client("sns").set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    assert role.client("sns").publish(TopicArn=topic, Message="m")["MessageId"]


class Control(HTTPConnection):
    """What the edge asks of control, over its socket."""

    def __init__(self, home: Path) -> None:
        super().__init__("control")
        self._path = home / "run" / "control.sock"

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def test_notices_of_the_object_store(clary_aws: Server) -> None:
    def ask(page: str, members: Any) -> tuple[int, Any]:
        connection = Control(clary_aws.home)
        headers = {"x-clary-service": "clary", "x-clary-request-id": "r", "x-clary-region": "us-east-1"}
        connection.request("POST", f"/_clary/s3/{page}", json.dumps(members), headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        connection.close()
        return answer.status, told

    sqs = clary_aws.client("sqs")
    url, arn = queue(sqs, "uploads", "s3.amazonaws.com", "arn:aws:s3:::data")
    none = f"{arn}-none"
    wanted = [{"target": "sqs", "arn": arn}, {"target": "sqs", "arn": none}]
    asked = {"account": ACCOUNT, "bucket": "data", "destinations": wanted}
    assert ask("destinations", asked) == (200, {"invalid": [none]})
    place = {"account": ACCOUNT, "region": "us-east-1", "bucket": "data", "message": {"Records": [1]}}
    notices = [{"id": number, **each, **place} for number, each in enumerate(wanted)]
    assert ask("notices", {"notices": notices}) == (200, {"done": [0, 1]})
    assert [json.loads(message["Body"]) for message in received(sqs, url)] == [{"Records": [1]}]
    assert ask("notices", {})[0] == ask("destinations", [])[0] == 400


def test_a_topic_fans_out_to_those_it_is_for(clary_aws: Server) -> None:
    sqs, sns = clary_aws.client("sqs"), clary_aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:news"
    all_url, every = queue(sqs, "all", "sns.amazonaws.com", topic)
    big_url, big = queue(sqs, "big", "sns.amazonaws.com", topic)
    body_url, on_body = queue(sqs, "body", "sns.amazonaws.com", topic)
    closed_url, closed = queue(sqs, "closed")
    one = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=every)["SubscriptionArn"]
    assert one == sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=every)["SubscriptionArn"]
    filters = {"FilterPolicy": json.dumps({"size": [{"numeric": [">", 10]}], "kind": ["report", {"prefix": "x-"}]})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=big, Attributes={**filters, "RawMessageDelivery": "true"})
    content = {"FilterPolicy": json.dumps({"order": {"state": ["open"]}}), "FilterPolicyScope": "MessageBody"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=on_body, Attributes=content)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=closed)
    assert len(sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]) == 4
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsConfirmed"] == "4"

    def attributes(size: str, kind: str) -> dict[str, Any]:
        return {
            "size": {"DataType": "Number", "StringValue": size},
            "kind": {"DataType": "String", "StringValue": kind},
        }

    sent = sns.publish(TopicArn=topic, Message="small", Subject="s", MessageAttributes=attributes("3", "report"))
    sns.publish(TopicArn=topic, Message="large", MessageAttributes=attributes("12", "x-ray"))
    sns.publish(TopicArn=topic, Message=json.dumps({"order": {"state": "open"}}))
    sns.publish(TopicArn=topic, Message=json.dumps({"order": {"state": "shut"}}))
    envelopes = [json.loads(message["Body"]) for message in received(sqs, all_url)]
    assert [each["Message"][:5] for each in envelopes[:2]] == ["small", "large"] and len(envelopes) == 4
    assert envelopes[0] | {"Timestamp": "", "UnsubscribeURL": ""} == {
        "Type": "Notification",
        "MessageId": sent["MessageId"],
        "TopicArn": topic,
        "Subject": "s",
        "Message": "small",
        "Timestamp": "",
        "UnsubscribeURL": "",
        "MessageAttributes": {
            "size": {"Type": "Number", "Value": "3"},
            "kind": {"Type": "String", "Value": "report"},
        },
    }
    [raw] = received(sqs, big_url, MessageAttributeNames=["All"])
    assert (raw["Body"], raw["MessageAttributes"]["size"]["StringValue"]) == ("large", "12")
    assert len(received(sqs, body_url)) == 1
    # Nobody has allowed the topic to send there.
    assert received(sqs, closed_url, wait=0) == []
    sns.delete_topic(TopicArn=topic)
    assert sns.list_subscriptions()["Subscriptions"] == []


class _Endpoint(BaseHTTPRequestHandler):
    posted: Queue[tuple[dict[str, str], Any]]
    refuse: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(self.refuse.pop() if self.refuse else 200)
        self.end_headers()
        self.posted.put((dict(self.headers), json.loads(body)))

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


def test_an_http_endpoint_confirms_and_is_tried_again(clary_aws: Server) -> None:
    sns = clary_aws.client("sns")
    handler = type("Endpoint", (_Endpoint,), {"posted": Queue(), "refuse": [503]})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as endpoint:
        threading.Thread(target=endpoint.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{endpoint.server_address[1]}/hook?x=1"
        topic = sns.create_topic(Name="calls")["TopicArn"]
        retries = {"DeliveryPolicy": json.dumps({"healthyRetryPolicy": {"minDelayTarget": 0, "maxDelayTarget": 0}})}
        told = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=address, Attributes=retries)
        assert told["SubscriptionArn"] == "pending confirmation"
        for _ in range(2):
            headers, asked = handler.posted.get(timeout=20)  # type: ignore[attr-defined]
            assert headers["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation"
        [row] = sns.list_subscriptions()["Subscriptions"]
        assert row["SubscriptionArn"] == "PendingConfirmation"
        assert refused(sns.confirm_subscription, TopicArn=topic, Token="none")[0] == "InvalidParameter"
        arn = sns.confirm_subscription(TopicArn=topic, Token=asked["Token"])["SubscriptionArn"]
        sns.publish(TopicArn=topic, Message="hello")
        headers, heard = handler.posted.get(timeout=20)  # type: ignore[attr-defined]
        assert (heard["Message"], headers["x-amz-sns-subscription-arn"]) == ("hello", arn)
        endpoint.shutdown()


def test_bad_input_to_topics(clary_aws: Server) -> None:
    sns = clary_aws.client("sns")
    topic = sns.create_topic(Name="t")["TopicArn"]
    for protocol in ("email", "sms", "application"):
        code, text = refused(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint="x")
        assert code == "InvalidParameter" and "Clary delivers to sqs, lambda, http and https" in text
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"{topic}x", Message="m")
    assert refused(sns.publish, TopicArn=topic, Message="")[0] == "InvalidParameter"
    assert refused(sns.publish, TopicArn=topic, Message="x" * 262_145)[0] == "InvalidParameter"
    assert refused(sns.publish, PhoneNumber="+491234567", Message="x")[0] == "InvalidParameter"
    assert refused(sns.create_topic, Name="a b")[0] == "InvalidParameter"
    assert refused(sns.publish, TopicArn=topic, Message="[]", MessageStructure="json")[0] == "InvalidParameter"
    policy = {"FilterPolicy": '{"a": "b"}'}
    queue_arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    code = refused(sns.subscribe, TopicArn=topic, Protocol="sqs", Endpoint=queue_arn, Attributes=policy)[0]
    assert code == "InvalidParameter"
    assert refused(sns.unsubscribe, SubscriptionArn="x")[0] == "InvalidParameter"


def test_a_rule_sends_what_its_transformer_makes_of_an_event(clary_aws: Server) -> None:
    sqs, sns, events = clary_aws.client("sqs"), clary_aws.client("sns"), clary_aws.client("events")
    pattern = json.dumps({"source": ["shop"], "detail": {"amount": [{"numeric": [">=", 100]}]}})
    rule = events.put_rule(Name="large-orders", EventPattern=pattern)["RuleArn"]
    url, arn = queue(sqs, "large", "events.amazonaws.com", rule)
    whole_url, whole = queue(sqs, "whole", "events.amazonaws.com", rule)
    topic = sns.create_topic(Name="orders")["TopicArn"]
    events.create_event_bus(Name="other")
    other = events.put_rule(Name="rest", EventPattern=pattern, EventBusName="other")["RuleArn"]
    far_url, far = queue(sqs, "far", "events.amazonaws.com", other)
    transformer = {
        "InputPathsMap": {"id": "$.detail.id", "amount": "$.detail.amount", "first": "$.detail.items[0]"},
        "InputTemplate": '{"order": <id>, "text": "<id> costs <amount>", "amount": <amount>, "first": <first>}',
    }
    targets = [
        {"Id": "queue", "Arn": arn, "InputTransformer": transformer},
        {"Id": "whole", "Arn": whole},
        {"Id": "topic", "Arn": topic},
        {"Id": "bus", "Arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/other"},
    ]
    events.put_targets(Rule="large-orders", Targets=targets)
    events.put_targets(Rule="rest", EventBusName="other", Targets=[{"Id": "1", "Arn": far, "InputPath": "$.detail.id"}])

    def event(amount: int) -> dict[str, str]:
        detail = {"id": f'o"{amount}', "amount": amount, "items": [{"name": "pen"}]}
        return {"Source": "shop", "DetailType": "Order", "Detail": json.dumps(detail)}

    answer = events.put_events(Entries=[event(5), event(100), {**event(5), "Source": "aws.s3"}, {"Source": "x"}])
    assert (answer["FailedEntryCount"], [each.get("ErrorCode") for each in answer["Entries"]]) == (
        2,
        [None, None, "NotAuthorizedForSourceException", "InvalidArgument"],
    )
    [message] = received(sqs, url)
    assert json.loads(message["Body"]) == {
        "order": 'o"100',
        "text": 'o"100 costs 100',
        "amount": 100,
        "first": {"name": "pen"},
    }
    [message] = received(sqs, whole_url)
    assert json.loads(message["Body"])["id"] == answer["Entries"][1]["EventId"]
    [message] = received(sqs, far_url)
    assert message["Body"] == '"o\\"100"'


def test_bad_input_to_rules(clary_aws: Server) -> None:
    events = clary_aws.client("events")
    events.put_rule(Name="r", EventPattern='{"source": ["a"]}')
    wrong: list[dict[str, Any]] = [
        {"Arn": f"arn:aws:kinesis:us-east-1:{ACCOUNT}:stream/s"},
        {"Arn": "queue"},
        {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q.fifo"},
        {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "Input": "{"},
        {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "InputTransformer": {"InputTemplate": "<a>"}},
        {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "InputPath": "detail"},
    ]
    messages = [refused(events.put_targets, Rule="r", Targets=[{"Id": "1", **each}]) for each in wrong]
    assert {code for code, _ in messages} == {"ValidationException"}
    assert "SQS queues, SNS topics, Lambda functions, CloudWatch log groups and event buses" in messages[0][1]
    assert events.list_targets_by_rule(Rule="r")["Targets"] == []
