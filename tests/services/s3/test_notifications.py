"""What a bucket tells: the configuration, and the notices that changes leave to be delivered."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"
TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"


def configuration(*events: str, arn: str = QUEUE, prefix: str = "", suffix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {"Id": "mine", "Events": list(events)}
    found["QueueArn" if ":sqs:" in arn else "TopicArn"] = arn
    rules = [{"Name": name, "Value": value} for name, value in (("Prefix", prefix), ("Suffix", suffix)) if value]
    return found | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


@pytest.fixture
def told(server: Any) -> Any:
    """Takes what waits to be delivered, and forgets it."""
    store = server.application.store

    async def take() -> list[Any]:
        found = await store.notices(100)
        await store.delivered([number for number, _ in found])
        return [orjson.loads(notice) for _, notice in found]

    def call() -> list[Any]:
        notices: list[Any] = asyncio.run_coroutine_threadsafe(take(), server.loop).result(20)
        return notices

    call()
    return call


def test_the_configuration_is_given_back(s3: Any, bucket: str, told: Any) -> None:
    wanted = {
        "QueueConfigurations": [configuration("s3:ObjectCreated:*", prefix="a/", suffix=".csv")],
        "TopicConfigurations": [configuration("s3:ObjectRemoved:Delete", arn=TOPIC)],
        "EventBridgeConfiguration": {},
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert {name: answer[name] for name in wanted} == wanted
    tests = told()
    assert [(test["target"], test["message"]["Event"]) for test in tests] == [
        ("sqs", "s3:TestEvent"), ("sns", "s3:TestEvent"),
    ]  # fmt: skip
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_what_is_told_of_an_object(s3: Any, bucket: str, told: Any) -> None:
    wanted = {"QueueConfigurations": [configuration("s3:ObjectCreated:*", "s3:ObjectRemoved:*", prefix="in/")]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    told()
    put = s3.put_object(Bucket=bucket, Key="in/a b+ü.csv", Body=b"12345")
    s3.put_object(Bucket=bucket, Key="out/x", Body=b"")
    s3.copy_object(Bucket=bucket, Key="in/copy", CopySource=f"{bucket}/out/x")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="in/parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="in/parts", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="in/parts", UploadId=upload, MultipartUpload=parts)
    s3.delete_object(Bucket=bucket, Key="in/copy")
    s3.delete_object(Bucket=bucket, Key="in/there-is-none")
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "in/parts"}, {"Key": "out/x"}]})
    notices = told()
    records = [notice["message"]["Records"][0] for notice in notices]
    assert [(record["eventName"], record["s3"]["object"]["key"]) for record in records] == [
        ("ObjectCreated:Put", "in/a+b%2B%C3%BC.csv"),
        ("ObjectCreated:Copy", "in/copy"),
        ("ObjectCreated:CompleteMultipartUpload", "in/parts"),
        ("ObjectRemoved:Delete", "in/copy"),
        ("ObjectRemoved:Delete", "in/parts"),
    ]
    first = records[0]
    assert first["s3"]["object"]["size"] == 5
    assert first["s3"]["object"]["eTag"] == put["ETag"].strip('"')
    assert first["s3"]["bucket"]["name"] == bucket
    assert first["s3"]["configurationId"] == "mine"
    assert all(notice["arn"] == QUEUE for notice in notices)
    sequencers = [record["s3"]["object"]["sequencer"] for record in records]
    assert sequencers == sorted(sequencers)


def test_event_bridge_gets_everything(s3: Any, bucket: str, told: Any) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    wanted = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["VersionId"]
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_object(Bucket=bucket, Key="key", VersionId=version)
    messages = [notice["message"] for notice in told()]
    assert [message["detail-type"] for message in messages] == [
        "Object Created", "Object Tags Added", "Object Deleted", "Object Deleted",
    ]  # fmt: skip
    assert messages[0]["detail"]["object"]["version-id"] == version
    assert messages[0]["detail"]["reason"] == "PutObject"
    assert [message["detail"].get("deletion-type") for message in messages[2:]] == [
        "Delete Marker Created", "Permanently Deleted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "queues",
    [
        [configuration("s3:ObjectCreated:Sometimes")],
        [configuration("s3:ObjectCreated:*"), {**configuration("s3:ObjectCreated:Put"), "Id": "other"}],
        [configuration("s3:ObjectCreated:*", arn="arn:aws:sqs:us-east-1:999999999999:queue")],
    ],
    ids=["event", "overlap", "destination"],
)
def test_what_cannot_be_configured(s3: Any, bucket: str, fails: Any, queues: Any) -> None:
    wanted = {"QueueConfigurations": queues}
    fails(
        "InvalidArgument", s3.put_bucket_notification_configuration, 400, Bucket=bucket,
        NotificationConfiguration=wanted,
    )  # fmt: skip
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_functions_are_told_and_not_tried(s3: Any, bucket: str, told: Any) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    wanted = {"LambdaFunctionConfigurations": [{"Id": "f", "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert answer["LambdaFunctionConfigurations"] == wanted["LambdaFunctionConfigurations"]
    assert told() == []
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    (notice,) = told()
    assert (notice["target"], notice["arn"]) == ("lambda", arn)
    assert notice["message"]["Records"][0]["s3"]["configurationId"] == "f"
