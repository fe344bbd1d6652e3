"""Model cards as resources: each update makes a version that can be asked for.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.core.errors import ConflictException, ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

SECTIONS = frozenset(
    (
        "model_overview",
        "model_package_details",
        "intended_uses",
        "business_details",
        "training_details",
        "evaluation_details",
        "additional_information",
    )
)
"""The members of a card's content; https://docs.aws.amazon.com/sagemaker/latest/dg/model-cards-json-schema.html"""


def _check(context: Context, params: Mapping[str, Any]) -> None:
    # In test mode the made-up contents of public suites are kept as they are.
    if "Content" not in params or context.platform.settings.test_mode:
        return
    try:
        content = json.loads(params["Content"])
    except ValueError as error:
        raise ValidationException(f"Model card content is not valid JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValidationException("Model card content must be a JSON object.")
    if unknown := sorted(set(content) - SECTIONS):
        raise ValidationException(
            f"Model card content does not fit its schema: extraneous key [{unknown[0]}] is not permitted"
        )
    for section, value in content.items():
        if section != "evaluation_details" and not isinstance(value, dict):
            raise ValidationException(f"Model card content does not fit its schema: {section} must be an object")
    if not isinstance(content.get("evaluation_details", []), list):
        raise ValidationException("Model card content does not fit its schema: evaluation_details must be an array")


def _prepare(context: Context, _: Transaction, params: dict[str, Any]) -> None:
    _check(context, params)


def _amend(context: Context, _: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if not changes:
        raise ValidationException("At least one of Content and ModelCardStatus must be given.")
    _check(context, changes)
    # What changes only the status of an archived card would be lost among its versions.
    if record.document["ModelCardStatus"] == "Archived" and "ModelCardStatus" not in changes:
        raise ConflictException(f"Model card {record.name} is archived and cannot be updated.")


def _locate(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    name = str(params.get("ModelCardName", ""))
    number = params.get("ModelCardVersion")
    if name.startswith("arn:"):
        record = model_cards.by_arn(context, transaction, name)
    else:
        record = transaction.get(model_cards.key(context, name))
    if record is None or number is None:
        return record
    return transaction.get(model_card_versions.key(context, str(number), record.name))


def _arn(context: Context, _: Transaction, record: Record) -> str:
    return model_cards.make_arn(context, record.document["ModelCardName"])


model_card_versions = Resource(
    SAGEMAKER,
    "ModelCardVersion",
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
)
model_card_export_jobs = Resource(
    SAGEMAKER,
    "ModelCardExportJob",
    names=("ModelCardName", "ModelCardExportJobName"),
    arn="model-card/{ModelCardName}/export-job/{id}",
    status="Status",
    parent=model_cards,
    later="Exports of model cards",
)
RESOURCES = (model_cards, model_card_versions, model_card_export_jobs)
