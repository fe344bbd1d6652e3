"""Training requests that are valid by their shapes and make no sense: refused at once, and nothing is left of them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

SOURCE = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train/"}}


def group(name: str, count: int = 1) -> dict[str, Any]:
    return {"InstanceGroupName": name, "InstanceType": "ml.m5.large", "InstanceCount": count}


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (
            {"AlgorithmSpecification": {"TrainingInputMode": "File"}},
            "ValidationException",
            "TrainingImage or AlgorithmName",
        ),
        (
            {"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}},
            "ValidationException",
            "algorithm/mine does not exist",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 21, "VolumeSizeInGB": 1}},
            "ResourceLimitExceeded",
            "'ml.m5.large for training job usage' is 20 Instances.*request delta of 21 Instances",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [group("a"), group("a")]}},
            "ValidationException",
            "must be unique: a, a",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceGroups": [group("a")]}},
            "ValidationException",
            "InstanceGroups together with InstanceType",
        ),
        ({"ResourceConfig": {"InstanceGroups": [group("a", 0)]}}, "ValidationException", "at least one instance group"),
        (
            {
                "ResourceConfig": {"InstanceGroups": [group("a")]},
                "InputDataConfig": [
                    {
                        "ChannelName": "c",
                        "DataSource": {"S3DataSource": {**SOURCE["S3DataSource"], "InstanceGroupNames": ["b"]}},
                    }
                ],
            },
            "ValidationException",
            "Channel c: there is no instance group b",
        ),
        ({"InputDataConfig": [{"ChannelName": "..", "DataSource": SOURCE}]}, "ValidationException", "name a folder"),
        (
            {"InputDataConfig": [{"ChannelName": "a", "DataSource": SOURCE}] * 2},
            "ValidationException",
            "Channel names must be unique",
        ),
        (
            {"CheckpointConfig": {"S3Uri": "s3://bucket/c", "LocalPath": "/opt/ml/../../etc"}},
            "ValidationException",
            "absolute path",
        ),
        ({"CheckpointConfig": {"S3Uri": "s3://bucket/c", "LocalPath": "c"}}, "ValidationException", "absolute path"),
        (
            {"StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}},
            "ValidationException",
            "only supported when EnableManagedSpotTraining is set to true",
        ),
        (
            {"EnableManagedSpotTraining": True},
            "ValidationException",
            "must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59},
            },
            "ValidationException",
            "must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        (
            {"EnableManagedSpotTraining": True, "StoppingCondition": {"MaxWaitTimeInSeconds": 86_399}},
            "ValidationException",
            "must be present and be greater than or equal to MaxRuntimeInSeconds",
        ),
        *(
            (
                {
                    "EnableManagedSpotTraining": True,
                    "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
                    "Environment": {"CLARY_SPOT_INTERRUPTIONS": text},
                },
                "ValidationException",
                "must hold seconds separated by commas",
            )
            for text in ("soon", "1,", "-1", "1+", "1+2+3", "1e3", "nan")
        ),
        (
            {"ProfilerConfig": {"ProfilingIntervalInMilliseconds": 499}},
            "ValidationException",
            "Invalid ProfilingIntervalInMilliseconds",
        ),
    ],
)
def test_refused_at_once(clary_aws: Server, change: dict[str, Any], code: str, message: str) -> None:
    sagemaker = clary_aws.client("sagemaker")
    request: dict[str, Any] = {
        "TrainingJobName": "never",
        "RoleArn": clary_aws.role_arn,
        "AlgorithmSpecification": {"TrainingImage": "clary/python:3.11", "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    with pytest.raises(ClientError, match=message) as refused:
        sagemaker.create_training_job(**request | change)
    assert refused.value.response["Error"]["Code"] == code
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_metrics_that_repeat_those_of_the_algorithm_are_there_once(clary_aws: Server) -> None:
    """As in a request that is made of the description of another job."""
    own = {"Name": "test:msd", "Regex": "own=(.*)"}
    image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
    sagemaker = clary_aws.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName="repeats",
        RoleArn=clary_aws.role_arn,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File", "MetricDefinitions": [own]},
        HyperParameters={"k": "2", "feature_dim": "2"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": SOURCE}],
        OutputDataConfig={"S3OutputPath": "s3://bucket/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    shown = sagemaker.describe_training_job(TrainingJobName="repeats")["AlgorithmSpecification"]
    metrics = shown["MetricDefinitions"]
    assert [each for each in metrics if each["Name"] == "test:msd"] == [own] and len(metrics) > 1
