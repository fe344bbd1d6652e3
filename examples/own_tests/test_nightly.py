"""Tests of nightly.py: the job really runs, on data of the test's own."""

import boto3
import pytest
from nightly import start_training


@pytest.fixture
def bucket(clary_environment):
    boto3.client("s3").create_bucket(Bucket="nightly")
    return "nightly"


def test_the_newest_day_is_used(clary_environment, bucket):
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    s3.put_object(Bucket=bucket, Key="data/2026-11-19/rows.csv", Body="this is no number\n")
    s3.put_object(Bucket=bucket, Key="data/2026-11-20/rows.csv", Body="".join(f"{2 * x},{x}\n" for x in range(100)))
    start_training("nightly", bucket, clary_environment.role_arn)
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="nightly", WaiterConfig={"Delay": 1, "MaxAttempts": 300})
    job = sagemaker.describe_training_job(TrainingJobName="nightly")
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    model = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{bucket}/")
    assert s3.head_object(Bucket=bucket, Key=model)["ContentLength"] > 0


def test_without_data_nothing_starts(clary_environment, bucket):
    with pytest.raises(LookupError, match="no data in nightly"):
        start_training("nightly", bucket, clary_environment.role_arn)
    assert boto3.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
