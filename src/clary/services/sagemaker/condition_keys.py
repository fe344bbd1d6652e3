"""The condition keys of SageMaker: what policies may ask of a request, and of the resource that it is about.

References: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakerai.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from clary.core.names import arn
from clary.resources.context import Context
from clary.state.records import Record

_MEMBERS: Mapping[str, str] = {
    # Machines
    "InstanceType": "InstanceTypes",
    "AcceleratorType": "AcceleratorTypes",
    "AcceleratorTypes": "AcceleratorTypes",
    "ResourceConfig.KeepAlivePeriodInSeconds": "KeepAlivePeriod",
    "StoppingCondition.MaxRuntimeInSeconds": "MaxRuntimeInSeconds",
    "RemoteDebugConfig.EnableRemoteDebug": "EnableRemoteDebug",
    "ServerlessConfig.MaxConcurrency": "ServerlessMaxConcurrency",
    "ServerlessConfig.MemorySizeInMB": "ServerlessMemorySize",
    # Networks
    "EnableNetworkIsolation": "NetworkIsolation",
    "EnableInterContainerTrafficEncryption": "InterContainerTrafficEncryption",
    "Subnets": "VpcSubnets",
    "SubnetId": "VpcSubnets",
    "SubnetIds": "VpcSubnets",
    "SecurityGroupIds": "VpcSecurityGroupIds",
    "UserSettings.SecurityGroups": "VpcSecurityGroupIds",
    "DefaultUserSettings.SecurityGroups": "VpcSecurityGroupIds",
    "DefaultSpaceSettings.SecurityGroups": "VpcSecurityGroupIds",
    # Keys of encryption
    "VolumeKmsKeyId": "VolumeKmsKey",
    ".KmsKeyId": "VolumeKmsKey",
    "SharingSettings.S3KmsKeyId": "DomainSharingOutputKmsKey",
    "OnlineStoreConfig.SecurityConfig.KmsKeyId": "FeatureGroupOnlineStoreKmsKey",
    "S3StorageConfig.KmsKeyId": "FeatureGroupOfflineStoreKmsKey",
    # Data
    "FileSystemDataSource.FileSystemAccessMode": "FileSystemAccessMode",
    "FileSystemDataSource.DirectoryPath": "FileSystemDirectoryPath",
    "FileSystemDataSource.FileSystemId": "FileSystemId",
    "FileSystemDataSource.FileSystemType": "FileSystemType",
    "OfflineStoreConfig.DisableGlueTableCreation": "FeatureGroupDisableGlueTableCreation",
    "OnlineStoreConfig.EnableOnlineStore": "FeatureGroupEnableOnlineStore",
    "S3StorageConfig.S3Uri": "FeatureGroupOfflineStoreS3Uri",
    # Studio
    ".AuthMode": "AuthMode",
    ".AppNetworkAccessType": "AppNetworkAccessType",
    ".DirectInternetAccess": "DirectInternetAccess",
    ".RootAccess": "RootAccess",
    "MinimumInstanceMetadataServiceVersion": "MinimumInstanceMetadataServiceVersion",
    "SageMakerImageArn": "ImageArns",
    "SageMakerImageVersionArn": "ImageVersionArns",
    "LifecycleConfigArn": "StudioLifecycleConfigArns",
    "LifecycleConfigArns": "StudioLifecycleConfigArns",
    "SpaceSettings.RemoteAccess": "RemoteAccess",
    "SpaceSharingSettings.SharingType": "SpaceSharingType",
    # The registry and the rest
    ".ModelApprovalStatus": "ModelApprovalStatus",
    "ModelLifeCycle.Stage": "ModelLifeCycle:Stage",
    "ModelLifeCycle.StageStatus": "ModelLifeCycle:StageStatus",
    ".CustomerMetadataPropertiesToRemove": "CustomerMetadataPropertiesToRemove",
    ".PipelineVersionId": "PipelineVersionId",
    "WorkteamArn": "WorkteamArn",
}
"""Condition keys by members: by the last names of their paths, from the first name on where a dot stands before it."""
_LISTS = frozenset(
    (
        *(
            "InstanceTypes",
            "AcceleratorTypes",
            "VpcSubnets",
            "VpcSecurityGroupIds",
            "CustomerMetadataPropertiesToRemove",
        ),
        *("ImageArns", "ImageVersionArns", "StudioLifecycleConfigArns", "NotebookInstanceLifecycleConfigArns"),
    )
)
"""Keys that may have several values."""
_OF_KEYS = frozenset(
    (
        *("VolumeKmsKey", "OutputKmsKey", "DomainSharingOutputKmsKey"),
        *("FeatureGroupOnlineStoreKmsKey", "FeatureGroupOfflineStoreKmsKey"),
    )
)
"""Keys that are deprecated, and for which there are now others of the same name with ``Arn`` at the end."""
_ARNS: Mapping[str, tuple[str, str]] = {
    ".ModelName": ("ModelArn", "model/{}"),
    "ProductionVariants.ModelName": ("ModelArn", "model/{}"),
    "ShadowProductionVariants.ModelName": ("ModelArn", "model/{}"),
    "Specification.ModelName": ("ModelArn", "model/{}"),
    ".LifecycleConfigName": ("NotebookInstanceLifecycleConfigArns", "notebook-instance-lifecycle-config/{}"),
    "OwnershipSettings.OwnerUserProfileName": ("OwnerUserProfileArn", "user-profile/{domain}/{}"),
}
"""Condition keys that are ARNs of what members name."""


def conditions_of(context: Context, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The condition keys that a request's members give."""
    found: dict[str, list[Any]] = {}
    for path, value in _leaves(params, ()):
        for ending in _endings(path):
            if ending in _MEMBERS:
                found.setdefault(_MEMBERS[ending], []).append(value)
            elif ending in _ARNS and (ending != ".ModelName" or operation == "CreateTransformJob"):
                key, resource = _ARNS[ending]
                text = resource.format(value, domain=params.get("DomainId", ""))
                found.setdefault(key, []).append(arn("sagemaker", context.region, context.account, text))
        if path[-1] == "KmsKeyId" and len(path) > 1 and "Output" in path[-2]:
            found.setdefault("OutputKmsKey", []).append(value)
    for key in _OF_KEYS & set(found):
        found[f"{key}Arn"] = found[key]
    told = {f"sagemaker:{key}": values if key in _LISTS else _single(values) for key, values in found.items()}
    return {**told, **{f"sagemaker:{key}": value for key, value in _others(params)}}


