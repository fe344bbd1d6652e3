"""Notices of a bucket outlive the edge that wrote them and the control plane that was to deliver them."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")

PUTS = 20


@pytest.mark.parametrize("victims", [["control"], ["edge"], ["edge", "control"]], ids=" and ".join)
def test_every_put_is_told(plant: Any, wait_until: Any, victims: list[str]) -> None:
    s3, sqs = plant.client("s3"), plant.client("sqs")
    url = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn,
    }  # fmt: skip
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Statement": [statement]})})
    wanted = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket="survival", NotificationConfiguration=wanted)
    for number in range(PUTS):
        s3.put_object(Bucket="survival", Key=f"told/{number}", Body=b"x")
        if number == PUTS // 2:
            plant.kill(*victims)
    told: set[str] = set()

    def all_told() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            body = json.loads(message["Body"])
            told.update(record["s3"]["object"]["key"] for record in body.get("Records", []))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(told) == PUTS

    wait_until(all_told, what=lambda: f"{len(told)} of {PUTS} were told")
    assert told == {f"told/{number}" for number in range(PUTS)}
