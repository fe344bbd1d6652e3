"""What boto3 reads back: lists with filters and pages, tags, logs."""

from __future__ import annotations

import datetime

import pytest
from botocore.exceptions import ClientError
from parity_lab import SKLEARN, Lab

SECOND = datetime.timedelta(seconds=1)


def command(lab: Lab, name: str, text: str, **more: object) -> None:
    """Start a training job that runs a shell command."""
    lab.start(name, SKLEARN, AlgorithmSpecification={"ContainerEntrypoint": ["/bin/sh", "-c", text]}, **more)


def test_training_jobs_are_listed_filtered_sorted_and_paged(lab: Lab) -> None:
    for name, text in (("apple-1", "true"), ("apple-2", "exit 1"), ("banana", "true")):
        command(lab, name, text)
    ends = {name: lab.ended(name) for name in ("apple-1", "apple-2", "banana")}

    def names(**filters: object) -> list[str]:
        pages = lab.sagemaker.get_paginator("list_training_jobs").paginate(**filters)
        return [row["TrainingJobName"] for page in pages for row in page["TrainingJobSummaries"]]

    assert names() == ["apple-1", "apple-2", "banana"]  # the documented default is Ascending
    assert names(SortBy="Name", SortOrder="Ascending") == ["apple-1", "apple-2", "banana"]
    assert names(NameContains="apple", SortBy="Name", SortOrder="Descending") == ["apple-2", "apple-1"]
    assert names(StatusEquals="Failed") == ["apple-2"]
    assert names(StatusEquals="InProgress") == []
    assert names(CreationTimeAfter=ends["banana"]["CreationTime"] + SECOND) == []
    assert names(CreationTimeBefore=ends["banana"]["CreationTime"] + SECOND) == ["apple-1", "apple-2", "banana"]
    assert names(PaginationConfig={"PageSize": 2}) == ["apple-1", "apple-2", "banana"]

    first = lab.sagemaker.list_training_jobs(MaxResults=2, SortOrder="Descending")
    assert [row["TrainingJobName"] for row in first["TrainingJobSummaries"]] == ["banana", "apple-2"]
    rest = lab.sagemaker.list_training_jobs(MaxResults=2, SortOrder="Descending", NextToken=first["NextToken"])
    assert [row["TrainingJobName"] for row in rest["TrainingJobSummaries"]] == ["apple-1"]
    assert "NextToken" not in rest
    [row] = rest["TrainingJobSummaries"]
    assert row["TrainingJobArn"] == ends["apple-1"]["TrainingJobArn"]
    assert row["TrainingJobStatus"] == "Completed"
    assert row["TrainingEndTime"] == ends["apple-1"]["TrainingEndTime"]
    with pytest.raises(ClientError) as refusal:
        lab.sagemaker.list_training_jobs(NextToken="no such page")
    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_models_configurations_and_endpoints_are_listed(lab: Lab) -> None:
    for name in ("first", "second"):
        lab.model(name, None)
        lab.endpoint_config(name, name)
    assert [model["ModelName"] for model in lab.sagemaker.list_models()["Models"]] == ["second", "first"]
    listed = lab.sagemaker.list_endpoint_configs(NameContains="first")["EndpointConfigs"]
    assert [config["EndpointConfigName"] for config in listed] == ["first"]
    assert lab.sagemaker.list_endpoints()["Endpoints"] == []
    assert lab.sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []


def test_tags_are_added_replaced_and_removed(lab: Lab) -> None:
    lab.sagemaker.create_model(
        ModelName="tagged",
        ExecutionRoleArn=lab.role,
        PrimaryContainer={"Image": SKLEARN},
        Tags=[{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}],
    )
    arn = lab.sagemaker.describe_model(ModelName="tagged")["ModelArn"]

    def tags() -> dict[str, str]:
        pages = lab.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}

    assert tags() == {"team": "a", "stage": "test"}
    lab.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "b"}, {"Key": "cost", "Value": "1"}])
    lab.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["stage", "unknown"])
    assert tags() == {"team": "b", "cost": "1"}
    lab.sagemaker.delete_model(ModelName="tagged")
    lab.model("tagged", None)
    assert tags() == {}


def test_logs_are_read_as_the_sdks_read_them(lab: Lab) -> None:
    """They look for streams whose names begin with the job's, and poll with the token of the last answer."""
    group = "/aws/sagemaker/TrainingJobs"
    command(lab, "talker", "echo first; echo second >&2; while [ ! -e /tmp/never ]; do sleep 0.1; done")
    lab.await_log("talker", "second")
    [stream] = lab.logs.describe_log_streams(
        logGroupName=group, logStreamNamePrefix="talker/", orderBy="LogStreamName", limit=1
    )["logStreams"]
    place = {"logGroupName": group, "logStreamName": stream["logStreamName"]}
    assert stream["logStreamName"].startswith("talker/algo-1-")
    page = lab.logs.get_log_events(**place, startFromHead=True)
    assert sorted(event["message"] for event in page["events"])[-2:] == ["first", "second"]
    start = lab.sagemaker.describe_training_job(TrainingJobName="talker")["CreationTime"].timestamp() * 1000
    assert all(start - 1000 <= event["timestamp"] <= event["ingestionTime"] for event in page["events"])

    # Nothing new: the same token again, which tells a poller that it has everything.
    again = lab.logs.get_log_events(**place, startFromHead=True, nextToken=page["nextForwardToken"])
    assert (again["events"], again["nextForwardToken"]) == ([], page["nextForwardToken"])
    assert lab.logs.get_log_events(**place, limit=1)["events"][0]["message"] in ("first", "second")
    lab.sagemaker.stop_training_job(TrainingJobName="talker")
    lab.ended("talker")
    found = lab.logs.filter_log_events(logGroupName=group, filterPattern="second")["events"]
    assert [event["message"] for event in found] == ["second"]
    with pytest.raises(lab.logs.exceptions.ResourceNotFoundException):
        lab.logs.describe_log_streams(logGroupName="/aws/sagemaker/TransformJobs")


def test_stream_prefixes_do_not_mix_jobs(lab: Lab) -> None:
    for name in ("job", "job-2"):
        command(lab, name, f"echo from {name}")
    for name in ("job", "job-2"):
        lab.completed(name)
    assert lab.log_of("job/").splitlines()[-1] == "from job"
    assert lab.log_of("job-2/").splitlines()[-1] == "from job-2"
