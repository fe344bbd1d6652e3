"""A full machine queues jobs and says why; endpoints take no part in that."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from clary.testing.contracts.waiting import wait_for
from clary.testing.server import Server, server

IMAGE = "clary/python:3.11"


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    with server(max_jobs=1) as running:
        running.client("s3").create_bucket(Bucket="queue")
        yield running


def start(aws: Server, name: str, command: str, role: str = "") -> None:
    aws.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=role or aws.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", command],
        },
        OutputDataConfig={"S3OutputPath": "s3://queue/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def describe(aws: Server, name: str) -> dict[str, Any]:
    described: dict[str, Any] = aws.client("sagemaker").describe_training_job(TrainingJobName=name)
    return described


def test_a_second_job_waits_for_the_first_and_says_so(small: Server) -> None:
    # It runs until it is stopped, and a script that is stopped by SIGTERM has been stopped, not failed.
    start(small, "first", "import signal; signal.pause()")
    wait_for(lambda: describe(small, "first")["SecondaryStatus"] == "Training")
    start(small, "second", "print('my turn')")
    wait_for(lambda: describe(small, "second")["SecondaryStatus"] == "Pending")
    message = describe(small, "second")["SecondaryStatusTransitions"][-1]["StatusMessage"]
    assert "1 jobs are running, and 1 may run at once" in message

    small.client("sagemaker").stop_training_job(TrainingJobName="first")
    wait_for(lambda: describe(small, "first")["TrainingJobStatus"] == "Stopped")
    wait_for(lambda: describe(small, "second")["TrainingJobStatus"] == "Completed")


def test_a_job_whose_role_goes_while_it_waits_fails(small: Server) -> None:
    iam = small.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName="passing", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    start(small, "holds", "import signal; signal.pause()")
    wait_for(lambda: describe(small, "holds")["SecondaryStatus"] == "Training")
    start(small, "orphan", "print('my turn')", role)
    wait_for(lambda: describe(small, "orphan")["SecondaryStatus"] == "Pending")
    iam.delete_role(RoleName="passing")
    small.client("sagemaker").stop_training_job(TrainingJobName="holds")
    wait_for(lambda: describe(small, "orphan")["TrainingJobStatus"] == "Failed")
    assert f"Could not assume role {role}" in describe(small, "orphan")["FailureReason"]


def test_a_job_that_waits_can_be_stopped(small: Server) -> None:
    start(small, "runs", "import signal; signal.pause()")
    wait_for(lambda: describe(small, "runs")["SecondaryStatus"] == "Training")
    start(small, "waits", "print('never')")
    wait_for(lambda: describe(small, "waits")["SecondaryStatus"] == "Pending")
    small.client("sagemaker").stop_training_job(TrainingJobName="waits")
    wait_for(lambda: describe(small, "waits")["TrainingJobStatus"] == "Stopped")
    small.client("sagemaker").stop_training_job(TrainingJobName="runs")
    wait_for(lambda: describe(small, "runs")["TrainingJobStatus"] == "Stopped")


def test_an_endpoint_that_is_up_keeps_no_job_from_running(small: Server) -> None:
    script = b"def model_fn(folder): return 1\ndef transform_fn(model, body, kind, accept): return body, accept\n"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(script)
        tar.addfile(member, io.BytesIO(script))
    small.client("s3").put_object(Bucket="queue", Key="model.tar.gz", Body=buffer.getvalue())
    sagemaker = small.client("sagemaker")
    container = {
        "Image": "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
        "ModelDataUrl": "s3://queue/model.tar.gz",
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=small.role_arn, PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.24xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    wait_for(lambda: sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService", timeout=120)

    start(small, "beside", "print('I run beside it')")
    wait_for(lambda: describe(small, "beside")["TrainingJobStatus"] == "Completed")
    answer = small.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", ContentType="text/plain", Body=b"hi")
    assert answer["Body"].read() == b"hi"
