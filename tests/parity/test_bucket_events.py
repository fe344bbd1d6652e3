"""What happens in a bucket reaches a queue, a topic and a rule, by plain boto3 against a running server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server, server

BUCKET = "arrivals"


@pytest.fixture(scope="module")
def aws() -> Iterator[Server]:
    with server() as running:
        running.client("s3").create_bucket(Bucket=BUCKET)
        yield running


def policy(service: str, action: str, resource: str, source: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": resource,
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def queue(aws: Server, name: str, service: str, source: str) -> tuple[str, str]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(service, "sqs:SendMessage", arn, source)})
    return url, arn


def messages(aws: Server, url: str, wanted: int) -> list[Any]:
    sqs = aws.client("sqs")
    found: list[Any] = []
    while len(found) < wanted:
        got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10).get("Messages", [])
        assert got, f"{len(found)} messages came of {wanted}"
        for message in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += [json.loads(message["Body"]) for message in got]
    return found


def test_a_queue_a_topic_and_a_rule_are_told(aws: Server) -> None:
    s3, sns, events = aws.client("s3"), aws.client("sns"), aws.client("events")
    source = f"arn:aws:s3:::{BUCKET}"
    direct_url, direct = queue(aws, "direct", "s3.amazonaws.com", source)
    topic = sns.create_topic(Name="deletions")["TopicArn"]
    told = policy("s3.amazonaws.com", "sns:Publish", topic, source)
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=told)
    fanned_url, fanned = queue(aws, "fanned", "sns.amazonaws.com", topic)
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=fanned, Attributes=raw)
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [BUCKET]}, "object": {"key": [{"suffix": ".csv"}]}}}
    rule = events.put_rule(Name="tables", EventPattern=json.dumps(pattern))["RuleArn"]
    ruled_url, ruled = queue(aws, "ruled", "events.amazonaws.com", rule)
    events.put_targets(Rule="tables", Targets=[{"Id": "queue", "Arn": ruled}])
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": direct, "Events": ["s3:ObjectCreated:*"]}],
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}],
            "EventBridgeConfiguration": {},
        },
    )
    s3.put_object(Bucket=BUCKET, Key="a.csv", Body=b"1,2")
    s3.put_object(Bucket=BUCKET, Key="a.txt", Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="a.csv")

    test, *created = messages(aws, direct_url, 3)
    assert test["Event"] == "s3:TestEvent"
    records = [message["Records"][0] for message in created]
    assert sorted(record["s3"]["object"]["key"] for record in records) == ["a.csv", "a.txt"]
    assert {record["userIdentity"]["principalId"] for record in records} != {"Anonymous"}
    assert {record["requestParameters"]["sourceIPAddress"] for record in records} == {"127.0.0.1"}
    test, deleted = messages(aws, fanned_url, 2)
    assert (test["Event"], deleted["Records"][0]["eventName"]) == ("s3:TestEvent", "ObjectRemoved:Delete")
    found = messages(aws, ruled_url, 2)
    assert sorted(event["detail-type"] for event in found) == ["Object Created", "Object Deleted"]
    assert {event["detail"]["object"]["key"] for event in found} == {"a.csv"}


def test_a_destination_must_let_the_bucket_send(aws: Server) -> None:
    s3 = aws.client("s3")
    _, other = queue(aws, "other", "s3.amazonaws.com", "arn:aws:s3:::another-bucket")
    for arn in (other, "arn:aws:sqs:us-east-1:123456789012:there-is-none"):
        wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        with pytest.raises(ClientError, match="Unable to validate the following destination") as caught:
            s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=wanted)
        assert caught.value.response["Error"]["Code"] == "InvalidArgument"
