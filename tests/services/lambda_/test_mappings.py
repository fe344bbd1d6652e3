"""Event source mappings by their handlers: what is kept and shown, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary.services.iam.service import SERVICE as IAM
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from clary.services.lambda_.polling import failed_of
from clary.services.lambda_.service import SERVICE, conditions_at, resource_of
from clary.services.sqs.service import SERVICE as SQS

QUEUE = "arn:aws:sqs:us-east-1:123456789012:{}"


@pytest.fixture
def mapped(lab: Any) -> Any:
    """A function whose role may read the queues ``q`` and ``q.fifo``."""
    lab.create()
    context = lab.installation.context()
    SQS.operations["CreateQueue"](context, {"QueueName": "q"})
    SQS.operations["CreateQueue"](context, {"QueueName": "q.fifo", "Attributes": {"FifoQueue": "true"}})
    return lab


def allow(lab: Any, *actions: str) -> None:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    params = {"RoleName": "function", "PolicyName": "reads", "PolicyDocument": document}
    IAM.operations["PutRolePolicy"](lab.installation.context(), params)
    lab.installation.identities.refresh()


def create(lab: Any, queue: str = "q", **members: Any) -> Any:
    return lab.call("CreateEventSourceMapping", EventSourceArn=QUEUE.format(queue), **members)


def test_the_role_must_be_able_to_read_the_queue(mapped: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match="does not have permissions to call ReceiveMessage on SQS"):
        create(mapped)
    allow(mapped, "sqs:ReceiveMessage", "sqs:GetQueueAttributes")
    with pytest.raises(InvalidParameterValueException, match="does not have permissions to call DeleteMessage on SQS"):
        create(mapped)
    with pytest.raises(InvalidParameterValueException, match="The specified queue does not exist"):
        create(mapped, "none")
    with pytest.raises(InvalidParameterValueException, match="only SQS queues can be mapped"):
        mapped.call("CreateEventSourceMapping", EventSourceArn="arn:aws:kinesis:us-east-1:123456789012:stream/s")


def test_a_mapping_is_kept_shown_changed_and_removed(mapped: Any) -> None:
    allow(mapped, "sqs:*")
    made = create(mapped, Tags={"a": "b"})
    assert (made["State"], made["BatchSize"], made["MaximumBatchingWindowInSeconds"]) == ("Creating", 10, 0)
    with pytest.raises(ResourceConflictException, match=f"existing mapping with UUID {made['UUID']}"):
        create(mapped)
    uuid = {"UUID": made["UUID"]}

    def call(operation: str, **members: Any) -> Any:
        return SERVICE.operations[operation](mapped.context(), {**uuid, **members})

    assert call("GetEventSourceMapping")["State"] == "Enabled"
    changed = call("UpdateEventSourceMapping", BatchSize=3, Enabled=False)
    assert (changed["State"], changed["BatchSize"]) == ("Updating", 3)
    assert call("GetEventSourceMapping")["State"] == "Disabled"
    assert mapped.call("ListTags", Resource=made["EventSourceMappingArn"]) == {"Tags": {"a": "b"}}
    assert len(mapped.call("ListEventSourceMappings")["EventSourceMappings"]) == 1
    elsewhere = mapped.call("ListEventSourceMappings", EventSourceArn=QUEUE.format("other"))
    assert elsewhere == {"EventSourceMappings": []}
    with mapped.platform.database.read() as transaction:
        record = transaction.by_arn(made["EventSourceMappingArn"])
    assert conditions_at(record) == {"lambda:FunctionArn": made["FunctionArn"]}
    assert resource_of(mapped.context(), "DeleteEventSourceMapping", uuid) == made["EventSourceMappingArn"]
    assert call("DeleteEventSourceMapping")["State"] == "Deleting"
    with pytest.raises(ResourceNotFoundException):
        call("GetEventSourceMapping")


@pytest.mark.parametrize(
    ("queue", "members", "words"),
    [
        ("q", {"BatchSize": 11}, "batch window in seconds must be greater than 0"),
        ("q", {"BatchSize": 10_001, "MaximumBatchingWindowInSeconds": 1}, "BatchSize must be between 1 and 10000"),
        ("q", {"MaximumBatchingWindowInSeconds": 301}, "must be at most 300"),
        ("q.fifo", {"BatchSize": 11}, "BatchSize must be between 1 and 10 "),
        ("q.fifo", {"MaximumBatchingWindowInSeconds": 1}, "not supported for FIFO queues"),
        ("q", {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "FilterCriteria: this is not available"),
    ],
    ids=["window", "large", "long", "fifo-large", "fifo-window", "filter"],
)
def test_what_mappings_cannot_be(mapped: Any, queue: str, members: dict[str, Any], words: str) -> None:
    allow(mapped, "sqs:*")
    with pytest.raises(InvalidParameterValueException, match=words):
        create(mapped, queue, **members)


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        ("null", []),
        ("{}", []),
        ('{"batchItemFailures": []}', []),
        ('{"batchItemFailures": [{"itemIdentifier": "a"}]}', ["a"]),
        ('{"batchItemFailures": [{"itemIdentifier": "x"}]}', ["a", "b"]),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', ["a", "b"]),
        ('{"batchItemFailures": [{"other": "a"}]}', ["a", "b"]),
        ('{"batchItemFailures": "a"}', ["a", "b"]),
        ('{"other": 1}', []),
        ('"text"', ["a", "b"]),
    ],
)
def test_which_messages_a_function_failed_on(answer: str, failed: list[str]) -> None:
    assert sorted(failed_of(answer.encode(), ["a", "b"])) == failed
