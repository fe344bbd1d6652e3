"""Definitions of monitoring jobs as resources, and what their schedules will show.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDataQualityJobDefinition.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.transaction import Transaction

_SOURCES = ("EndpointInput", "BatchTransformInput")


def _job_definitions(kind: str) -> Resource:
    """The definitions of one kind of monitoring job: ``DataQuality`` for ``CreateDataQualityJobDefinition``."""
    given, written = f"{kind}JobInput", f"{kind}JobOutputConfig"

    def prepare(_: Context, __: Transaction, params: dict[str, Any]) -> None:
        sources = [params[given][source] for source in _SOURCES if source in params[given]]
        if len(sources) != 1:
            raise ValidationException(f"{given} must have exactly one of EndpointInput and BatchTransformInput.")
        for source in sources:
            source.setdefault("S3InputMode", "File")
            source.setdefault("S3DataDistributionType", "FullyReplicated")
        for output in params[written]["MonitoringOutputs"]:
            output["S3Output"].setdefault("S3UploadMode", "EndOfJob")

    return Resource(
        SAGEMAKER,
        f"{kind}JobDefinition",
        names=("JobDefinitionName",),
        arn_member="JobDefinitionArn",
        descending=True,
        paths={
            "MonitoringJobDefinitionName": "@name",
            "MonitoringJobDefinitionArn": "@arn",
            "EndpointName": f"{given}.EndpointInput.EndpointName",
        },
        prepare=prepare,
    )


job_definitions = tuple(map(_job_definitions, ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")))
monitoring_schedules = Resource(
    SAGEMAKER,
    "MonitoringSchedule",
    status="MonitoringScheduleStatus",
    descending=True,
    paths={
        "MonitoringJobDefinitionName": "MonitoringScheduleConfig.MonitoringJobDefinitionName",
        "MonitoringType": "MonitoringScheduleConfig.MonitoringType",
    },
    later="Monitoring schedules",
)
monitoring_executions = Resource(
    SAGEMAKER,
    "MonitoringExecution",
    names=("MonitoringScheduleName", "MonitoringExecutionName"),
    parent=monitoring_schedules,
    status="MonitoringExecutionStatus",
    descending=True,
)
monitoring_alerts = Resource(
    SAGEMAKER,
    "MonitoringAlert",
    names=("MonitoringScheduleName", "MonitoringAlertName"),
    parent=monitoring_schedules,
    arn="monitoring-schedule/{MonitoringScheduleName}/alert/{name}",
    page=100,
)
alert_history = Resource(
    SAGEMAKER,
    "MonitoringAlertHistory",
    also={"list": ("ListMonitoringAlertHistory",)},
    names=("MonitoringScheduleName", "MonitoringAlertName"),
    parent=monitoring_schedules,
    status="AlertStatus",
    descending=True,
    page=100,
)
RESOURCES = (*job_definitions, monitoring_schedules, monitoring_executions, monitoring_alerts, alert_history)
