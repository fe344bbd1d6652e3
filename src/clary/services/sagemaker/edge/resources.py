"""Device fleets, devices and deployment plans as resources.

Clary keeps what is registered; no device connects to it, so that none has a heartbeat, an agent or a model.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDeviceFleet.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clary.core.errors import (
    NotAvailableYet,
    ResourceInUse,
    ResourceLimitExceeded,
    ResourceNotFound,
    ValidationException,
)
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

MOST_STAGES = 10


def _check_alias(_: Context, __: Transaction, *rest: Any) -> None:
    if rest[-1].get("EnableIotRoleAlias"):
        raise NotAvailableYet("AWS IoT role aliases (EnableIotRoleAlias) are not available in Clary yet.")


def _remove_fleet(context: Context, transaction: Transaction, record: Record) -> bool:
    if transaction.count(devices.query(context).within(record.name)):
        raise ResourceInUse(f"Device fleet {record.name} has registered devices. Deregister them first.")
    if transaction.count(deployment_plans.query(context).where("DeviceFleetName", record.name)):
        raise ResourceInUse(f"Device fleet {record.name} has edge deployment plans. Delete them first.")
    return True


def _prepare_plan(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    handles = [config["ModelHandle"] for config in params["ModelConfigs"]]
    if len(set(handles)) < len(handles):
        raise ValidationException("The model handles of an edge deployment plan must be unique.")
    params["Stages"] = with_stages([], params.get("Stages", ()))


def with_stages(present: list[dict[str, Any]], added: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The stages of a plan after some were added to those that are ``present``, with their defaults.

    Raises ``ValidationException`` for stages that make no sense, ``ResourceLimitExceeded`` for too many.
    """
    stages = [*present]
    for stage in added:
        if any(other["StageName"] == stage["StageName"] for other in stages):
            raise ValidationException(f"Stage {stage['StageName']} already exists in the edge deployment plan.")
        selection = stage["DeviceSelectionConfig"]
        needed = _SELECTIONS[selection["DeviceSubsetType"]]
        if needed not in selection:
            raise ValidationException(f"{needed} is required for the DeviceSubsetType {selection['DeviceSubsetType']}.")
        stages.append({"DeploymentConfig": {"FailureHandlingPolicy": "ROLLBACK_ON_FAILURE"}, **stage})
    if len(stages) > MOST_STAGES:
        raise ResourceLimitExceeded(f"An edge deployment plan can have at most {MOST_STAGES} stages.")
    return stages


_SELECTIONS = {"PERCENTAGE": "Percentage", "SELECTION": "DeviceNames", "NAMECONTAINS": "DeviceNameContains"}
_NOT_STARTED = {
    "StageStatus": "READYTODEPLOY",
    "EdgeDeploymentSuccessInStage": 0,
    "EdgeDeploymentPendingInStage": 0,
    "EdgeDeploymentFailedInStage": 0,
}


def _stages(_: Context, __: Transaction, record: Record) -> list[dict[str, Any]]:
    return [{**stage, "DeploymentStatus": _NOT_STARTED} for stage in record.document["Stages"]]


def _counted(context: Context, transaction: Transaction, record: Record) -> dict[str, Any]:
    registered = transaction.count(devices.query(context).within(record.name))
    return {"ConnectedDeviceCount": 0, "RegisteredDeviceCount": registered}


device_fleets = Resource(
    SAGEMAKER,
    "DeviceFleet",
    also={"describe": ("GetDeviceFleetReport",)},
    computed={
        "ReportGenerated": lambda context, *_: context.platform.clock(),
        "DeviceStats": _counted,
        "AgentVersions": lambda *_: [],
        "ModelStats": lambda *_: [],
    },
    missing=lambda name, arn: ResourceNotFound(f"No devicefleet with name {name} found."),
    prepare=_check_alias,
    amend=_check_alias,
    remove=_remove_fleet,
)
devices = Resource(
    SAGEMAKER,
    "Device",
    names=("DeviceFleetName", "DeviceName"),
    parent=device_fleets,
    arn="device-fleet/{DeviceFleetName}/device/{name}",
    paths={"RegistrationTime": "@created"},
    missing=lambda name, arn: ResourceNotFound(f"No device with name {name} found."),
    present=lambda name, arn: ValidationException(f"Device with name {name} is already registered."),
)
deployment_plans = Resource(
    SAGEMAKER,
    "EdgeDeploymentPlan",
    arn="edge-deployment/{name}",
    page=50,
    references={"DeviceFleetName": device_fleets},
    present=lambda name, arn: ValidationException(f"Edge deployment plan {name} already exists ({arn})."),
    prepare=_prepare_plan,
    # Nothing is deployed before stages can be started.
    computed={
        "Stages": _stages,
        "EdgeDeploymentSuccess": lambda *_: 0,
        "EdgeDeploymentPending": lambda *_: 0,
        "EdgeDeploymentFailed": lambda *_: 0,
    },
)
packaging_jobs = Resource(
    SAGEMAKER,
    "EdgePackagingJob",
    status="EdgePackagingJobStatus",
    later="Edge packaging jobs",
)
RESOURCES = (device_fleets, devices, deployment_plans, packaging_jobs)
