"""Feature groups and what is said of each of their features, as resources.

What is kept is the definition. There is no store of records yet: putting and getting them is answered so, and the
status of the offline store says so too.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import ResourceInUse, ResourceNotFound, ValidationException
from clary.resources import changes
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

RESERVED = frozenset(("is_deleted", "write_time", "api_invocation_time"))
_EVENT_TIMES = ("String", "Fractional")
_MOST_FEATURES = 2500


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if "OnlineStoreConfig" not in params and "OfflineStoreConfig" not in params:
        raise ValidationException("Validation Error: Either OnlineStoreConfig or OfflineStoreConfig must be specified.")
    types = _types(params["FeatureDefinitions"], {})
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if params[member] not in types:
            raise ValidationException(
                f"Validation Error: {member} {params[member]} does not match any of the FeatureDefinitions."
            )
    if types[params["EventTimeFeatureName"]] not in _EVENT_TIMES:
        raise ValidationException("Validation Error: EventTimeFeatureName must have FeatureType String or Fractional.")
    if "OfflineStoreConfig" in params:
        if "RoleArn" not in params:
            raise ValidationException("Validation Error: RoleArn is required when OfflineStoreConfig is specified.")
        _resolve(context, params)
    params["FeatureGroupStatus"] = "Created"
    params.setdefault("ThroughputConfig", {"ThroughputMode": "OnDemand"})
    _describe_features(context, transaction, params["FeatureGroupName"], params["FeatureDefinitions"])


def _resolve(context: Context, params: dict[str, Any]) -> None:
    store = params["OfflineStoreConfig"]
    store.setdefault("TableFormat", "Glue")
    store.setdefault("DisableGlueTableCreation", False)
    place = store["S3StorageConfig"]
    folder = f"{context.account}/sagemaker/{context.region}/offline-store/{params['FeatureGroupName']}"
    seconds = int(context.platform.clock())
    place.setdefault("ResolvedOutputS3Uri", f"{place['S3Uri'].rstrip('/')}/{folder}-{seconds}/data")


def _types(definitions: Iterable[Mapping[str, Any]], present: Mapping[str, str]) -> dict[str, str]:
    """The types of features by name, those that are ``present`` included. Raises ``ValidationException``."""
    types = dict(present)
    for definition in definitions:
        name = definition["FeatureName"]
        if name in types:
            raise ValidationException(f"Validation Error: FeatureDefinitions has the feature {name} more than once.")
        if name.lower() in RESERVED:
            raise ValidationException(f"Validation Error: The feature name {name} is reserved.")
        types[name] = definition.get("FeatureType", "String")
    if len(types) > _MOST_FEATURES:
        raise ValidationException(f"Validation Error: A feature group has at most {_MOST_FEATURES} features.")
    return types


def _describe_features(
    context: Context, transaction: Transaction, group: str, definitions: Iterable[Mapping[str, Any]]
) -> None:
    for definition in definitions:
        given = {"FeatureGroupName": group, "Parameters": [], **definition}
        changes.add(feature_metadata, context, transaction, given)


def _amend(context: Context, transaction: Transaction, record: Record, given: dict[str, Any]) -> None:
    if added := given.pop("FeatureAdditions", []):
        present = record.document["FeatureDefinitions"]
        _types(added, {each["FeatureName"]: each.get("FeatureType", "String") for each in present})
        given["FeatureDefinitions"] = [*present, *added]
        _describe_features(context, transaction, record.name, added)
    if "OnlineStoreConfig" in given:
        if "OnlineStoreConfig" not in record.document:
            raise ValidationException("Validation Error: The feature group has no online store.")
        given["OnlineStoreConfig"] = {**record.document["OnlineStoreConfig"], **given["OnlineStoreConfig"]}
    given["LastUpdateStatus"] = {"Status": "Successful"}


def _remove(context: Context, transaction: Transaction, record: Record) -> bool:
    for feature in transaction.find(feature_metadata.query(context).within(record.name)):
        transaction.delete(feature)
    return True


def _amend_feature(_: Context, __: Transaction, record: Record, given: dict[str, Any]) -> None:
    removed = given.pop("ParameterRemovals", [])
    parameters = {each["Key"]: each["Value"] for each in record.document["Parameters"] if each["Key"] not in removed}
    parameters |= {each["Key"]: each["Value"] for each in given.pop("ParameterAdditions", [])}
    given["Parameters"] = [{"Key": key, "Value": value} for key, value in parameters.items()]


def _offline_status(_: Context, __: Transaction, record: Record) -> dict[str, str] | None:
    if "OfflineStoreConfig" not in record.document:
        return None
    return {"Status": "Blocked", "BlockedReason": "Records of feature groups are not available in Clary yet."}


feature_groups = Resource(
    SAGEMAKER,
    "FeatureGroup",
    sort_by="@name",
    # All features are told at once.
    computed={"OfflineStoreStatus": _offline_status, "NextToken": lambda *_: ""},
    missing=lambda name, arn: ResourceNotFound(
        f"Resource Not Found: Amazon SageMaker can't find a FeatureGroup with name {name}"
    ),
    present=lambda name, arn: ResourceInUse(
        f"Resource Already Exists: FeatureGroup with name {name} already exists. Choose a different name."
    ),
    prepare=_prepare,
    amend=_amend,
    remove=_remove,
    tells=(StateChange("SageMaker Feature Group State Change", members("FeatureGroupStatus", "OfflineStoreStatus")),),
)
feature_metadata = Resource(
    SAGEMAKER,
    "FeatureMetadata",
    names=("FeatureGroupName", "FeatureName"),
    arn="feature-group/{FeatureGroupName}/feature/{name}",
    computed={
        "FeatureGroupArn": lambda context, _, record: feature_groups.make_arn(context, record.key.parent),
        "FeatureGroupName": lambda _, __, record: record.key.parent,
    },
    missing=lambda name, arn: ResourceNotFound(f"Resource Not Found: Amazon SageMaker can't find the feature {name}"),
    amend=_amend_feature,
)
RESOURCES = (feature_groups, feature_metadata)
