"""Who may call a function: its policy, and what it lets services do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from clary.control.authorization import authorized
from clary.core.errors import AccessDenied
from clary.services.iam.principals import root_principal
from clary.services.lambda_.api import invoke_later
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    InvalidRequestContentException,
    PreconditionFailedException,
    RequestTooLargeException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from clary.services.lambda_.names import find
from clary.services.lambda_.service import SERVICE
from clary.services.sqs.api import Sender, posting

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
TOPIC = "arn:aws:sns:us-east-1:123456789012:t"
SNS = Sender("sns.amazonaws.com", TOPIC, "123456789012")


@pytest.fixture
def function(lab: Any) -> Any:
    lab.create()
    return lab


def add(lab: Any, **members: Any) -> Any:
    given = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
    return json.loads(lab.call("AddPermission", **{**given, **members})["Statement"])


def test_a_statement_is_added_shown_and_removed(function: Any) -> None:
    made = add(function, SourceArn=TOPIC, SourceAccount="123456789012", PrincipalOrgID="o-1234567890")
    assert made == {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": ARN,
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012", "aws:PrincipalOrgID": "o-1234567890"},
            "ArnLike": {"AWS:SourceArn": TOPIC},
        },
    }
    shown = function.call("GetPolicy")
    assert json.loads(shown["Policy"]) == {"Version": "2012-10-17", "Id": "default", "Statement": [made]}
    with pytest.raises(ResourceConflictException, match=r"The statement id \(s\) provided already exists"):
        add(function)
    with pytest.raises(PreconditionFailedException):
        add(function, StatementId="other", RevisionId="another")
    add(function, StatementId="other", RevisionId=shown["RevisionId"])
    for name in ("s", "other"):
        function.call("RemovePermission", StatementId=name)
    with pytest.raises(ResourceNotFoundException, match="The resource you requested does not exist"):
        function.call("GetPolicy")
    with pytest.raises(ResourceNotFoundException, match="Statement s is not found in resource policy"):
        function.call("RemovePermission", StatementId="s")


@pytest.mark.parametrize(
    ("told", "principal"),
    [
        ("*", "*"),
        ("210987654321", {"AWS": "arn:aws:iam::210987654321:root"}),
        ("arn:aws:iam::210987654321:role/r", {"AWS": "arn:aws:iam::210987654321:role/r"}),
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
    ],
    ids=["all", "account", "role", "service"],
)
def test_principals(function: Any, told: str, principal: Any) -> None:
    assert add(function, Principal=told)["Principal"] == principal


def test_what_is_no_principal(function: Any) -> None:
    with pytest.raises(InvalidParameterValueException, match="The provided principal was invalid"):
        add(function, Principal="somebody")
    with pytest.raises(InvalidParameterValueException, match="FunctionUrlAuthType: this is not available"):
        add(function, FunctionUrlAuthType="NONE")


def waiting(lab: Any) -> list[str]:
    with lab.platform.database.read() as transaction:
        record = find(lab.context(), transaction, {"FunctionName": "f"})
        return [each.body for each in transaction.messages.available(record.id, lab.platform.clock(), 10)]


def later(lab: Any, payload: str = "{}", arn: str = ARN, sender: Sender = SNS) -> str:
    with posting(lab.platform) as post:
        return invoke_later(post, arn, payload, sender)


def test_a_service_needs_the_consent_of_the_policy(function: Any) -> None:
    with pytest.raises(AccessDenied, match=r"sns.amazonaws.com is not authorized to perform: lambda:InvokeFunction"):
        later(function)
    add(function, SourceArn=TOPIC)
    assert later(function, '{"x": 1}') and waiting(function) == ['{"x": 1}']
    for sender in (Sender("s3.amazonaws.com", TOPIC), Sender("sns.amazonaws.com", f"{TOPIC}2")):
        with pytest.raises(AccessDenied):
            later(function, sender=sender)
    with pytest.raises(ResourceNotFoundException, match="Function not found"):
        later(function, arn=f"{ARN}2")
    with pytest.raises(ResourceNotFoundException):
        later(function, arn=f"{ARN}:7")
    with pytest.raises(InvalidRequestContentException):
        later(function, "no JSON")
    with pytest.raises(RequestTooLargeException):
        later(function, json.dumps("x" * 1_048_576))
    assert waiting(function) == ['{"x": 1}']


def test_what_waits_is_forgotten_with_the_function(function: Any) -> None:
    add(function)
    later(function)
    function.call("DeleteFunction")
    function.create()
    assert waiting(function) == []


def test_what_becomes_of_events_is_configured(function: Any) -> None:
    with pytest.raises(ResourceNotFoundException, match="doesn't have an EventInvokeConfig"):
        function.call("GetFunctionEventInvokeConfig")
    queue = "arn:aws:sqs:us-east-1:123456789012:q"
    function.call("PutFunctionEventInvokeConfig", MaximumRetryAttempts=1)
    destinations = {"OnFailure": {"Destination": queue}}
    shown = function.call("UpdateFunctionEventInvokeConfig", DestinationConfig=destinations)
    assert shown["MaximumRetryAttempts"] == 1 and shown["DestinationConfig"] == destinations
    assert shown["FunctionArn"] == f"{ARN}:$LATEST" and shown["MaximumEventAgeInSeconds"] == 21_600
    assert function.call("ListFunctionEventInvokeConfigs")["FunctionEventInvokeConfigs"] == [shown]
    for wrong in ("arn:aws:events:us-east-1:123456789012:event-bus/default", f"{queue}.fifo"):
        with pytest.raises(InvalidParameterValueException, match="DestinationConfig is invalid"):
            function.call("PutFunctionEventInvokeConfig", DestinationConfig={"OnSuccess": {"Destination": wrong}})
    function.call("DeleteFunctionEventInvokeConfig")
    with pytest.raises(ResourceNotFoundException):
        function.call("DeleteFunctionEventInvokeConfig")


def test_another_account_needs_the_consent_of_the_policy(function: Any) -> None:
    stranger = root_principal("210987654321")
    context = replace(function.context(), caller=stranger, account=stranger.account)
    identities, params = function.installation.identities, {"FunctionName": ARN}
    with pytest.raises(AccessDenied):
        authorized(identities, SERVICE, "Invoke", context, params)
    add(function, Principal=stranger.account)
    assert authorized(identities, SERVICE, "Invoke", context, params).account == "123456789012"
    with pytest.raises(AccessDenied):
        authorized(identities, SERVICE, "GetFunction", context, params)
    with pytest.raises(ResourceNotFoundException):
        authorized(identities, SERVICE, "Invoke", context, {"FunctionName": f"{ARN}2"})
