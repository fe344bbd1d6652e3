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
LARGE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    with server(max_jobs=1) as running:
        running.client("s3").create_bucket(Bucket="queue")
        yield running


def start(aws: Server, name: str, command: str, role: str = "", *, by: Any = None, **members: Any) -> None:
    (by or aws.client("sagemaker")).create_training_job(
        TrainingJobName=name,
        RoleArn=role or aws.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", command],
        },
        OutputDataConfig={"S3OutputPath": "s3://queue/output"},
        **{"ResourceConfig": LARGE, "StoppingCondition": {"MaxRuntimeInSeconds": 600}, **members},
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
    assert message == "1 instance is running a job, and 1 may run at once; the job starts when it is its turn."

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


def hold(aws: Server, name: str) -> None:
    """Take the only place."""
    start(aws, name, "import signal; signal.pause()")
    wait_for(lambda: describe(aws, name)["SecondaryStatus"] == "Training")


def let_go(aws: Server, name: str, *waiting: str) -> list[str]:
    """Give the place back, and tell in which order those began that waited for it."""
    aws.client("sagemaker").stop_training_job(TrainingJobName=name)
    for each in waiting:
        wait_for(lambda each=each: describe(aws, each)["TrainingJobStatus"] == "Completed", timeout=120)
    return sorted(waiting, key=lambda each: describe(aws, each)["TrainingStartTime"])


def test_the_tag_of_a_priority_counts_before_the_time(small: Server) -> None:
    hold(small, "before-all")
    for name, value in (("usual", None), ("behind", "-3"), ("urgent", "10"), ("less-urgent", "9")):
        tags = [{"Key": "clary:priority", "Value": value}] if value else []
        start(small, name, "pass", Tags=tags)
    order = let_go(small, "before-all", "usual", "behind", "urgent", "less-urgent")
    assert order == ["urgent", "less-urgent", "usual", "behind"]


@pytest.mark.parametrize("value", ["", "high", "1.5", "1001", "--1", "१", "9" * 256])
def test_a_priority_that_is_none_is_refused(small: Server, value: str) -> None:
    with pytest.raises(small.client("sagemaker").exceptions.ClientError, match="from -1000 to 1000") as error:
        start(small, "wrong", "pass", Tags=[{"Key": "clary:priority", "Value": value}])
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert not small.client("sagemaker").list_training_jobs(NameContains="wrong")["TrainingJobSummaries"]


def test_users_take_turns_however_many_jobs_one_of_them_has() -> None:
    with server(max_jobs=2) as aws:
        iam = aws.client("iam")
        aws.client("s3").create_bucket(Bucket="queue")
        iam.create_user(UserName="bea")
        iam.attach_user_policy(UserName="bea", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        key = iam.create_access_key(UserName="bea")["AccessKey"]
        bea = aws.client(
            "sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        hold(aws, "hers-0")
        hold(aws, "hers-1")
        for number in (2, 3):
            start(aws, f"hers-{number}", "import signal; signal.pause()")
        start(aws, "bea-0", "pass", by=bea)
        aws.client("sagemaker").stop_training_job(TrainingJobName="hers-0")
        wait_for(lambda: describe(aws, "bea-0")["TrainingJobStatus"] == "Completed")
        wait_for(lambda: describe(aws, "hers-2")["SecondaryStatus"] == "Training")
        assert describe(aws, "bea-0")["TrainingEndTime"] <= describe(aws, "hers-2")["TrainingStartTime"]
        assert describe(aws, "hers-3")["SecondaryStatus"] == "Pending"


def test_a_spot_job_that_waits_for_too_long_is_given_up(small: Server) -> None:
    hold(small, "in-the-way")
    stopping = {"MaxRuntimeInSeconds": 1, "MaxWaitTimeInSeconds": 1}
    start(small, "impatient", "pass", EnableManagedSpotTraining=True, StoppingCondition=stopping)
    wait_for(lambda: describe(small, "impatient")["TrainingJobStatus"] == "Stopped")
    assert describe(small, "impatient")["SecondaryStatus"] == "MaxWaitTimeExceeded"
    assert let_go(small, "in-the-way") == []


def test_quotas_refuse_what_is_more_in_the_words_of_aws() -> None:
    quotas = {"ml.m5.large for training job usage": 1, "Number of instances across all processing jobs": 1}
    with server(max_jobs=1, quotas=quotas) as aws:
        sagemaker = aws.client("sagemaker")
        aws.client("s3").create_bucket(Bucket="queue")
        start(aws, "one", "import signal; signal.pause()")
        with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded) as error:
            start(aws, "two", "pass")
        assert error.value.response["Error"]["Message"].startswith(
            "The account-level service limit 'ml.m5.large for training job usage' is 1 Instances, with current "
            "utilization of 1 Instances and a request delta of 1 Instances."
        )
        large = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}
        start(aws, "other-type", "pass", ResourceConfig=large)
        with pytest.raises(sagemaker.exceptions.ResourceLimitExceeded, match="across all processing jobs' is 1"):
            sagemaker.create_processing_job(
                ProcessingJobName="two",
                RoleArn=aws.role_arn,
                AppSpecification={"ImageUri": IMAGE},
                ProcessingResources={"ClusterConfig": {**large, "InstanceCount": 2}},
            )
        sagemaker.stop_training_job(TrainingJobName="one")
        wait_for(lambda: describe(aws, "one")["TrainingJobStatus"] == "Stopped")
        start(aws, "two", "pass")
        wait_for(lambda: describe(aws, "two")["TrainingJobStatus"] == "Completed")
