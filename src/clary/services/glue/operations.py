"""Operations on many tables and partitions at once, on versions, and the filter over partitions.

Reference: https://docs.aws.amazon.com/glue/latest/webapi/API_BatchCreatePartition.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ServiceError
from clary.resources import changes
from clary.resources.context import Context, Handler
from clary.resources.paging import cut, page, query
from clary.resources.view import viewer
from clary.services.glue.errors import EntityNotFoundException, InvalidInputException
from clary.services.glue.expression import compiled
from clary.services.glue.resources import GLUE, partitions, table_versions, tables
from clary.state.records import Record
from clary.state.transaction import Transaction
from clary.wire.catalog import service

_VALUES = "Values"


def _shape(name: str) -> Any:
    return service("glue").model.shape_for(name)


def _table(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record:
    return tables.find(context, transaction, params["TableName"].lower(), params["DatabaseName"].lower())


def _detail(error: ServiceError) -> dict[str, str]:
    return {"ErrorCode": error.code, "ErrorMessage": error.message}


def _named(params: Mapping[str, Any], values: list[str]) -> dict[str, Any]:
    return {"DatabaseName": params["DatabaseName"], "TableName": params["TableName"], _VALUES: values}


def get_partitions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetPartitions``: those of a table that an expression over the partition keys is true for."""
    expression, segment = params.pop("Expression", ""), params.pop("Segment", None)
    bare = params.pop("ExcludeColumnSchema", False)
    look = viewer(partitions, _shape("Partition"))
    with context.platform.database.read() as transaction:
        table = _table(context, transaction, params)
        keys = table.document.get("PartitionKeys", [])
        params |= {"DatabaseName": table.key.parent, "TableName": table.name}
        following: str | None
        if expression or segment:
            test = (
                compiled(expression, {key["Name"]: key.get("Type", "string") for key in keys}) if expression else None
            )
            names = [key["Name"].lower() for key in keys]
            everything = transaction.find(partitions.query(context).within(f"{table.key.parent}/{table.name}"))
            found = [
                record
                for number, record in enumerate(everything)
                if (segment is None or number % segment["TotalSegments"] == segment["SegmentNumber"])
                and (test is None or test(dict(zip(names, record.document[_VALUES], strict=True))))
            ]
            records, following = cut(found, params, GLUE.page)
        else:
            wanted = query(partitions, context, transaction, params)
            records, following = page(wanted, transaction.find(wanted), context, transaction)
        rows = [look(context, transaction, record) for record in records]
    if bare:
        for row in rows:
            row["StorageDescriptor"] = {**row.get("StorageDescriptor", {}), "Columns": []}
    return {"Partitions": rows} | ({"NextToken": following} if following else {})


