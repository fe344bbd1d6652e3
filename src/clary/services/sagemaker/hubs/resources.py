"""Hubs and what they hold: models, notebooks and references, each in versions that their makers number.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ImportHubContent.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.core.errors import ResourceInUse, ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction

FIRST_VERSION = "1.0.0"


def _remove_hub(context: Context, transaction: Transaction, record: Record) -> bool:
    contents = hub_contents.query(context).where("HubName", record.name)
    if transaction.count(contents):
        raise ResourceInUse(f"Hub {record.arn} is not empty. Delete its contents first.")
    return True


def _prepare_content(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    params.setdefault("HubContentVersion", FIRST_VERSION)
    if "HubContentDocument" in params:
        try:
            json.loads(params["HubContentDocument"])
        except ValueError as error:
            raise ValidationException(f"HubContentDocument is not valid JSON: {error}") from None


def _locate(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    """The version that a request names, else the last one."""
    hub = hubs.named(context, transaction, params)
    kind, name = params["HubContentType"], params["HubContentName"]
    if "HubContentVersion" in params:
        return transaction.get(hub_contents.key(context, params["HubContentVersion"], hub.name, kind, name))
    return newest(transaction.find(hub_contents.query(context).within(f"{hub.name}/{kind}/{name}")))


def newest(versions: list[Record]) -> Record | None:
    """The record with the highest version."""
    return max(versions, key=lambda record: order(record.name), default=None)


def order(version: str) -> tuple[int, ...]:
    """A version as numbers, so that 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


hubs = Resource(
    SAGEMAKER,
    "Hub",
    status="HubStatus",
    initial="InService",
    descending=True,
    missing=lambda name, arn: ResourceNotFound(f"Hub {arn} does not exist."),
    present=lambda name, arn: ResourceInUse(f"Hub {name} already exists: {arn}"),
    remove=_remove_hub,
)
hub_contents = Resource(
    SAGEMAKER,
    "HubContent",
    names=("HubName", "HubContentType", "HubContentName", "HubContentVersion"),
    unnamed={"HubContentVersion": FIRST_VERSION},
    arn="hub-content/{HubName}/{HubContentType}/{HubContentName}/{name}",
    parent=hubs,
    locate=_locate,
    status="HubContentStatus",
    initial="Available",
    paths={"OriginalCreationTime": "@created"},
    missing=lambda name, arn: ResourceNotFound(f"HubContent {arn} does not exist."),
    present=lambda name, arn: ResourceInUse(f"HubContent already exists: {arn}"),
    prepare=_prepare_content,
)
RESOURCES = (hubs, hub_contents)
