"""The metrics of training jobs as CloudWatch shows them: while a job runs, and after its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from clary.testing.server import Server

PROGRAM = (
    "import time; [print(f'loss={value}; accuracy={1 - value};', flush=True) for value in (0.5, 0.25, 0.75)]; "
    "time.sleep(600)"
)
NAMESPACE = "/aws/sagemaker/TrainingJobs"


def await_(condition: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def train(server: Server, name: str) -> None:
    server.client("s3").create_bucket(Bucket="metrics")
    server.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=server.role_arn,
        AlgorithmSpecification={
            "TrainingImage": "clary/python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", PROGRAM],
            "MetricDefinitions": [
                {"Name": "loss", "Regex": r"loss=([0-9.]+);"},
                {"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"},
            ],
        },
        OutputDataConfig={"S3OutputPath": "s3://metrics/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def test_a_processing_job_tells_what_it_used(clary_aws: Server) -> None:
    sagemaker, cloudwatch = clary_aws.client("sagemaker"), clary_aws.client("cloudwatch")
    sagemaker.create_processing_job(
        ProcessingJobName="used",
        RoleArn=clary_aws.role_arn,
        AppSpecification={
            "ImageUri": "clary/python:3.11",
            "ContainerEntrypoint": ["python3", "-c", "print(sum(n * n for n in range(3_000_000)))"],
        },
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    await_(lambda: sagemaker.describe_processing_job(ProcessingJobName="used")["ProcessingJobStatus"] == "Completed")
    namespace = "/aws/sagemaker/ProcessingJobs"
    found = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    host = [{"Name": "Host", "Value": "used/algo-1"}]
    names = ("CPUUtilization", "DiskUtilization", "MemoryUtilization")
    assert found == [{"Namespace": namespace, "MetricName": name, "Dimensions": host} for name in names]


def test_a_job_has_metrics_from_the_first_value_on(watch: Any, clary_aws: Server) -> None:
    train(clary_aws, "job")
    watch.namespace = NAMESPACE
    mine = [{"Name": "TrainingJobName", "Value": "job"}]

    def points(*names: str, name: str = "loss") -> Any:
        found = watch.statistics(*names, name=name, period=3_600, Dimensions=mine)
        return [{key: value for key, value in point.items() if key != "Timestamp"} for point in found]

    def check() -> None:
        [shown] = points("SampleCount", "Sum", "Average", "Minimum", "Maximum")
        assert shown == {
            "SampleCount": 3, "Sum": 1.5, "Average": 0.5, "Minimum": 0.25, "Maximum": 0.75, "Unit": "None"
        }  # fmt: skip
        [shown] = points("p50", name="accuracy")
        assert abs(shown["ExtendedStatistics"]["p50"] - 0.5) <= 0.005
        [result] = watch.data(watch.query("loss", "Average", 3_600, Metric={"Dimensions": mine}))["MetricDataResults"]
        assert result["Values"] == [0.5]
        named = [{"Name": "TrainingJobName"}]
        metrics = watch.client.list_metrics(Namespace=NAMESPACE, RecentlyActive="PT3H", Dimensions=named)["Metrics"]
        assert metrics == [
            {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": mine} for name in ("accuracy", "loss")
        ]
        assert watch.client.list_metrics(MetricName="loss", Dimensions=mine)["Metrics"] == metrics[1:]
        assert watch.client.list_metrics(Namespace="Mine")["Metrics"] == []
        assert watch.statistics("Sum", name="loss", Dimensions=[{"Name": "TrainingJobName", "Value": "no"}]) == []
        assert watch.statistics("Sum", name="loss") == []

    await_(lambda: points("SampleCount", name="accuracy") == [{"SampleCount": 3, "Unit": "None"}])
    sagemaker = clary_aws.client("sagemaker")
    assert sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobStatus"] == "InProgress"
    check()
    sagemaker.stop_training_job(TrainingJobName="job")
    await_(lambda: sagemaker.describe_training_job(TrainingJobName="job")["TrainingJobStatus"] == "Stopped")
    check()
    # Values that are put under the name of the job come to those that it measured.
    watch.put({"Value": 4.5, "MetricName": "loss", "Dimensions": mine})
    assert sum(point["Sum"] for point in points("Sum")) == 6
    assert len(watch.client.list_metrics(Namespace=NAMESPACE, Dimensions=mine)["Metrics"]) == 2
    # What the job used in its last minute is told when it has ended.
    host = [{"Name": "Host", "Value": "job/algo-1"}]
    used = watch.client.list_metrics(Namespace=NAMESPACE, Dimensions=host)["Metrics"]
    assert [metric["MetricName"] for metric in used] == ["CPUUtilization", "DiskUtilization", "MemoryUtilization"]
