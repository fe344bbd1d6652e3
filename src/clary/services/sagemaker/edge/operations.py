"""Operations on several devices at once, and the stages of a deployment plan.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_RegisterDevices.html
"""

from __future__ import annotations

import math
from typing import Any

from clary.core.errors import ResourceNotFound
from clary.resources import changes
from clary.resources.context import Context
from clary.resources.paging import cut
from clary.resources.view import view
from clary.services.sagemaker.edge.resources import deployment_plans, device_fleets, devices, with_stages
from clary.state.records import Record
from clary.state.transaction import Transaction
from clary.wire.catalog import service

_PAGE = 50


def register_devices(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RegisterDevices``: all of them or, if one cannot be, none."""
    with context.platform.database.write() as transaction:
        for device in params["Devices"]:
            given = {**device, "DeviceFleetName": params["DeviceFleetName"], "Tags": params.get("Tags", ())}
            changes.add(devices, context, transaction, given)
    return {}


def update_devices(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateDevices``: change what is said of them, all of them or none."""
    with context.platform.database.write() as transaction:
        fleet = device_fleets.named(context, transaction, params)
        for device in params["Devices"]:
            record = devices.find(context, transaction, device["DeviceName"], fleet.name)
            changes.change(devices, context, transaction, record, device)
    return {}


def deregister_devices(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeregisterDevices``: forget them, all of them or none."""
    with context.platform.database.write() as transaction:
        fleet = device_fleets.named(context, transaction, params)
        for name in dict.fromkeys(params["DeviceNames"]):
            changes.remove(devices, context, transaction, devices.find(context, transaction, name, fleet.name))
    return {}


def describe_plan(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DescribeEdgeDeploymentPlan``, with a page of its stages."""
    shape = service("sagemaker").model.operation_model("DescribeEdgeDeploymentPlan").output_shape
    with context.platform.database.read() as transaction:
        plan = deployment_plans.named(context, transaction, params)
        seen = view(deployment_plans, shape, context, transaction, plan)
    stages, following = cut(seen["Stages"], params, _PAGE)
    return {**seen, "Stages": stages, "NextToken": following}


def create_stages(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateEdgeDeploymentStage``: add stages to a plan."""
    with context.platform.database.write() as transaction:
        plan = deployment_plans.named(context, transaction, params)
        stages = with_stages(plan.document["Stages"], params["Stages"])
        changes.change(deployment_plans, context, transaction, plan, {"Stages": stages})
    return {}


def delete_stage(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteEdgeDeploymentStage``: take a stage out of a plan."""
    with context.platform.database.write() as transaction:
        plan = deployment_plans.named(context, transaction, params)
        gone = _stage(plan, params["StageName"])
        stages = [stage for stage in plan.document["Stages"] if stage is not gone]
        changes.change(deployment_plans, context, transaction, plan, {"Stages": stages})
    return {}


def list_stage_devices(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListStageDevices``: the devices that a stage selects; to none of them anything was deployed."""
    with context.platform.database.read() as transaction:
        plan = deployment_plans.named(context, transaction, params)
        stage = _stage(plan, params["StageName"])
        selected = _selected(context, transaction, plan.document["DeviceFleetName"], stage["DeviceSelectionConfig"])
    rows, following = cut(selected, params, _PAGE)
    summaries = [
        {
            "EdgeDeploymentPlanArn": plan.arn,
            "EdgeDeploymentPlanName": plan.name,
            "StageName": stage["StageName"],
            "DeviceFleetName": plan.document["DeviceFleetName"],
            "DeviceName": device.name,
            "DeviceArn": device.arn,
            "DeviceDeploymentStatus": "READYTODEPLOY",
            "Description": device.document.get("Description"),
        }
        for device in rows
    ]
    return {"DeviceDeploymentSummaries": summaries, "NextToken": following}


def _stage(plan: Record, name: str) -> dict[str, Any]:
    stages: list[dict[str, Any]] = plan.document["Stages"]
    found = next((stage for stage in stages if stage["StageName"] == name), None)
    if found is None:
        raise ResourceNotFound(f"Stage '{name}' does not exist in EdgeDeploymentPlan '{plan.name}'.")
    return found


def _selected(context: Context, transaction: Transaction, fleet: str, selection: dict[str, Any]) -> list[Record]:
    """The devices of a fleet that a stage is for, in the order of their registration."""
    registered = transaction.find(devices.query(context).within(fleet))
    match selection["DeviceSubsetType"]:
        case "PERCENTAGE":
            return registered[: math.ceil(len(registered) * selection["Percentage"] / 100)]
        case "SELECTION":
            return [device for device in registered if device.name in selection["DeviceNames"]]
        case _:
            return [device for device in registered if selection["DeviceNameContains"] in device.name]


OPERATIONS = {
    "RegisterDevices": register_devices,
    "UpdateDevices": update_devices,
    "DeregisterDevices": deregister_devices,
    "DescribeEdgeDeploymentPlan": describe_plan,
    "CreateEdgeDeploymentStage": create_stages,
    "DeleteEdgeDeploymentStage": delete_stage,
    "ListStageDevices": list_stage_devices,
}
