"""Data capture of endpoints: what went in and out, in S3 as SageMaker lays it out.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, Lab, eventually

HANDLER = """
    def model_fn(folder):
        return None

    def input_fn(body, content_type):
        return body

    def predict_fn(data, model):
        if data in (b"wrong", "wrong"):
            raise ValueError("wrong")
        return "0.5"

    def output_fn(prediction, accept):
        return prediction, accept
    """
URI = f"s3://{BUCKET}/captured/here"
TYPES = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def config(lab: Lab, name: str, **capture: Any) -> None:
    variant = {"VariantName": "v", "ModelName": "seen", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    given = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": URI,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": TYPES,
        **capture,
    }
    lab.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], DataCaptureConfig=given)


def deploy(lab: Lab, **capture: Any) -> None:
    code = lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code}
    lab.model("seen", None, SKLEARN, Environment=variables)
    config(lab, "seen", **capture)
    lab.sagemaker.create_endpoint(EndpointName="seen", EndpointConfigName="seen")
    assert lab.endpoint_settled("seen")["EndpointStatus"] == "InService"


def keys(lab: Lab) -> list[str]:
    found = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="captured/").get("Contents", [])
    return [each["Key"] for each in found]


def records(lab: Lab, count: int) -> list[dict[str, Any]]:
    """The records that are captured, once there are ``count``."""

    def look() -> list[dict[str, Any]] | None:
        lines = [line for key in keys(lab) for line in lab.get(f"s3://{BUCKET}/{key}").splitlines()]
        return [json.loads(line) for line in lines] if len(lines) >= count else None

    found: list[dict[str, Any]] = eventually(look, f"{count} records are captured")
    return sorted(found, key=lambda record: str(record["eventMetadata"].get("inferenceId")))


def test_what_goes_in_and_out(lab: Lab) -> None:
    deploy(lab)
    described = lab.sagemaker.describe_endpoint(EndpointName="seen")["DataCaptureConfig"]
    assert described["CaptureStatus"] == "Started" and described["CurrentSamplingPercentage"] == 100
    lab.invoke("seen", "1,2", "text/csv", Accept="application/json", InferenceId="a", CustomAttributes="mine=1")
    lab.invoke("seen", b"\xff\x00", "application/octet-stream", Accept="text/csv", InferenceId="b")
    with pytest.raises(ClientError, match="wrong"):
        lab.invoke("seen", "wrong", "text/csv", InferenceId="d")
    first, second = records(lab, 2)
    assert first["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": "0.5",
            "encoding": "JSON",
        },
    }
    event = first["eventMetadata"]
    assert event["inferenceId"] == "a" and event["customAttributes"] == ["mine=1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["inferenceTime"]) and first["eventVersion"] == "0"
    taken = second["captureData"]["endpointInput"]
    assert (taken["encoding"], base64.b64decode(taken["data"])) == ("BASE64", b"\xff\x00")
    # endpoint/variant/yyyy/mm/dd/hh
    form = r"captured/here/seen/v/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"
    assert all(re.fullmatch(form, key) for key in keys(lab))


def test_one_way_and_without_known_types(lab: Lab) -> None:
    deploy(lab, CaptureOptions=[{"CaptureMode": "Output"}], CaptureContentTypeHeader={})
    lab.invoke("seen", "1,2", "text/csv", Accept="text/csv")
    [record] = records(lab, 1)
    [(name, part)] = record["captureData"].items()
    assert (name, part["encoding"], base64.b64decode(part["data"])) == ("endpointOutput", "BASE64", b"0.5")


def test_it_is_changed_by_an_update(lab: Lab) -> None:
    deploy(lab, InitialSamplingPercentage=0)
    for _ in range(5):
        lab.invoke("seen", "1", "text/csv", InferenceId="none")
    config(lab, "all")
    excluded = [{"VariantPropertyType": "DataCaptureConfig"}]
    lab.sagemaker.update_endpoint(EndpointName="seen", EndpointConfigName="all", RetainAllVariantProperties=True)
    assert lab.endpoint_settled("seen")["DataCaptureConfig"]["CurrentSamplingPercentage"] == 0
    lab.sagemaker.update_endpoint(
        EndpointName="seen",
        EndpointConfigName="all",
        RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=excluded,
    )
    assert lab.endpoint_settled("seen")["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    lab.invoke("seen", "1", "text/csv", InferenceId="some")
    assert [record["eventMetadata"]["inferenceId"] for record in records(lab, 1)] == ["some"]
    config(lab, "off", EnableCapture=False)
    lab.sagemaker.update_endpoint(EndpointName="seen", EndpointConfigName="off")
    assert lab.endpoint_settled("seen")["DataCaptureConfig"]["CaptureStatus"] == "Stopped"


@pytest.fixture
def nobody(lab: Lab) -> Iterator[str]:
    """A role that SageMaker may take on and that may do nothing."""
    iam = lab.server.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    yield iam.create_role(RoleName="Nobody", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.delete_role(RoleName="Nobody")


def test_the_role_of_the_model_writes_it(lab: Lab, nobody: str) -> None:
    """A role that may not write captures nothing, and the answers come all the same."""
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": lab.script(HANDLER)}
    container = {"Image": SKLEARN, "Environment": variables}
    iam = lab.server.client("iam")
    reads = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    iam.put_role_policy(RoleName="Nobody", PolicyName="reads", PolicyDocument=policy)
    lab.sagemaker.create_model(ModelName="seen", ExecutionRoleArn=nobody, PrimaryContainer=container)
    config(lab, "seen")
    lab.sagemaker.create_endpoint(EndpointName="seen", EndpointConfigName="seen")
    assert lab.endpoint_settled("seen")["EndpointStatus"] == "InService"
    assert lab.invoke("seen", "1", "text/csv", Accept="text/csv") == b"0.5"
    log = lab.server.home / "log" / "edge.log"
    eventually(lambda: "captured data of endpoint seen is lost" in log.read_text(), "the log says so")
    assert keys(lab) == []
    iam.delete_role_policy(RoleName="Nobody", PolicyName="reads")


@pytest.mark.parametrize(
    ("capture", "message"),
    [
        ({"DestinationS3Uri": "https://elsewhere/x"}, "is not an S3 URI"),
        ({"CaptureOptions": [{"CaptureMode": "Input"}] * 2}, "must be unique"),
    ],
)
def test_configurations_that_are_refused(lab: Lab, capture: dict[str, Any], message: str) -> None:
    lab.model("seen", None, SKLEARN)
    with pytest.raises(ClientError, match=message):
        config(lab, "refused", **capture)
