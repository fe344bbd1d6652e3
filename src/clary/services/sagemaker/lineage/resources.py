"""Artifacts, actions and contexts as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-entities.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from clary.core.errors import ServiceError, ValidationException
from clary.resources.context import Context
from clary.resources.resource import ErrorFor, Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.lineage.edges import EDGES
from clary.services.sagemaker.lineage.groups import group_arn, join_group, lineage_groups
from clary.services.sagemaker.lineage.persons import BY_PERSONS
from clary.state.records import Key, Record
from clary.state.transaction import Transaction


def _prepare(context: Context, transaction: Transaction, _: dict[str, Any]) -> None:
    join_group(context, transaction)


def _amend(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if "Properties" in changes:
        # "The new list of properties. Overwrites the current property list."
        record.document = {**record.document, "Properties": {}}


def _remove(context: Context, transaction: Transaction, record: Record) -> bool:
    if transaction.lineage(context.account, context.region, EDGES).touches(record.arn):
        raise ValidationException(
            f"{record.key.kind} '{record.arn}' is linked to 1 or more associations and cannot be deleted."
        )
    return True


def _present(noun: str) -> ErrorFor:
    def present(name: str, arn: str) -> ServiceError:
        return ValidationException(f"{noun} with name ({name}) already exists.")

    return present


def _artifact_id(_: Resource, __: Context, ___: Transaction, params: Mapping[str, Any]) -> str:
    return _id(params["Source"])


def _id(source: Mapping[str, Any]) -> str:
    """The id that artifacts of one source have in every account: a source is one artifact."""
    types = sorted((each["SourceIdType"], each["Value"]) for each in source.get("SourceTypes", ()))
    return hashlib.sha256(orjson.dumps([source["SourceUri"], types])).hexdigest()[:32]


def _locate_artifact(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    if "ArtifactArn" in params:
        return artifacts.by_arn(context, transaction, params["ArtifactArn"])
    if "Source" not in params:
        raise ValidationException("Either ArtifactArn or Source must be specified.")
    return transaction.get(artifact_key(context, params["Source"]))


def artifact_key(context: Context, source: Mapping[str, Any]) -> Key:
    """The database key of the artifact of an ``ArtifactSource``."""
    return artifacts.key(context, _id(source))


_ENTITY: dict[str, Any] = {
    "paths": {"SourceUri": "Source.SourceUri"},
    "computed": {**BY_PERSONS, "LineageGroupArn": lambda context, _, __: group_arn(context)},
    "descending": True,
    "prepare": _prepare,
    "amend": _amend,
    "remove": _remove,
}
artifacts = Resource(
    SAGEMAKER,
    "Artifact",
    names=("ArtifactId",),
    generated=_artifact_id,
    locate=_locate_artifact,
    present=lambda _, arn: ValidationException(f"Artifact with the same source already exists: {arn}"),
    **_ENTITY,
)
actions = Resource(SAGEMAKER, "Action", present=_present("Action"), **_ENTITY)
contexts = Resource(SAGEMAKER, "Context", present=_present("Context"), **_ENTITY)
RESOURCES = (artifacts, actions, contexts, lineage_groups)
