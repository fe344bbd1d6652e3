"""Pipelines as resources: their definitions, each state of which is a version. Executions come later.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePipeline.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.core.errors import ConflictException, NotAvailableYet, ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

_VERSION = "PipelineVersionId"


def _check(context: Context, params: Mapping[str, Any]) -> None:
    if "PipelineDefinitionS3Location" in params:
        raise NotAvailableYet("Definitions in S3 (PipelineDefinitionS3Location) are not available in Clary yet.")
    # In test mode the made-up definitions of public suites are kept as they are.
    if "PipelineDefinition" not in params or context.platform.settings.test_mode:
        return
    try:
        definition = json.loads(params["PipelineDefinition"])
    except ValueError as error:
        raise ValidationException(
            f"Unable to parse pipeline definition. Please check the JSON syntax: {error}"
        ) from None
    if not isinstance(definition, dict):
        raise ValidationException("Unable to parse pipeline definition. Pipeline definition must be a JSON object.")


def _prepare(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    if "PipelineDefinition" not in params and "PipelineDefinitionS3Location" not in params:
        raise ValidationException("Pipeline definition must be provided.")
    _check(context, params)
    params.setdefault("PipelineDisplayName", params["PipelineName"])


def _amend(context: Context, _: Transaction, record: Record, changes: dict[str, Any]) -> None:
    _check(context, changes)
    # These are the version's own.
    for member in ("PipelineVersionDisplayName", "PipelineVersionDescription", "PipelineVersionAliases"):
        record.document.pop(member, None)


def _locate(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    """The pipeline as it is, or as it was in a version that the request names by its number or an alias."""
    named = str(params.get("PipelineName") or params.get("PipelineArn") or "")
    if named.startswith("arn:"):
        record = pipelines.by_arn(context, transaction, named)
    else:
        record = transaction.get(pipelines.key(context, named))
    if record is None:
        return None
    if _VERSION in params:
        return transaction.get(pipeline_versions.key(context, str(params[_VERSION]), record.name))
    if "PipelineVersionAlias" in params:
        versions = transaction.find(pipeline_versions.query(context).within(record.name))
        alias = params["PipelineVersionAlias"]
        return next((each for each in versions if alias in each.document.get("PipelineVersionAliases", ())), None)
    return record


def _arn(context: Context, _: Transaction, record: Record) -> str:
    return pipelines.make_arn(context, record.document["PipelineName"])


pipeline_versions = Resource(
    SAGEMAKER,
    "PipelineVersion",
    names=("PipelineName", _VERSION),
    arn="pipeline/{PipelineName}/version/{name}",
    computed={"PipelineArn": _arn, "CreationTime": lambda _, __, record: record.modified},
    descending=True,
)
pipelines: Resource = Resource(
    SAGEMAKER,
    "Pipeline",
    locate=_locate,
    status="PipelineStatus",
    initial="Active",
    descending=True,
    computed={"PipelineArn": _arn},
    versions=pipeline_versions,
    missing=lambda name, arn: ResourceNotFound(f"Pipeline '{arn}' does not exist."),
    present=lambda name, arn: ValidationException(
        f"Pipeline names must be unique within an AWS account and region. Pipeline with name ({name}) already exists."
    ),
    prepare=_prepare,
    amend=_amend,
)
pipeline_executions = Resource(
    SAGEMAKER,
    "PipelineExecution",
    names=("PipelineName", "PipelineExecutionId"),
    arn="pipeline/{PipelineName}/execution/{name}",
    parent=pipelines,
    status="PipelineExecutionStatus",
    descending=True,
    missing=lambda name, arn: ResourceNotFound(f"Pipeline execution {name} does not exist."),
    later="Pipeline executions",
)


def update_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdatePipelineVersion``: name, describe or call otherwise one version."""
    with context.platform.database.write() as transaction:
        record = pipelines.named(context, transaction, params)
        for member in ("PipelineVersionDisplayName", "PipelineVersionDescription"):
            if member in params:
                record.document[member] = params[member]
        asked = params.get("PipelineVersionAliasOperations", {})
        _change_aliases(context, transaction, record, asked)
        transaction.update(record)
        current = transaction.get(pipelines.key(context, record.document["PipelineName"]))
        if current is not None and current.document[_VERSION] == record.document[_VERSION]:
            current.document.update(record.document)
            transaction.update(current)
    return {"PipelineArn": _arn(context, transaction, record), _VERSION: record.document[_VERSION]}


def start_execution(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``StartPipelineExecution``: comes later."""
    with context.platform.database.read() as transaction:
        pipelines.named(context, transaction, params)
    raise NotAvailableYet(f"{pipeline_executions.later} are not available in Clary yet.")


def _change_aliases(context: Context, transaction: Transaction, record: Record, asked: Mapping[str, Any]) -> None:
    added, removed = asked.get("Add", []), asked.get("Remove", [])
    versions = transaction.find(pipeline_versions.query(context).within(record.key.parent))
    for other in versions:
        if other.id != record.id and set(added).intersection(other.document.get("PipelineVersionAliases", ())):
            raise ConflictException("An alias belongs to one version of a pipeline only.")
    if added or removed:
        present = [alias for alias in record.document.get("PipelineVersionAliases", []) if alias not in removed]
        record.document["PipelineVersionAliases"] = [*present, *(alias for alias in added if alias not in present)]


RESOURCES = (pipelines, pipeline_versions, pipeline_executions)
OPERATIONS = {"UpdatePipelineVersion": update_version, "StartPipelineExecution": start_execution}
