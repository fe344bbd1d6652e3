"""Changing a training job while it runs, and when that is too late."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, Lab

WAIT = {"ContainerEntrypoint": ["/bin/sh", "-c", "echo waiting; sleep 600"]}


def refused(lab: Lab, message: str, **members: Any) -> None:
    with pytest.raises(ClientError, match=message) as refusal:
        lab.sagemaker.update_training_job(TrainingJobName="watched", **members)
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_the_profiler_and_remote_debugging_are_switched_while_the_job_runs(lab: Lab) -> None:
    place = f"s3://{BUCKET}/profile"
    config = {"S3OutputPath": place, "ProfilingIntervalInMilliseconds": 500}
    lab.start("watched", SKLEARN, AlgorithmSpecification=WAIT, ProfilerConfig=config)
    lab.await_log("watched", "waiting")
    job = lab.sagemaker.describe_training_job(TrainingJobName="watched")
    assert (job["ProfilerConfig"], job["ProfilingStatus"]) == (config, "Enabled")

    arn = lab.sagemaker.update_training_job(TrainingJobName="watched", ProfilerConfig={"DisableProfiler": True})
    assert arn["TrainingJobArn"] == job["TrainingJobArn"]
    assert lab.sagemaker.describe_training_job(TrainingJobName="watched")["ProfilingStatus"] == "Disabled"

    rule = {"RuleConfigurationName": "report", "RuleEvaluatorImage": "image"}
    lab.sagemaker.update_training_job(
        TrainingJobName="watched",
        ProfilerConfig={"ProfilingIntervalInMilliseconds": 1000},
        ProfilerRuleConfigurations=[rule],
        RemoteDebugConfig={"EnableRemoteDebug": True},
    )
    job = lab.sagemaker.describe_training_job(TrainingJobName="watched")
    assert job["ProfilingStatus"] == "Enabled"
    assert job["ProfilerConfig"]["S3OutputPath"] == place
    assert job["ProfilerConfig"]["ProfilingIntervalInMilliseconds"] == 1000
    assert job["ProfilerRuleConfigurations"] == [rule]
    assert job["RemoteDebugConfig"] == {"EnableRemoteDebug": True}
    assert job["LastModifiedTime"] > job["CreationTime"]

    refused(lab, "Invalid ProfilingIntervalInMilliseconds 7", ProfilerConfig={"ProfilingIntervalInMilliseconds": 7})
    refused(lab, "warm pool is InUse or Available", ResourceConfig={"KeepAlivePeriodInSeconds": 60})
    lab.sagemaker.stop_training_job(TrainingJobName="watched")
    lab.ended("watched")
    refused(lab, "in status Stopped", ProfilerConfig={"DisableProfiler": True})
    refused(lab, "in status Stopped", ProfilerRuleConfigurations=[])
    refused(lab, "in secondary status Stopped", RemoteDebugConfig={"EnableRemoteDebug": False})


def test_a_job_that_is_not_there(lab: Lab) -> None:
    refused(lab, "Requested resource not found", ProfilerConfig={"DisableProfiler": True})