def _single(values: list[Any]) -> Any:
    """The value of a key that has one; a request that gives it several is allowed if it is with each of them."""
    several = tuple(dict.fromkeys(values))
    return several if len(several) > 1 else values[0]


def _leaves(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What is neither a structure nor a list, with the names of the members that it stands under."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, path)
    elif path:
        yield path, value


def _endings(path: tuple[str, ...]) -> Iterable[str]:
    """How ``_MEMBERS`` may name a path."""
    return (path[0], f".{path[0]}") if len(path) == 1 else {".".join(path[-count:]) for count in (1, 2, 3)}


def _others(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Keys that are named after what the request has."""
    for name, value in params.get("CustomerMetadataProperties", {}).items():
        yield f"CustomerMetadataProperties/{name}", value
    for each in params.get("VisibilityConditions", ()):
        yield f"SearchVisibilityCondition/{each.get('Key', '')}", each.get("Value", "")
    if "FeatureGroupName" in params and "FeatureDefinitions" in params:
        yield "FeatureGroupOfflineStoreConfig", "OfflineStoreConfig" in params
    for _, team in _under(params, "WorkteamArn"):
        yield "WorkteamType", team.split("/")[1] if team.count("/") > 1 else "private-crowd"


def _under(params: Mapping[str, Any], member: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    return ((path, value) for path, value in _leaves(params, ()) if path[-1] == member)


def _package(record: Record) -> Mapping[str, Any]:
    cycle = record.document.get("ModelLifeCycle", {})
    known = {"CurrentModelLifeCycleStage": "Stage", "CurrentModelLifeCycleStageStatus": "StageStatus"}
    properties = record.document.get("CustomerMetadataProperties", {})
    return {
        **{key: cycle.get(member) for key, member in known.items()},
        **{f"CurrentCustomerMetadataProperties/{name}": value for name, value in properties.items()},
    }


def _space(record: Record) -> Mapping[str, Any]:
    owner = record.document.get("OwnershipSettings", {}).get("OwnerUserProfileName")
    profile = f"user-profile/{record.key.parent}/{owner}"
    return {
        "SpaceSharingType": record.document.get("SpaceSharingSettings", {}).get("SharingType"),
        "OwnerUserProfileArn": arn("sagemaker", record.key.region, record.key.account, profile) if owner else None,
    }


_OF_RESOURCES: Mapping[str, Callable[[Record], Mapping[str, Any]]] = {"ModelPackage": _package, "Space": _space}


def conditions_at(record: Record) -> Mapping[str, Any]:
    """The condition keys that a resource gives by what it is."""
    read = _OF_RESOURCES.get(record.key.kind)
    known = read(record) if read is not None else {}
    return {f"sagemaker:{key}": value for key, value in known.items() if value is not None}
