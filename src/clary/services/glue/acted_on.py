"""What the operations of the data catalogue act on: a table, its database and the catalogue must all be allowed.

Reference: https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.names import arn
from clary.resources.acted_on import ActedOn, Arns
from clary.resources.context import Context


def _catalogue(context: Context, *within: tuple[str, str]) -> Arns:
    """The ARNs of what is in the catalogue, by kind and name, and its own. Names are kept in small letters."""
    resources = (*(f"{kind}/{name.lower()}" for kind, name in within), "catalog")
    return tuple(arn("glue", context.region, context.account, resource) for resource in resources)


def _on_database(context: Context, params: Mapping[str, Any]) -> Arns:
    name = params.get("Name") or params.get("DatabaseInput", {}).get("Name") or "*"
    return _catalogue(context, ("database", name))


def _on_all_within(context: Context, params: Mapping[str, Any]) -> Arns:
    name = params["Name"]
    return _catalogue(context, ("database", name), ("table", f"{name}/*"), ("userDefinedFunction", f"{name}/*"))


def _on_tables(context: Context, params: Mapping[str, Any]) -> Arns:
    database = params.get("DatabaseName", "*")
    one = params.get("TableName") or params.get("Name") or params.get("TableInput", {}).get("Name") or "*"
    tables = [("table", f"{database}/{name}") for name in params.get("TablesToDelete", [one])]
    return _catalogue(context, *tables, ("database", database))


SUBJECTS: Mapping[str, ActedOn] = {
    **dict.fromkeys(("CreateDatabase", "GetDatabase", "GetDatabases", "UpdateDatabase"), _on_database),
    "DeleteDatabase": _on_all_within,
    **dict.fromkeys(
        (
            *(f"{verb}Table" for verb in ("Create", "Get", "Update", "Delete", "BatchDelete")),
            *(f"{verb}Partition" for verb in ("Create", "Get", "Update", "Delete")),
            *(f"Batch{verb}Partition" for verb in ("Create", "Get", "Update", "Delete")),
            *(f"{verb}TableVersion" for verb in ("Get", "Delete", "BatchDelete")),
            *("GetTables", "SearchTables", "GetPartitions", "GetTableVersions"),
        ),
        _on_tables,
    ),
}
