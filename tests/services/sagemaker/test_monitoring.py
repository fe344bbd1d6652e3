"""Definitions of monitoring jobs, and the schedules that there are not yet."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

BATCH = {
    "DataCapturedDestinationS3Uri": "s3://bucket/captured",
    "DatasetFormat": {"Csv": {"Header": True}},
    "LocalPath": "/opt/ml/processing/input",
}


def create(server: Server, name: str, **inputs: Any) -> Any:
    return server.client("sagemaker").create_data_quality_job_definition(
        JobDefinitionName=name,
        DataQualityAppSpecification={"ImageUri": "image"},
        DataQualityJobInput=inputs,
        DataQualityJobOutputConfig={
            "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://bucket/out", "LocalPath": "/opt/ml/processing/output"}}]
        },
        JobResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 20}},
        RoleArn=server.role_arn,
    )


def endpoint(name: str) -> dict[str, str]:
    return {"EndpointName": name, "LocalPath": "/opt/ml/processing/input"}


def test_defaults_are_shown(clary_aws: Server) -> None:
    create(clary_aws, "definition", EndpointInput=endpoint("e"))
    shown = clary_aws.client("sagemaker").describe_data_quality_job_definition(JobDefinitionName="definition")
    source = shown["DataQualityJobInput"]["EndpointInput"]
    assert (source["S3InputMode"], source["S3DataDistributionType"]) == ("File", "FullyReplicated")
    [output] = shown["DataQualityJobOutputConfig"]["MonitoringOutputs"]
    assert output["S3Output"]["S3UploadMode"] == "EndOfJob"


def test_rows_name_the_endpoint(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    for name in ("a", "b"):
        create(clary_aws, name, EndpointInput=endpoint(f"endpoint-{name}"))
    create(clary_aws, "batch", BatchTransformInput=BATCH)
    [row] = sagemaker.list_data_quality_job_definitions(EndpointName="endpoint-a")["JobDefinitionSummaries"]
    assert (row["MonitoringJobDefinitionName"], row["EndpointName"]) == ("a", "endpoint-a")
    assert row["MonitoringJobDefinitionArn"].endswith(":data-quality-job-definition/a")
    rows = sagemaker.list_data_quality_job_definitions()["JobDefinitionSummaries"]
    assert [each["MonitoringJobDefinitionName"] for each in rows] == ["batch", "b", "a"]
    # Definitions of another kind have names of their own.
    assert sagemaker.list_model_bias_job_definitions()["JobDefinitionSummaries"] == []


def test_one_input_and_no_other(clary_aws: Server) -> None:
    for inputs in ({}, {"EndpointInput": endpoint("e"), "BatchTransformInput": BATCH}):
        with pytest.raises(ClientError, match="exactly one of EndpointInput and BatchTransformInput"):
            create(clary_aws, "definition", **inputs)


def test_there_are_no_schedules(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    assert sagemaker.list_monitoring_executions(MonitoringScheduleName="s")["MonitoringExecutionSummaries"] == []
    assert sagemaker.list_monitoring_alert_history()["MonitoringAlertHistory"] == []
    for operation in (sagemaker.list_monitoring_alerts, sagemaker.list_monitoring_alert_history):
        with pytest.raises(ClientError, match="MonitoringSchedule 's' does not exist") as refused:
            operation(MonitoringScheduleName="s")
        assert refused.value.response["Error"]["Code"] == "ResourceNotFound"
