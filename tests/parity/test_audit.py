"""The trail of a running server, as unmodified clients see it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from clary.core.ids import token

PASSWORD = "Correct-Horse-7-Battery!"
OURS = {"x-clary-studio": "1", "content-type": "application/json"}
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

Records = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def records(lab: Any) -> Records:
    """The records with an attribute's value, the latest first. The trail outlives resets, so that names are new."""

    def look(key: str, value: str) -> list[dict[str, Any]]:
        wanted = [{"AttributeKey": key, "AttributeValue": value}]
        pages = lab.server.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=wanted)
        return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]

    return look


@pytest.fixture
def name() -> str:
    return f"audit-{token(8)}"


@pytest.fixture
def ann(lab: Any, name: str) -> boto3.Session:
    """A user with a password and keys, who may look at models and nothing else."""
    iam = lab.server.client("iam")
    iam.create_user(UserName=name)
    iam.create_login_profile(UserName=name, Password=PASSWORD)
    allowed = {"Effect": "Allow", "Action": "sagemaker:ListModels", "Resource": "*"}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Statement": allowed}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    return boto3.Session(**keys, region_name="us-east-1")


def test_a_record_says_who_did_what_and_how_it_ended(lab: Any, records: Records, name: str) -> None:
    container = {"Image": "clary/python:3.11", "Environment": {"WORD": "s3cr3t-word"}}
    lab.sagemaker.create_model(ModelName=name, ExecutionRoleArn=lab.role, PrimaryContainer=container)
    lab.sagemaker.describe_model(ModelName=name)
    with pytest.raises(ClientError):
        lab.sagemaker.create_model(ModelName=name, ExecutionRoleArn=lab.role, PrimaryContainer=container)
    again, described, made = records("ResourceName", name)
    arn = f"arn:aws:sagemaker:us-east-1:{lab.server.account}:model/{name}"
    assert made["eventSource"] == "sagemaker.amazonaws.com"
    assert made["eventName"] == "CreateModel"
    assert made["awsRegion"] == "us-east-1"
    assert made["sourceIPAddress"] == "127.0.0.1"
    assert made["userAgent"].startswith("Boto3/")
    assert made["userIdentity"]["userName"] == "administrator"
    assert made["userIdentity"]["accessKeyId"].startswith("AKIA")
    assert made["requestParameters"]["primaryContainer"]["environment"] == {"WORD": HIDDEN}
    assert made["responseElements"] == {"modelArn": arn}
    assert made["resources"] == [{"ARN": arn, "type": "AWS::SageMaker::Model", "accountId": lab.server.account}]
    assert made["readOnly"] is False and made["managementEvent"] is True and "errorCode" not in made
    assert described["readOnly"] is True and described["responseElements"] is None
    assert again["errorCode"] == "ValidationException" and "already existing" in again["errorMessage"]
    assert len({each["eventID"] for each in (again, described, made)}) == 3


def test_the_event_has_what_can_be_looked_for(lab: Any, name: str) -> None:
    lab.server.client("sqs").create_queue(QueueName=name)
    trail = lab.server.client("cloudtrail")
    wanted = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
    [event] = trail.lookup_events(LookupAttributes=wanted)["Events"]
    assert event["EventName"] == "CreateQueue"
    assert event["EventSource"] == "sqs.amazonaws.com"
    assert event["ReadOnly"] == "false"
    assert event["Username"] == "administrator"
    assert event["AccessKeyId"].startswith("AKIA")
    assert event["Resources"] == [{"ResourceType": "AWS::SQS::Queue", "ResourceName": name}]
    assert trail.lookup_events(LookupAttributes=wanted, EndTime=event["EventTime"])["Events"] == [event]
    later = event["EventTime"].timestamp() + 1
    assert trail.lookup_events(LookupAttributes=wanted, StartTime=later)["Events"] == []


