"""What instances use, a value a minute while they are at work, as any client of CloudWatch reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from parity_lab import SKLEARN, Lab, eventually

pytestmark = [pytest.mark.slow("load")]  # a minute has to pass

HANDLER = """
    import os, threading, time

    def burn():
        while True:
            sum(range(10_000))
            time.sleep(0.001)

    def model_fn(folder):
        threading.Thread(target=burn, daemon=True).start()
        return bytearray(os.urandom(1 << 20)) * 800

    def predict_fn(data, model):
        return data
    """
BUSY = "import os; held = bytearray(os.urandom(1 << 20)) * 800; any(sum(range(10_000)) < 0 for _ in iter(int, 1))"


def points(lab: Lab, namespace: str, name: str, **dimensions: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    answer = lab.server.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=60,
        Statistics=["Average", "SampleCount"],
        Unit="Percent",
    )
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


def test_jobs_and_endpoints_tell_each_minute_what_they_use(lab: Lab) -> None:
    lab.sagemaker.create_processing_job(
        ProcessingJobName="busy",
        RoleArn=lab.role,
        AppSpecification={"ImageUri": "clary/python:3.11", "ContainerEntrypoint": ["python3", "-c", BUSY]},
        ProcessingResources={"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}},
    )
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": lab.script(HANDLER)}
    container = {"Image": SKLEARN, "Environment": variables}
    lab.sagemaker.create_model(ModelName="used", ExecutionRoleArn=lab.role, PrimaryContainer=container)
    lab.sagemaker.create_endpoint_config(
        EndpointConfigName="used",
        ProductionVariants=[
            {
                "VariantName": "only",
                "ModelName": "used",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 2,
            }
        ],
    )
    lab.sagemaker.create_endpoint(EndpointName="used", EndpointConfigName="used")
    assert lab.endpoint_settled("used")["EndpointStatus"] == "InService"

    jobs, job = "/aws/sagemaker/ProcessingJobs", {"Host": "busy/algo-1"}
    endpoints, variant = "/aws/sagemaker/Endpoints", {"EndpointName": "used", "VariantName": "only"}

    # A whole minute of both instances.
    def whole() -> bool:
        found = points(lab, endpoints, "CPUUtilization", **variant)
        return len(found) > 1 and found[-1]["SampleCount"] == 2

    eventually(whole, "the second minute")
    for name, least, most in (("CPUUtilization", 5, 900), ("MemoryUtilization", 9, 40), ("DiskUtilization", 0, 50)):
        of_job, of_variant = points(lab, jobs, name, **job), points(lab, endpoints, name, **variant)
        assert least <= of_variant[-1]["Average"] < most
        assert {point["SampleCount"] for point in of_job} == {1}
        assert least <= of_job[-1]["Average"] < most
    assert lab.sagemaker.describe_processing_job(ProcessingJobName="busy")["ProcessingJobStatus"] == "InProgress"

    # An alarm on them goes off.
    lab.server.client("cloudwatch").put_metric_alarm(
        AlarmName="full",
        Namespace=endpoints,
        MetricName="MemoryUtilization",
        Dimensions=[{"Name": name, "Value": value} for name, value in variant.items()],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch = lab.server.client("cloudwatch")
    eventually(
        lambda: cloudwatch.describe_alarms(AlarmNames=["full"])["MetricAlarms"][0]["StateValue"] == "ALARM",
        "the alarm",
    )
    lab.sagemaker.stop_processing_job(ProcessingJobName="busy")
