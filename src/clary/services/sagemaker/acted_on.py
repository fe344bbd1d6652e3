"""What SageMaker's operations act on where the resource that they are named after is not all, or not it.

Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.names import owner_of
from clary.resources.acted_on import ActedOn, Arns, members, named, nothing
from clary.resources.context import Context
from clary.services.sagemaker.edge.resources import devices
from clary.services.sagemaker.endpoints.configs import endpoint_configs
from clary.services.sagemaker.endpoints.resources import endpoints
from clary.services.sagemaker.experiments.resources import experiments, trial_components, trials
from clary.services.sagemaker.hubs.resources import hub_contents, hubs
from clary.services.sagemaker.images.resources import image_versions, images
from clary.services.sagemaker.later import clusters
from clary.services.sagemaker.lineage.resources import artifacts
from clary.services.sagemaker.mlflow.resources import tracking_servers
from clary.services.sagemaker.models.resources import models
from clary.services.sagemaker.registry.api import package_arn


def _model(context: Context, params: Mapping[str, Any]) -> Arns:
    """A model, and the packages of other accounts that it is made of: their policies name ``CreateModel``."""
    containers = [params.get("PrimaryContainer", {}), *params.get("Containers", ())]
    packages = [each["ModelPackageName"] for each in containers if each.get("ModelPackageName")]
    foreign = [each for each in packages if owner_of(each, context.account) != context.account]
    return (models.arn_of(context, params), *foreign)


def _devices(context: Context, params: Mapping[str, Any]) -> Arns:
    fleet = params["DeviceFleetName"]
    names = params.get("DeviceNames") or [each["DeviceName"] for each in params.get("Devices", ())]
    return tuple(devices.make_arn(context, name, fleet) for name in names)


def _reference(context: Context, params: Mapping[str, Any]) -> Arns:
    """A reference in a hub to a content of the public one, whose name it has unless it is given another."""
    public = params.get("SageMakerPublicHubContentArn", "").split("/")
    name = params.get("HubContentName") or (public[3] if len(public) > 3 else "*")
    told = {"HubName": params["HubName"], "HubContentType": "ModelReference", "HubContentName": name}
    return _hub_content(context, told)


_hub_content = named(hub_contents, hubs)
SUBJECTS: Mapping[str, ActedOn] = {
    "CreateModel": _model,
    **dict.fromkeys(("CreateEndpoint", "UpdateEndpoint"), named(endpoints, endpoint_configs)),
    # Experiments and lineage
    "CreateTrial": named(trials, experiments),
    **dict.fromkeys(("AssociateTrialComponent", "DisassociateTrialComponent"), named(trials, trial_components)),
    **dict.fromkeys(("AddAssociation", "DeleteAssociation"), members("SourceArn", "DestinationArn")),
    "CreateArtifact": lambda context, _: artifacts.make_arn(context, "*"),
    **dict.fromkeys(("DescribeLineageGroup", "GetLineageGroupPolicy"), nothing),
    # The model registry
    **dict.fromkeys(
        ("CreateModelPackage", "DescribeModelPackage", "DeleteModelPackage", "ListModelPackages"), package_arn
    ),
    "BatchDescribeModelPackage": members("ModelPackageArnList"),
    # Images and hubs
    "CreateImageVersion": images.arn_of,
    "ListAliases": named(image_versions, images),
    **dict.fromkeys(
        (
            *(f"{verb}HubContent" for verb in ("Import", "Describe", "Update", "Delete")),
            *("ListHubContentVersions", "UpdateHubContentReference", "DeleteHubContentReference"),
        ),
        _hub_content,
    ),
    "CreateHubContentReference": _reference,
    # The others
    **dict.fromkeys(("RegisterDevices", "UpdateDevices", "DeregisterDevices"), _devices),
    **dict.fromkeys(("ListStageDevices", "ListMonitoringAlerts"), nothing),
    "CreatePresignedMlflowTrackingServerUrl": tracking_servers.arn_of,
    **dict.fromkeys(("DescribeClusterNode", "DescribeClusterEvent"), clusters.arn_of),
}
