"""What of a call stands in the trail, and what does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clary.core.errors import ServiceError
from clary.services.cloudtrail.hiding import HIDDEN, LONGEST_TEXT, is_secret, without_signatures
from clary.services.cloudtrail.operations import is_data, is_read_only, source
from clary.services.cloudtrail.resource_types import name_of, type_of
from clary.services.cloudtrail.told import Told
from clary.wire.catalog import service


class Refused(ServiceError):
    code = "ValidationException"
    status = 400


def told(name: str, operation: str, params: dict[str, Any], result: dict[str, Any] | None = None) -> dict[str, Any]:
    call = Told(name)
    call.asked(service(name).operation(operation), params)
    if result is not None:
        call.answered(result)
    record: dict[str, Any] = json.loads(call.text({}))
    return record


def test_a_call_is_told_in_the_words_of_records() -> None:
    record = told("sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": "arn:aws:iam::1:role/r"})
    assert record["eventSource"] == "sagemaker.amazonaws.com"
    assert record["requestParameters"] == {"modelName": "m", "executionRoleArn": "arn:aws:iam::1:role/r"}
    assert (record["readOnly"], record["managementEvent"]) == (False, True)


def test_what_is_sensitive_is_hidden() -> None:
    key = {"UserName": "ann", "AccessKeyId": "AKIAX", "Status": "Active", "SecretAccessKey": "s3cr3t-s3cr3t"}
    record = told("iam", "CreateAccessKey", {"UserName": "ann"}, {"AccessKey": key})
    shown = record["responseElements"]["accessKey"]
    assert shown == {"userName": "ann", "accessKeyId": "AKIAX", "status": "Active", "secretAccessKey": HIDDEN}
    record = told(
        "iam", "CreateLoginProfile", {"UserName": "ann", "Password": "hunter2", "PasswordResetRequired": True}
    )
    assert record["requestParameters"] == {"userName": "ann", "password": HIDDEN, "passwordResetRequired": True}


def test_of_credentials_the_key_id_is_shown() -> None:
    given = {
        "AccessKeyId": "ASIAX",
        "SecretAccessKey": "s" * 40,
        "SessionToken": "t" * 400,
        "Expiration": 1_700_000_000,
    }
    record = told(
        "sts", "AssumeRole", {"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "s"}, {"Credentials": given}
    )
    shown = record["responseElements"]["credentials"]
    assert shown["accessKeyId"] == "ASIAX"
    assert shown["secretAccessKey"] == shown["sessionToken"] == HIDDEN
    assert shown["expiration"] == "Nov 14, 2023, 10:13:20 PM"
    assert record["readOnly"] is True


def test_of_an_environment_the_names_are_shown() -> None:
    members = {
        "TrainingJobName": "j",
        "Environment": {"PLACE": "here"},
        "HyperParameters": {"max_depth": "5", "hf_token": "hf_abc", "max_tokens": "9"},
    }
    asked = told("sagemaker", "CreateTrainingJob", members)["requestParameters"]
    assert asked["environment"] == {"PLACE": HIDDEN}
    assert asked["hyperParameters"] == {"max_depth": "5", "hf_token": HIDDEN, "max_tokens": "9"}


def test_bodies_are_left_out() -> None:
    asked = told("kms", "Encrypt", {"KeyId": "alias/a", "Plaintext": b"abc", "EncryptionContext": {"a": "b"}})
    assert asked["requestParameters"] == {"keyId": "alias/a", "encryptionContext": {"a": "b"}}
    asked = told("sqs", "SendMessage", {"QueueUrl": "http://h/1/q", "MessageBody": "data"})
    assert asked["requestParameters"] == {"queueUrl": "http://h/1/q"}
    assert asked["managementEvent"] is False


def test_reads_tell_no_answer() -> None:
    record = told(
        "iam", "GetUser", {"UserName": "ann"}, {"User": {"UserName": "ann", "Arn": "arn:aws:iam::1:user/ann"}}
    )
    assert "responseElements" not in record
    assert record["resources"] == [{"ARN": "arn:aws:iam::1:user/ann", "type": "AWS::IAM::User"}]


def test_a_message_does_not_repeat_what_is_hidden() -> None:
    call = Told("iam")
    call.asked(service("iam").operation("CreateLoginProfile"), {"UserName": "ann", "Password": "hunter2-hunter2"})
    call.failed(Refused("The password hunter2-hunter2 is too short."))
    record = json.loads(call.text({"x-amzn-errortype": "PasswordPolicyViolation"}))
    assert record["errorMessage"] == f"The password {HIDDEN} is too short."
    assert record["errorCode"] == "PasswordPolicyViolation"


def test_what_is_long_is_cut_and_what_is_large_is_left_out() -> None:
    asked = told("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j", "RoleArn": "x" * 9_000})[
        "requestParameters"
    ]
    assert len(asked["roleArn"]) == LONGEST_TEXT + 3
    many = [{"Key": f"key{number}", "Value": "v" * 1_000} for number in range(200)]
    record = told("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j", "Tags": many})
    assert record["requestParameters"]["omitted"] is True
    assert len(json.dumps(record)) < 2_000


def test_any_text_fits_into_a_header() -> None:
    call = Told("sagemaker")
    call.asked(service("sagemaker").operation("DeleteModel"), {"ModelName": "é\u2028\n\x7f\x00"})
    text = call.text({})
    assert text.isascii() and text.isprintable()
    assert json.loads(text)["requestParameters"]["modelName"] == "é\u2028\n\x7f\x00"


@pytest.mark.parametrize("answer", [{}, {"Unknown": object()}, {"ModelArn": object()}, {"ModelArn": None}])
def test_any_answer_can_be_told(answer: dict[str, Any]) -> None:
    told("sagemaker", "CreateModel", {"ModelName": "m"}, answer)


def test_addresses_lose_what_signs_in() -> None:
    signed = "http://h/b/k?X-Amz-Credential=AKIA&X-Amz-Security-Token=abc%2F&X-Amz-Signature=00ff&x=1"
    assert without_signatures(signed) == (
        f"http://h/b/k?X-Amz-Credential=AKIA&X-Amz-Security-Token={HIDDEN}&X-Amz-Signature={HIDDEN}&x=1"
    )
    assert without_signatures("https://me:pw@example.com/a") == f"https://{HIDDEN}@example.com/a"
    assert without_signatures("s3://bucket/a@b") == "s3://bucket/a@b"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("SecretAccessKey", True),
        ("SessionToken", True),
        ("Token", True),
        ("aws_secret_access_key", True),
        ("WebIdentityToken", True),
        ("AuthorizedUrl", True),
        ("DB_PASSWORD", True),
        ("AccessKeyId", False),
        ("NextToken", False),
        ("ClientRequestToken", False),
        ("SecretArn", False),
        ("TrainingJobName", False),
        ("max_tokens", False),
        ("KeyId", False),
    ],
)
def test_names_tell_what_is_secret(name: str, secret: bool) -> None:
    assert is_secret(name) is secret


def test_operations_are_sorted() -> None:
    assert source("cloudwatch") == "monitoring.amazonaws.com"
    assert source("sagemaker-runtime") == "sagemaker.amazonaws.com"
    assert is_read_only("sagemaker", "DescribeEndpoint") and not is_read_only("sagemaker", "CreateEndpoint")
    assert is_read_only("kms", "Decrypt") and is_read_only("sts", "AssumeRole")
    assert is_data("sagemaker-runtime", "InvokeEndpoint") and not is_data("kms", "Encrypt")


@pytest.mark.parametrize(
    ("arn", "kind", "name"),
    [
        ("arn:aws:sagemaker:us-east-1:1:training-job/j", "AWS::SageMaker::TrainingJob", "j"),
        ("arn:aws:iam::1:user/a/b/ann", "AWS::IAM::User", "ann"),
        ("arn:aws:s3:::b", "AWS::S3::Bucket", "b"),
        ("arn:aws:s3:::b/k/l", "AWS::S3::Object", "b/k/l"),
        ("arn:aws:sqs:us-east-1:1:q", "AWS::SQS::Queue", "q"),
        ("arn:aws:kms:us-east-1:1:key/k", "AWS::KMS::Key", "arn:aws:kms:us-east-1:1:key/k"),
        ("nothing", "", "nothing"),
    ],
)
def test_resources_have_types_and_names(arn: str, kind: str, name: str) -> None:
    assert (type_of(arn), name_of(arn)) == (kind, name)
