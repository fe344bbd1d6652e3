"""Events that wait: called again after a failure, put off, given up. What the function answers is given by the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clary.compute.functions.pool import Outcome
from clary.services.iam.service import SERVICE as IAM
from clary.services.lambda_ import dispatch
from clary.services.lambda_.errors import ResourceConflictException, TooManyRequestsException
from clary.services.lambda_.names import CREATING, find
from clary.services.lambda_.waiting import leave
from clary.services.sqs.api import posting
from clary.services.sqs.service import SERVICE as SQS
from clary.state.messages import Message

QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead"
DONE, FAILED = Outcome(b'{"ok": true}'), Outcome(b'{"errorMessage": "no luck"}', "Unhandled")


@pytest.fixture
def attempt(lab: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Calls the function ``f`` with what waits for it, and has it answer this."""
    lab.create()

    def attempt(answer: Outcome | Exception) -> None:
        def call(*_: Any) -> Outcome:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(dispatch, "call", call)
        for message in waiting(lab):
            if message.visible <= lab.platform.clock():
                dispatch._attempt(lab.platform, message.queue, message)

    return attempt


def record(lab: Any) -> Any:
    with lab.platform.database.read() as transaction:
        return find(lab.context(), transaction, {"FunctionName": "f"})


def waiting(lab: Any) -> list[Message]:
    with lab.platform.database.read() as transaction:
        return transaction.messages.available(record(lab).id, lab.platform.clock() + 1e6, 10)


def send(lab: Any, payload: str = '{"x": 1}') -> None:
    with posting(lab.platform) as post:
        leave(post, find(lab.context(), post.transaction, {"FunctionName": "f"}), payload)


def seconds_left(lab: Any) -> list[float]:
    return [round(each.visible - lab.platform.clock()) for each in waiting(lab)]


def test_a_failure_is_tried_again_after_one_minute_and_after_two(lab: Any, attempt: Any) -> None:
    send(lab)
    assert record(lab).wake_at == lab.platform.clock()
    attempt(FAILED)
    assert seconds_left(lab) == [60]
    attempt(DONE)  # too early
    assert len(waiting(lab)) == 1
    lab.installation.now += 61
    attempt(FAILED)
    assert seconds_left(lab) == [120]
    lab.installation.now += 121
    attempt(FAILED)
    assert waiting(lab) == []


def test_what_is_done_waits_no_more(lab: Any, attempt: Any) -> None:
    send(lab)
    attempt(DONE)
    assert waiting(lab) == []


def test_an_event_for_which_there_is_no_room_is_put_off_and_counts_nothing(lab: Any, attempt: Any) -> None:
    lab.call("PutFunctionEventInvokeConfig", MaximumRetryAttempts=0)
    send(lab)
    for expected in (2, 4, 8):
        attempt(TooManyRequestsException("ConcurrentInvocationLimitExceeded"))
        assert seconds_left(lab) == [expected]
        lab.installation.now += expected + 1
    attempt(DONE)
    assert waiting(lab) == []


def test_what_is_too_old_is_given_up(lab: Any, attempt: Any) -> None:
    context = lab.installation.context()
    SQS.operations["CreateQueue"](context, {"QueueName": "dead"})
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    params = {"RoleName": "function", "PolicyName": "sends", "PolicyDocument": document}
    IAM.operations["PutRolePolicy"](context, params)
    lab.installation.identities.refresh()
    destinations = {"OnFailure": {"Destination": QUEUE}}
    lab.call("PutFunctionEventInvokeConfig", MaximumEventAgeInSeconds=60, DestinationConfig=destinations)
    send(lab)
    attempt(FAILED)
    lab.installation.now += 61
    attempt(DONE)
    assert waiting(lab) == []
    params = {"QueueUrl": "http://h/123456789012/dead"}
    told = json.loads(SQS.operations["ReceiveMessage"](context, params)["Messages"][0]["Body"])
    assert told["requestContext"]["condition"] == "EventAgeExceeded"
    assert told["requestContext"]["approximateInvokeCount"] == 1
    assert told["requestPayload"] == {"x": 1} and "responsePayload" not in told


def test_a_destination_that_does_not_take_it_is_said_in_the_log(
    lab: Any, attempt: Any, caplog: pytest.LogCaptureFixture
) -> None:
    destinations = {"OnSuccess": {"Destination": QUEUE}}
    lab.call("PutFunctionEventInvokeConfig", DestinationConfig=destinations)
    send(lab)
    attempt(DONE)
    assert waiting(lab) == [] and f"was not delivered to {QUEUE}" in caplog.text


def test_nothing_waits_for_a_function_that_is_being_made(lab: Any, attempt: Any) -> None:
    with lab.platform.database.write() as transaction:
        function = find(lab.context(), transaction, {"FunctionName": "f"})
        function.status = CREATING
        transaction.update(function)
    with pytest.raises(ResourceConflictException, match="in the following state: Pending"):
        send(lab)
