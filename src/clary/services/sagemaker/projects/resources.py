"""Projects as resources: a name for what belongs together. Templates that provision something come later.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProject.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.core.ids import token
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.tagging import checked_tags
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

_TEMPLATES = (
    "ServiceCatalogProvisioningDetails",
    "TemplateProviders",
    "ServiceCatalogProvisioningUpdateDetails",
    "TemplateProvidersToUpdate",
)


def _check(params: Mapping[str, Any]) -> None:
    for member in _TEMPLATES:
        if member in params:
            raise NotAvailableYet(f"Project templates ({member}) are not available in Clary yet.")


def _prepare(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    _check(params)
    params["ProjectId"] = f"p-{token(12)}"


def _amend(_: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    _check(changes)
    transaction.set_tags(record.arn, checked_tags(changes.pop("Tags", ())))


projects = Resource(
    SAGEMAKER,
    "Project",
    status="ProjectStatus",
    initial="CreateCompleted",
    missing=lambda name, arn: ValidationException(f"Project {name} does not exist."),
    present=lambda name, arn: ValidationException(f"Project with name {name} already exists: {arn}"),
    prepare=_prepare,
    amend=_amend,
)
RESOURCES = (projects,)