def test_refusals_are_recorded_with_the_code_that_the_caller_got(
    lab: Any, records: Records, ann: boto3.Session, name: str
) -> None:
    models = ann.client("sagemaker", endpoint_url=lab.server.url)
    models.list_models()
    with pytest.raises(ClientError) as denied:
        models.create_model(ModelName=name, ExecutionRoleArn=lab.role)
    key = ann.get_credentials().access_key
    wrong = boto3.client(
        "sagemaker",
        endpoint_url=lab.server.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key="wrong",
    )
    with pytest.raises(ClientError):
        wrong.list_models()
    forged, refused, listed = records("AccessKeyId", key)
    assert listed["userIdentity"]["userName"] == name and "errorCode" not in listed
    assert refused["eventName"] == "CreateModel"
    assert refused["errorCode"] == denied.value.response["Error"]["Code"]
    assert name in refused["errorMessage"]
    # Whoever signed that has not shown to be the user.
    assert forged["userIdentity"] == {"type": "Unknown", "accessKeyId": key}
    assert forged["errorCode"] == "InvalidSignatureException"
    assert [each["eventName"] for each in records("Username", name)] == ["CreateModel", "ListModels"]


def test_looking_is_an_action_of_iam(lab: Any, ann: boto3.Session) -> None:
    trail = ann.client("cloudtrail", endpoint_url=lab.server.url)
    with pytest.raises(ClientError) as refused:
        trail.lookup_events()
    assert refused.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


def test_a_session_of_a_role_is_told_with_its_role(lab: Any, records: Records, name: str) -> None:
    given = lab.server.client("sts").assume_role(RoleArn=lab.role, RoleSessionName=name)
    keys = given["Credentials"]
    boto3.client(
        "sagemaker",
        endpoint_url=lab.server.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    ).list_models()
    [listed] = records("Username", name)
    identity = listed["userIdentity"]
    assert identity["type"] == "AssumedRole"
    assert identity["arn"] == given["AssumedRoleUser"]["Arn"]
    assert identity["sessionContext"]["sessionIssuer"]["arn"] == lab.role
    assumed = next(each for each in records("EventName", "AssumeRole") if name in json.dumps(each))
    assert assumed["responseElements"]["credentials"]["accessKeyId"] == keys["AccessKeyId"]
    assert assumed["responseElements"]["credentials"]["secretAccessKey"] == HIDDEN
    assert assumed["resources"][0]["ARN"] == lab.role


def test_sign_ins_and_what_is_done_in_studio_are_recorded(
    lab: Any, records: Records, ann: boto3.Session, name: str
) -> None:
    status, _ = send(lab, "sign-in", json.dumps({"UserName": name, "Password": "wrong"}))
    assert status == 403
    status, cookie = send(lab, "sign-in", json.dumps({"UserName": name, "Password": PASSWORD}))
    assert status == 204
    assert send(lab, "call/sagemaker/ListModels", "{}", cookie)[0] == 200
    assert send(lab, "call/sagemaker/ListEndpoints", "{}", cookie)[0] == 403
    assert send(lab, "sign-out", "", cookie)[0] == 204
    out, refused, listed, came, failed = records("Username", name)
    assert [each["eventName"] for each in (failed, came, listed, refused, out)] == [
        "ConsoleLogin", "ConsoleLogin", "ListModels", "ListEndpoints", "Logout",
    ]  # fmt: skip
    assert failed["responseElements"] == {"ConsoleLogin": "Failure"} and failed["errorCode"] == "Failure"
    assert came["responseElements"] == {"ConsoleLogin": "Success"} and came["eventType"] == "AwsConsoleSignIn"
    assert listed["sessionCredentialFromConsole"] == "true" and listed["userIdentity"]["type"] == "IAMUser"
    assert refused["errorCode"]


def test_a_name_that_nobody_has_may_be_a_password(lab: Any, records: Records) -> None:
    assert send(lab, "sign-in", json.dumps({"UserName": PASSWORD, "Password": "ann"}))[0] == 403
    assert records("EventName", "ConsoleLogin")[0]["userIdentity"]["userName"] == HIDDEN


