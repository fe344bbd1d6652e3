"""SQS in the query protocol, which its model of today does not speak."""

from __future__ import annotations

from urllib.parse import urlencode

from clary.core.errors import ServiceError
from clary.wire.catalog import service
from clary.wire.formerly_query import in_query_form
from clary.wire.http import Request
from clary.wire.parse import parse
from clary.wire.route import identify
from clary.wire.serialize import serialize, serialize_error

SCOPE = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=x"
HEADERS = {"authorization": SCOPE, "content-type": "application/x-www-form-urlencoded"}
SQS = service("sqs")


class Gone(ServiceError):
    code = "QueueDoesNotExist"
    status = 400
    query_code = "AWS.SimpleQueueService.NonExistentQueue"


def asked(path: str, **form: str) -> Request:
    return Request("POST", path, "", HEADERS, urlencode(form).encode(), "h")


def test_requests() -> None:
    entry = "SendMessageBatchRequestEntry.1"
    form = {
        "Action": "SendMessageBatch",
        f"{entry}.Id": "1",
        f"{entry}.MessageBody": "b",
        f"{entry}.MessageAttribute.1.Name": "n",
        f"{entry}.MessageAttribute.1.Value.DataType": "Binary",
        f"{entry}.MessageAttribute.1.Value.BinaryValue": "AAE=",
    }
    request = asked("/123456789012/q", **form)
    assert identify(request).protocol == "query"
    operation, params = parse(SQS, request)
    attributes = {"n": {"DataType": "Binary", "BinaryValue": b"\x00\x01"}}
    entries = [{"Id": "1", "MessageBody": "b", "MessageAttributes": attributes}]
    assert (operation.name, params) == ("SendMessageBatch", {"Entries": entries, "QueueUrl": "/123456789012/q"})
    made = asked("/", Action="CreateQueue", QueueName="q", **{"Attribute.1.Name": "DelaySeconds"})
    made.body += b"&Attribute.1.Value=5&Tag.1.Key=a&Tag.1.Value=b"
    assert parse(SQS, made)[1] == {"QueueName": "q", "Attributes": {"DelaySeconds": "5"}, "tags": {"a": "b"}}


def test_answers() -> None:
    message = {"MessageId": "1", "Body": "<", "Attributes": {"SenderId": "s"}}
    answer = serialize(SQS, SQS.operation("ReceiveMessage"), {"Messages": [message]}, "r", "query")
    assert answer.body == (
        b'<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult><Message>'
        b"<MessageId>1</MessageId><Body>&lt;</Body><Attribute><Name>SenderId</Name><Value>s</Value></Attribute>"
        b"</Message></ReceiveMessageResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        b"</ReceiveMessageResponse>"
    )
    # The same in JSON has the names of the model, and tells the old code beside the new one.
    assert b'"Messages":[' in bytes(serialize(SQS, SQS.operation("ReceiveMessage"), {"Messages": [message]}, "r").body)  # type: ignore[arg-type]
    refusal = serialize_error(SQS, Gone("gone"), "r", None, "query")
    assert isinstance(refusal.body, bytes) and b"<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in refusal.body
    told = serialize_error(SQS, Gone("gone"), "r").headers
    assert told["x-amzn-query-error"] == "AWS.SimpleQueueService.NonExistentQueue;Sender"
    assert told["x-amzn-errortype"] == "QueueDoesNotExist"


def test_services_that_never_left_the_protocol_are_what_they_are() -> None:
    assert in_query_form(service("sns")) is service("sns")
