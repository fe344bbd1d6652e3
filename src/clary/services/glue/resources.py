"""Databases, tables and partitions of the data catalogue as resources.

Reference: https://docs.aws.amazon.com/glue/latest/dg/catalog-and-crawler.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clary.resources.context import Context
from clary.resources.dialect import Dialect
from clary.resources.resource import Resource
from clary.services.glue.errors import AlreadyExistsException, EntityNotFoundException, InvalidInputException
from clary.state.records import Record
from clary.state.transaction import Transaction
from clary.wire.patterns import matches

GLUE = Dialect(
    service="glue",
    verbs={
        "create": ("Create{noun}",),
        "describe": ("Get{noun}",),
        "list": ("Get{nouns}",),
        "update": ("Update{noun}",),
        "delete": ("Delete{noun}",),
    },
    missing=lambda noun, name, arn: EntityNotFoundException(f"{noun} {name} not found."),
    present=lambda noun, name, arn: AlreadyExistsException(f"{noun} already exists."),
    small_names=True,
    ignored=frozenset(
        (
            "CatalogId",
            "ResourceShareType",
            "AttributesToGet",
            "AuditContext",
            "IncludeStatusDetails",
            "TransactionId",
            "QueryAsOfTime",
            "SkipArchive",
            "Force",
            "ViewUpdateAction",
        )
    ),
    owner="CatalogId",
    page=100,
)
_CATALOG: dict[str, Any] = {"CatalogId": lambda context, _, record: record.key.account}


def _remove_database(context: Context, transaction: Transaction, record: Record) -> bool:
    for table in transaction.find(tables.query(context).within(record.name)):
        _remove_table(context, transaction, table)
        transaction.delete(table)
    return True


def _remove_table(context: Context, transaction: Transaction, record: Record) -> bool:
    within = f"{record.key.parent}/{record.name}"
    for kind in (partitions, table_versions):
        for child in transaction.find(kind.query(context).within(within)):
            transaction.delete(child)
    return True


def _prepare_table(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    databases.find(context, transaction, params["DatabaseName"])


def _amend_table(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if (wanted := changes.pop("VersionId", None)) is not None and wanted != str(record.document["VersionId"]):
        raise InvalidInputException(f"Update table failed due to a version mismatch: {wanted}.")
    changes["VersionId"] = record.document["VersionId"]


def _prepare_partition(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    table = tables.find(context, transaction, params["TableName"].lower(), params["DatabaseName"].lower())
    keys = table.document.get("PartitionKeys", [])
    if len(params.get("Values", [])) != len(keys):
        raise InvalidInputException(
            "The number of partition keys do not match the number of partition values: "
            f"{len(keys)} keys, {len(params.get('Values', []))} values."
        )


def _matching(context: Context, transaction: Transaction, expression: str) -> Iterable[str]:
    """The tables whose names a regular expression fits."""
    return [table.arn for table in transaction.find(tables.query(context)) if matches(expression, table.name)]


databases = Resource(
    GLUE,
    "Database",
    names=("Name",),
    computed=_CATALOG,
    missing=lambda name, arn: EntityNotFoundException(f"Database {name} not found."),
    remove=_remove_database,
)
table_versions = Resource(
    GLUE,
    "TableVersion",
    names=("DatabaseName", "TableName", "VersionId"),
    arn="tableVersion/{DatabaseName}/{TableName}/{name}",
)
tables = Resource(
    GLUE,
    "Table",
    names=("DatabaseName", "Name"),
    arn="table/{DatabaseName}/{name}",
    computed=_CATALOG,
    related={"Expression": _matching},
    versions=table_versions,
    missing=lambda name, arn: EntityNotFoundException(f"Table {name} not found."),
    prepare=_prepare_table,
    amend=_amend_table,
    remove=_remove_table,
)
partitions = Resource(
    GLUE,
    "Partition",
    names=("DatabaseName", "TableName", "Values"),
    aliases={"PartitionValues": "Values", "PartitionValueList": "Values"},
    arn="partition/{DatabaseName}/{TableName}/{name}",
    computed=_CATALOG,
    missing=lambda name, arn: EntityNotFoundException("Cannot find partition."),
    present=lambda name, arn: AlreadyExistsException("Partition already exists."),
    prepare=_prepare_partition,
)
RESOURCES = (databases, tables, partitions)