def test_calls_that_move_data_are_kept_apart(lab: Any, records: Records, name: str) -> None:
    lab.put(f"{name}/a b", "payload-1234567")
    queue = lab.server.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    lab.server.client("sqs").send_message(QueueUrl=queue, MessageBody="payload-1234567")
    with pytest.raises(ClientError):
        lab.runtime.invoke_endpoint(EndpointName=name, Body=b"payload-1234567")
    assert [each["eventName"] for each in records("ResourceName", name)] == ["CreateQueue"]
    lines = data_lines(lab)
    mine = [json.loads(line) for line in lines if name in line]
    assert [each["eventName"] for each in mine] == ["PutObject", "SendMessage", "InvokeEndpoint"]
    put, sent, invoked = mine
    assert put["requestParameters"] == {"bucketName": "parity", "key": f"{name}/a b"}
    assert put["eventCategory"] == "Data" and put["managementEvent"] is False
    assert sent["requestParameters"] == {"queueUrl": queue}
    assert invoked["errorCode"] == "ValidationError"
    assert invoked["sourceIPAddress"] == "127.0.0.1" and invoked["userAgent"].startswith("Boto3/")
    assert invoked["requestParameters"] == {"endpointName": name}
    assert "payload-1234567" not in "".join(lines)
    shown = audit(lab, "--event", "CreateQueue")
    assert f"administrator  127.0.0.1  sqs:CreateQueue  arn:aws:sqs:us-east-1:{lab.server.account}:{name}" in shown


def test_a_form_is_recorded_with_who_has_signed_it(lab: Any, name: str) -> None:
    form = lab.s3.generate_presigned_post("parity", f"{name}/form")
    head = "Content-Disposition: form-data; name="
    parts = [f'--x\r\n{head}"{field}"\r\n\r\n{value}\r\n' for field, value in form["fields"].items()]
    parts.append(f'--x\r\n{head}"file"; filename="a"\r\n\r\npayload\r\n--x--\r\n')
    connection = http.client.HTTPConnection(lab.server.url.removeprefix("http://"), timeout=30)
    try:
        kind = {"content-type": "multipart/form-data; boundary=x", "user-agent": name}
        connection.request("POST", "/parity", "".join(parts), kind)
        assert connection.getresponse().status == 204
    finally:
        connection.close()
    [line] = [line for line in data_lines(lab) if name in line]
    assert json.loads(line)["userIdentity"]["userName"] == "administrator"
    assert not any(form["fields"][field] in line for field in ("policy", "signature"))


def test_strangers_are_recorded_without_what_they_say(lab: Any, records: Records, name: str) -> None:
    with pytest.raises(ClientError):
        boto3.client(
            "sagemaker",
            endpoint_url=lab.server.url,
            region_name="us-east-1",
            aws_access_key_id=name.upper().replace("-", ""),
            aws_secret_access_key="x",
        ).list_models()
    [record] = records("AccessKeyId", name.upper().replace("-", ""))
    assert record["userIdentity"]["type"] == "Unknown"
    assert record["errorCode"] == "UnrecognizedClientException"
    assert "errorMessage" not in record


def test_wrong_questions_are_refused(lab: Any) -> None:
    trail = lab.server.client("cloudtrail")
    two = [{"AttributeKey": "EventName", "AttributeValue": "a"}, {"AttributeKey": "EventId", "AttributeValue": "b"}]
    for code, arguments in (
        ("InvalidLookupAttributesException", {"LookupAttributes": two}),
        ("InvalidTimeRangeException", {"StartTime": 20, "EndTime": 10}),
        ("InvalidNextTokenException", {"NextToken": "none of ours"}),
    ):
        with pytest.raises(ClientError) as refused:
            trail.lookup_events(**arguments)
        assert refused.value.response["Error"]["Code"] == code
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def audit(lab: Any, *options: str) -> str:
    """What ``clary audit`` prints."""
    command = [sys.executable, "-m", "clary.cli", "--home", str(lab.server.home), "audit", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def data_lines(lab: Any) -> list[str]:
    return audit(lab, "--data", "--json").splitlines()


def send(lab: Any, page: str, body: str, cookie: str = "") -> tuple[int, str]:
    """A request of Studio's pages: its status, and the session that it began."""
    connection = http.client.HTTPConnection(lab.server.url.removeprefix("http://"), timeout=30)
    try:
        connection.request("POST", f"/_clary/studio/{page}", body, {**OURS, "cookie": cookie})
        answer = connection.getresponse()
        answer.read()
        return answer.status, (answer.headers["set-cookie"] or "").partition(";")[0]
    finally:
        connection.close()
