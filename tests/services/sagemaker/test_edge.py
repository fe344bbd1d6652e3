"""Device fleets, their devices and the stages of deployment plans."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

OUTPUT = {"S3OutputLocation": "s3://bucket/fleet"}


@pytest.fixture
def fleet(clary_aws: Server) -> Any:
    """A client, with a fleet of four devices."""
    sagemaker = clary_aws.client("sagemaker")
    sagemaker.create_device_fleet(DeviceFleetName="fleet", OutputConfig=OUTPUT, RoleArn=clary_aws.role_arn)
    names = ("north-1", "north-2", "south-1", "south-2")
    sagemaker.register_devices(
        DeviceFleetName="fleet",
        Devices=[{"DeviceName": name, "Description": name.title()} for name in names],
        Tags=[{"Key": "team", "Value": "a"}],
    )
    return sagemaker


def stage(name: str, **selection: Any) -> dict[str, Any]:
    return {"StageName": name, "DeviceSelectionConfig": selection}


def code(refused: Any) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_devices_are_registered_changed_and_deregistered(fleet: Any) -> None:
    device = fleet.describe_device(DeviceFleetName="fleet", DeviceName="north-1")
    assert device["DeviceArn"].endswith(":device-fleet/fleet/device/north-1")
    assert (device["Description"], device["DeviceFleetName"]) == ("North-1", "fleet")
    assert abs((datetime.now(UTC) - device["RegistrationTime"]).total_seconds()) < 60
    assert not {"LatestHeartbeat", "AgentVersion", "Models"} & set(device)
    assert fleet.list_tags(ResourceArn=device["DeviceArn"])["Tags"] == [{"Key": "team", "Value": "a"}]

    fleet.update_devices(
        DeviceFleetName="fleet", Devices=[{"DeviceName": "north-1", "IotThingName": "thing", "Description": "moved"}]
    )
    device = fleet.describe_device(DeviceFleetName="fleet", DeviceName="north-1")
    assert (device["Description"], device["IotThingName"]) == ("moved", "thing")

    fleet.deregister_devices(DeviceFleetName="fleet", DeviceNames=["north-1", "south-2"])
    [row, _] = fleet.list_devices(DeviceFleetName="fleet")["DeviceSummaries"]
    assert (row["DeviceName"], row["Description"], row["DeviceFleetName"]) == ("north-2", "North-2", "fleet")
    with pytest.raises(ClientError, match="No device with name north-1") as refused:
        fleet.describe_device(DeviceFleetName="fleet", DeviceName="north-1")
    assert code(refused) == "ResourceNotFound"


def test_devices_that_no_list_should_show(fleet: Any) -> None:
    assert len(fleet.list_devices()["DeviceSummaries"]) == 4
    for nothing in (
        {"LatestHeartbeatAfter": datetime(2020, 1, 1, tzinfo=UTC)},
        {"ModelName": "m"},
        {"DeviceFleetName": "other"},
    ):
        assert fleet.list_devices(**nothing)["DeviceSummaries"] == []


def test_all_devices_or_none(fleet: Any) -> None:
    with pytest.raises(ClientError, match="Device with name north-1 is already registered"):
        fleet.register_devices(DeviceFleetName="fleet", Devices=[{"DeviceName": "new"}, {"DeviceName": "north-1"}])
    with pytest.raises(ClientError, match="No device with name new"):
        fleet.update_devices(
            DeviceFleetName="fleet",
            Devices=[{"DeviceName": "north-1", "Description": "x"}, {"DeviceName": "new"}],
        )
    with pytest.raises(ClientError, match="No device with name new"):
        fleet.deregister_devices(DeviceFleetName="fleet", DeviceNames=["north-1", "new"])
    assert fleet.describe_device(DeviceFleetName="fleet", DeviceName="north-1")["Description"] == "North-1"
    for operation in (fleet.register_devices, fleet.update_devices):
        with pytest.raises(ClientError, match="No devicefleet with name other") as refused:
            operation(DeviceFleetName="other", Devices=[{"DeviceName": "d"}])
        assert code(refused) == "ResourceNotFound"
    with pytest.raises(ClientError, match="No devicefleet with name other"):
        fleet.deregister_devices(DeviceFleetName="other", DeviceNames=["d"])


def test_a_report_counts_what_is_registered(fleet: Any) -> None:
    report = fleet.get_device_fleet_report(DeviceFleetName="fleet")
    assert report["DeviceStats"] == {"ConnectedDeviceCount": 0, "RegisteredDeviceCount": 4}
    assert (report["AgentVersions"], report["ModelStats"], report["OutputConfig"]) == ([], [], OUTPUT)
    assert abs((datetime.now(UTC) - report["ReportGenerated"]).total_seconds()) < 60
    assert "DeviceStats" not in fleet.describe_device_fleet(DeviceFleetName="fleet")


def test_a_fleet_in_use_stays(fleet: Any) -> None:
    with pytest.raises(ClientError, match="registered devices") as refused:
        fleet.delete_device_fleet(DeviceFleetName="fleet")
    assert code(refused) == "ResourceInUse"
    fleet.deregister_devices(DeviceFleetName="fleet", DeviceNames=["north-1", "north-2", "south-1", "south-2"])
    models = [{"ModelHandle": "m", "EdgePackagingJobName": "p"}]
    fleet.create_edge_deployment_plan(EdgeDeploymentPlanName="plan", ModelConfigs=models, DeviceFleetName="fleet")
    with pytest.raises(ClientError, match="edge deployment plans") as refused:
        fleet.delete_device_fleet(DeviceFleetName="fleet")
    assert code(refused) == "ResourceInUse"
    fleet.delete_edge_deployment_plan(EdgeDeploymentPlanName="plan")
    fleet.delete_device_fleet(DeviceFleetName="fleet")


def test_role_aliases_are_refused(fleet: Any) -> None:
    for operation, name in ((fleet.create_device_fleet, "another"), (fleet.update_device_fleet, "fleet")):
        with pytest.raises(ClientError, match=r"EnableIotRoleAlias.*not available in Clary yet"):
            operation(DeviceFleetName=name, OutputConfig=OUTPUT, EnableIotRoleAlias=True)


def test_stages_of_a_plan(fleet: Any) -> None:
    fleet.create_edge_deployment_plan(
        EdgeDeploymentPlanName="plan",
        ModelConfigs=[{"ModelHandle": "m", "EdgePackagingJobName": "p"}],
        DeviceFleetName="fleet",
        Stages=[stage("some", DeviceSubsetType="SELECTION", DeviceNames=["south-2", "gone"])],
    )
    fleet.create_edge_deployment_stage(
        EdgeDeploymentPlanName="plan",
        Stages=[
            stage("north", DeviceSubsetType="NAMECONTAINS", DeviceNameContains="north")
            | {"DeploymentConfig": {"FailureHandlingPolicy": "DO_NOTHING"}},
            stage("three", DeviceSubsetType="PERCENTAGE", Percentage=70),
        ],
    )

    def selected(name: str, **arguments: Any) -> list[str]:
        rows = fleet.list_stage_devices(EdgeDeploymentPlanName="plan", StageName=name, **arguments)
        return [row["DeviceName"] for row in rows["DeviceDeploymentSummaries"]]

    assert (selected("some"), selected("north")) == (["south-2"], ["north-1", "north-2"])
    assert (selected("three"), selected("three", MaxResults=2)) == (
        ["north-1", "north-2", "south-1"],
        ["north-1", "north-2"],
    )
    described = fleet.describe_edge_deployment_plan(EdgeDeploymentPlanName="plan")
    policies = [each["DeploymentConfig"]["FailureHandlingPolicy"] for each in described["Stages"]]
    assert policies == ["ROLLBACK_ON_FAILURE", "DO_NOTHING", "ROLLBACK_ON_FAILURE"]
    assert {each["DeploymentStatus"]["StageStatus"] for each in described["Stages"]} == {"READYTODEPLOY"}
    assert described["EdgeDeploymentPending"] == 0

    names: list[str] = []
    token: dict[str, str] = {}
    while token is not None:
        page = fleet.describe_edge_deployment_plan(EdgeDeploymentPlanName="plan", MaxResults=2, **token)
        names += [each["StageName"] for each in page["Stages"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None  # type: ignore[assignment]
    assert names == ["some", "north", "three"]

    fleet.delete_edge_deployment_stage(EdgeDeploymentPlanName="plan", StageName="north")
    described = fleet.describe_edge_deployment_plan(EdgeDeploymentPlanName="plan")
    assert [each["StageName"] for each in described["Stages"]] == ["some", "three"]
    for operation in (fleet.delete_edge_deployment_stage, fleet.list_stage_devices):
        with pytest.raises(ClientError, match="Stage 'north' does not exist"):
            operation(EdgeDeploymentPlanName="plan", StageName="north")
    for later in (fleet.start_edge_deployment_stage, fleet.stop_edge_deployment_stage):
        with pytest.raises(ClientError, match="not available in Clary yet"):
            later(EdgeDeploymentPlanName="plan", StageName="some")


def test_stages_and_plans_that_make_no_sense(fleet: Any) -> None:
    def create(*stages: dict[str, Any], fleet_name: str = "fleet", handles: tuple[str, ...] = ("m",)) -> None:
        fleet.create_edge_deployment_plan(
            EdgeDeploymentPlanName="plan",
            ModelConfigs=[{"ModelHandle": handle, "EdgePackagingJobName": "p"} for handle in handles],
            DeviceFleetName=fleet_name,
            Stages=list(stages),
        )

    half = {"DeviceSubsetType": "PERCENTAGE", "Percentage": 50}
    for message, broken in (
        ("Stage a already exists", lambda: create(stage("a", **half), stage("a", **half))),
        ("Percentage is required", lambda: create(stage("a", DeviceSubsetType="PERCENTAGE"))),
        ("DeviceNames is required", lambda: create(stage("a", DeviceSubsetType="SELECTION"))),
        ("at most 10 stages", lambda: create(*(stage(f"s{number}", **half) for number in range(11)))),
        ("No devicefleet with name other", lambda: create(fleet_name="other")),
        ("must be unique", lambda: create(handles=("m", "m"))),
    ):
        with pytest.raises(ClientError, match=message):
            broken()
    with pytest.raises(ClientError, match="EdgeDeploymentPlan 'plan' does not exist") as refused:
        fleet.create_edge_deployment_stage(EdgeDeploymentPlanName="plan", Stages=[stage("a", **half)])
    assert code(refused) == "ResourceNotFound"
    create(stage("all", DeviceSubsetType="PERCENTAGE", Percentage=100))
    for operation in (fleet.list_stage_devices, fleet.describe_edge_deployment_plan):
        with pytest.raises(ClientError, match="token is invalid"):
            operation(
                EdgeDeploymentPlanName="plan",
                NextToken="x",
                **({"StageName": "all"} if operation == fleet.list_stage_devices else {}),
            )