def update_partition(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdatePartition``: replace a partition, under other values too."""
    with context.platform.database.write() as transaction:
        _replace(context, transaction, params, params["PartitionValueList"], params["PartitionInput"])
    return {}


def _replace(
    context: Context, transaction: Transaction, params: Mapping[str, Any], values: list[str], given: dict[str, Any]
) -> None:
    record = partitions.named(context, transaction, _named(params, values))
    if given.get(_VALUES, values) == values:
        changes.change(partitions, context, transaction, record, {**given, _VALUES: values}, replace=True)
    else:
        changes.add(partitions, context, transaction, {**_named(params, given[_VALUES]), **given})
        changes.remove(partitions, context, transaction, record)


def batch_create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchCreatePartition``: what cannot be created is told, the rest is."""
    errors = []
    with context.platform.database.write() as transaction:
        _table(context, transaction, params)
        for given in params["PartitionInputList"]:
            values = given.get(_VALUES, [])
            try:
                changes.add(partitions, context, transaction, {**_named(params, values), **given})
            except ServiceError as error:
                errors.append({"PartitionValues": values, "ErrorDetail": _detail(error)})
    return {"Errors": errors}


def batch_delete(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchDeletePartition``."""
    errors = []
    with context.platform.database.write() as transaction:
        _table(context, transaction, params)
        for each in params["PartitionsToDelete"]:
            try:
                record = partitions.named(context, transaction, _named(params, each[_VALUES]))
                changes.remove(partitions, context, transaction, record)
            except ServiceError as error:
                errors.append({"PartitionValues": each[_VALUES], "ErrorDetail": _detail(error)})
    return {"Errors": errors}


def batch_update(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchUpdatePartition``."""
    errors = []
    with context.platform.database.write() as transaction:
        _table(context, transaction, params)
        for entry in params["Entries"]:
            try:
                _replace(context, transaction, params, entry["PartitionValueList"], entry["PartitionInput"])
            except ServiceError as error:
                errors.append({"PartitionValueList": entry["PartitionValueList"], "ErrorDetail": _detail(error)})
    return {"Errors": errors}


def batch_get(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchGetPartition``: those that are there."""
    look = viewer(partitions, _shape("Partition"))
    found, missing = [], []
    with context.platform.database.read() as transaction:
        _table(context, transaction, params)
        for each in params["PartitionsToGet"]:
            try:
                record = partitions.named(context, transaction, _named(params, each[_VALUES]))
            except EntityNotFoundException:
                missing.append(each)
            else:
                found.append(look(context, transaction, record))
    return {"Partitions": found, "UnprocessedKeys": missing}


def batch_delete_tables(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchDeleteTable``."""
    errors = []
    with context.platform.database.write() as transaction:
        for name in params["TablesToDelete"]:
            try:
                record = tables.find(context, transaction, name.lower(), params["DatabaseName"].lower())
                changes.remove(tables, context, transaction, record)
            except ServiceError as error:
                errors.append({"TableName": name, "ErrorDetail": _detail(error)})
    return {"Errors": errors}


def _versions(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> list[Record]:
    table = _table(context, transaction, params)
    found = transaction.find(table_versions.query(context).within(f"{table.key.parent}/{table.name}"))
    return sorted(found, key=lambda record: -int(record.name))


def _version_view(context: Context, transaction: Transaction, record: Record) -> dict[str, Any]:
    seen = viewer(tables, _shape("Table"))(context, transaction, record)
    return {"Table": {**seen, "DatabaseName": record.document["DatabaseName"]}, "VersionId": record.name}


def get_table_versions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetTableVersions``: the newest first."""
    with context.platform.database.read() as transaction:
        records, following = cut(_versions(context, transaction, params), params, GLUE.page)
        rows = [_version_view(context, transaction, record) for record in records]
    return {"TableVersions": rows} | ({"NextToken": following} if following else {})


def get_table_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetTableVersion``: the one asked for, else the newest."""
    with context.platform.database.read() as transaction:
        found = _versions(context, transaction, params)
        wanted = params.get("VersionId", found[0].name)
        record = next((each for each in found if each.name == wanted), None)
        if record is None:
            raise EntityNotFoundException("version not found.")
        return {"TableVersion": _version_view(context, transaction, record)}


def delete_table_version(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteTableVersion``: any but the newest."""
    with context.platform.database.write() as transaction:
        _delete_version(context, transaction, params, params["VersionId"])
    return {}


def _delete_version(context: Context, transaction: Transaction, params: Mapping[str, Any], wanted: str) -> None:
    newest, *older = _versions(context, transaction, params)
    if newest.name == wanted:
        raise InvalidInputException("The newest version of a table cannot be deleted.")
    record = next((each for each in older if each.name == wanted), None)
    if record is None:
        raise EntityNotFoundException("version not found.")
    transaction.delete(record)


def batch_delete_versions(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchDeleteTableVersion``."""
    errors = []
    with context.platform.database.write() as transaction:
        for wanted in params["VersionIds"]:
            try:
                _delete_version(context, transaction, params, wanted)
            except ServiceError as error:
                errors.append({"TableName": params["TableName"], "VersionId": wanted, "ErrorDetail": _detail(error)})
    return {"Errors": errors}


def search_tables(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SearchTables``: the tables with a text in their names, descriptions or parameters."""
    text = params.get("SearchText", "").strip('"').lower()
    look = viewer(tables, _shape("Table"))
    with context.platform.database.read() as transaction:
        found = [record for record in transaction.find(tables.query(context)) if _says(record, text)]
        for condition in params.get("Filters", []):
            wanted = condition.get("Value", "").lower()
            member = {"DatabaseName": "DatabaseName", "Name": "Name"}.get(condition.get("Key", ""))
            if member is None:
                raise InvalidInputException(f"Tables cannot be searched by {condition.get('Key')}.")
            found = [record for record in found if str(record.document.get(member, "")).lower() == wanted]
        for criterion in reversed(params.get("SortCriteria", [])):
            name = criterion.get("FieldName", "Name")
            found.sort(key=lambda record: str(record.document.get(name, "")), reverse=criterion.get("Sort") == "DESC")
        records, following = cut(found, params, GLUE.page)
        rows = [look(context, transaction, record) for record in records]
    return {"TableList": rows} | ({"NextToken": following} if following else {})


def _says(record: Record, text: str) -> bool:
    said = (record.name, record.document.get("Description", ""), *record.document.get("Parameters", {}).values())
    return any(text in part.lower() for part in said)


def in_own_catalog(handler: Handler) -> Handler:
    """A handler that refuses the catalogue of another account."""

    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        if params.get("CatalogId", context.account) != context.account:
            raise EntityNotFoundException(f"Catalog {params['CatalogId']} not found.")
        return handler(context, {name: value for name, value in params.items() if name not in GLUE.ignored})

    return handle


OPERATIONS: dict[str, Handler] = {
    name: in_own_catalog(handler)
    for name, handler in {
        "GetPartitions": get_partitions,
        "UpdatePartition": update_partition,
        "BatchCreatePartition": batch_create,
        "BatchDeletePartition": batch_delete,
        "BatchUpdatePartition": batch_update,
        "BatchGetPartition": batch_get,
        "BatchDeleteTable": batch_delete_tables,
        "GetTableVersions": get_table_versions,
        "GetTableVersion": get_table_version,
        "DeleteTableVersion": delete_table_version,
        "BatchDeleteTableVersion": batch_delete_versions,
        "SearchTables": search_tables,
    }.items()
}
