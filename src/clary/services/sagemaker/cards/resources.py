"""Model cards as resources: each change of the content makes a version that can be asked for, and exported.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.core.errors import ConflictException, ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.cards.content import check
from clary.services.sagemaker.cards.export import VERSIONS, export, place, remember_caller
from clary.services.sagemaker.cards.told import CARD_CHANGES, EXPORT_CHANGES
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction


def _check(context: Context, params: Mapping[str, Any]) -> None:
    # In test mode the made-up contents of public suites are kept as they are.
    if "Content" in params and not context.platform.settings.test_mode:
        check(params["Content"])


def _prepare(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    _check(context, params)


def _amend(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if not changes:
        raise ValidationException("At least one of Content and ModelCardStatus must be given.")
    # Public suites give both, and they are no more than that.
    if len(changes) > 1 and not context.platform.settings.test_mode:
        raise ValidationException("You cannot update both model card content and model card status in a single call.")
    _check(context, changes)
    if record.document["ModelCardStatus"] == "Archived" and "ModelCardStatus" not in changes:
        raise ConflictException(f"Model card {record.name} is archived and cannot be updated.")
    if "Content" not in changes:
        _keep_number(context, transaction, record)


def _keep_number(context: Context, transaction: Transaction, record: Record) -> None:
    """A new status alone makes no new version: the one that there is takes it on."""
    number = record.document["ModelCardVersion"]
    version = transaction.get(model_card_versions.key(context, str(number), record.name))
    assert version is not None
    transaction.delete(version)
    record.document["ModelCardVersion"] = number - 1


def _locate(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    name = str(params.get("ModelCardName", ""))
    number = params.get("ModelCardVersion")
    if name.startswith("arn:"):
        record = model_cards.by_arn(context, transaction, name)
    else:
        record = transaction.get(model_cards.key(context, name))
    if record is None or number is None:
        return record
    version = transaction.get(model_card_versions.key(context, str(number), record.name))
    if version is None:
        raise ResourceNotFound(f"Modelcard with name {record.name} and version: {number} does not exist")
    # The card, as it was in that version.
    return replace(version, key=record.key, arn=record.arn)


def _remove(context: Context, transaction: Transaction, record: Record) -> bool:
    for job in transaction.find(model_card_export_jobs.query(context).within(record.name)):
        transaction.delete(job)
    return True


def _arn(context: Context, _: Transaction, record: Record) -> str:
    return model_cards.make_arn(context, record.document["ModelCardName"])


def _prepare_export(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    place(params["OutputConfig"]["S3OutputPath"])
    card = model_cards.named(context, transaction, params)
    params["ModelCardVersion"] = card.document["ModelCardVersion"]
    remember_caller(context, params)


model_card_versions = Resource(
    SAGEMAKER,
    VERSIONS,
    names=("ModelCardName", "ModelCardVersion"),
    arn="model-card/{ModelCardName}/version/{name}",
    # A version is found under the card's own ARN.
    computed={"ModelCardArn": _arn},
    paths={"Version": "@modified"},
)
model_cards: Resource = Resource(
    SAGEMAKER,
    "ModelCard",
    missing=lambda name, arn: ResourceNotFound(f"Modelcard {name} does not exist."),
    locate=_locate,
    computed={"ModelCardArn": _arn},
    versions=model_card_versions,
    present=lambda name, arn: ConflictException(f"Modelcard {name} already exists"),
    prepare=_prepare,
    amend=_amend,
    remove=_remove,
    tells=CARD_CHANGES,
)
model_card_export_jobs = Resource(
    SAGEMAKER,
    "ModelCardExportJob",
    names=("ModelCardName", "ModelCardExportJobName"),
    arn="model-card/{ModelCardName}/export-job/{name}",
    status="Status",
    initial="InProgress",
    parent=model_cards,
    missing=lambda name, arn: ResourceNotFound(f"Modelcard export job {name} does not exist."),
    present=lambda name, arn: ConflictException(f"Modelcard export job {name} already exists"),
    prepare=_prepare_export,
    reconcile=export,
    tells=EXPORT_CHANGES,
)
RESOURCES = (model_cards, model_card_versions, model_card_export_jobs)
