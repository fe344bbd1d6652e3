"""A record seen through a shape of the service model: what Describe and the rows of List show."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.tagging import as_list
from clary.state.records import Record
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

View = Callable[[Context, Transaction, Record], dict[str, Any]]
"""Gives the members of a shape that are known of a record; those that are not are left out."""
Seen = Callable[[Context, Transaction, Record], Any]

_CREATED = frozenset(("CreationTime", "CreatedAt", "CreatedTime", "CreateTime", "CreateDate", "createdAt"))
_MODIFIED = frozenset(("LastModifiedTime", "LastModifiedAt", "LastUpdatedTime", "LastUpdatedDate", "UpdateTime"))
_COLUMNS: dict[str, Seen] = {
    "@name": lambda _, __, record: record.name,
    "@status": lambda _, __, record: record.status,
    "@created": lambda _, __, record: record.created,
    "@modified": lambda _, __, record: record.modified,
    "@arn": lambda _, __, record: record.arn,
}


def view(
    resource: Resource, shape: StructureShape, context: Context, transaction: Transaction, record: Record
) -> dict[str, Any]:
    """The members of ``shape`` that are known of ``record``."""
    return viewer(resource, shape)(context, transaction, record)


@lru_cache(maxsize=4096)
def viewer(resource: Resource, shape: StructureShape) -> View:
    """How records of ``resource`` are seen through ``shape``, worked out once."""
    plain: list[str] = []
    others: list[tuple[str, Seen]] = []
    for member, inner in shape.members.items():
        if (seen := _member(resource, member, inner)) is not None:
            others.append((member, seen))
        else:
            plain.append(member)
    # A rule that tells what a member is when the document does not have it.
    fallbacks = [(member, seen) for member in plain if (seen := _fallback(resource, member, shape.members[member]))]

    def look(context: Context, transaction: Transaction, record: Record) -> dict[str, Any]:
        document = record.document
        found = {member: document[member] for member in plain if document.get(member) is not None}
        for member, seen in others:
            value = seen(context, transaction, record)
            if value is not None:
                found[member] = value
        for member, seen in fallbacks:
            if member not in found and (value := seen(context, transaction, record)) is not None:
                found[member] = value
        return found

    return look


def _member(resource: Resource, member: str, shape: Shape) -> Seen | None:
    """What a member shows whatever the document has under its name."""
    if member in resource.computed:
        return resource.computed[member]
    if member == resource.arn_member:
        return _COLUMNS["@arn"]
    if resource.status is not None and member == resource.status:
        return _COLUMNS["@status"]
    if member in resource.paths:
        return at_path(resource.paths[member])
    if member == "Tags":
        plain = dict if shape.type_name == "map" else as_list
        return lambda _, transaction, record: plain(transaction.tags(record.arn)) or None
    if member in ("CreatedBy", "LastModifiedBy") and shape.type_name == "string":
        return lambda _, __, record: record.document.get(member, {}).get("IamIdentity", {}).get("Arn")
    if shape.type_name == "structure" and member.lower() == resource.noun.lower():
        return viewer(resource, shape)
    return None


def _fallback(resource: Resource, member: str, shape: Shape) -> Seen | None:
    if member == resource.name_member:
        return _COLUMNS["@name"]
    if member in resource.parents:
        position = resource.parents.index(member)
        return lambda _, __, record: record.key.parent.split("/")[position] or None
    if resource.parent is not None and member == resource.parent.arn_member:
        parent = resource.parent
        return lambda context, _, record: parent.make_arn(context, record.key.parent.split("/")[0])
    if member in _CREATED:
        return _COLUMNS["@created"]
    if member in _MODIFIED:
        return _COLUMNS["@modified"]
    if member == "LastModifiedBy":
        return at_path("CreatedBy")
    # Rows of a list call a member by the noun and its name: ``ExperimentSource`` is the experiment's ``Source``.
    if member.startswith(resource.noun):
        return at_path(member.removeprefix(resource.noun))
    return None


def at_path(path: str) -> Seen:
    """What stands at a dotted path in a record's document, or in a column."""
    if path in _COLUMNS:
        return _COLUMNS[path]
    parts = path.split(".")

    def look(_: Context, __: Transaction, record: Record) -> Any:
        value: Any = record.document
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    return look


def seeing(resource: Resource, member: str, shape: Shape) -> Seen:
    """How one member of an answer is seen, of which ``shape`` is the shape."""
    if (seen := _member(resource, member, shape)) is not None:
        return seen
    fallback = _fallback(resource, member, shape)

    def look(context: Context, transaction: Transaction, record: Record) -> Any:
        value = record.document.get(member)
        return fallback(context, transaction, record) if value is None and fallback is not None else value

    return look


def place(resource: Resource, member: str, shape: Shape) -> str | None:
    """The column or the dotted path where a member of an answer stands, or ``None`` if it is worked out."""
    seen = _member(resource, member, shape) or _fallback(resource, member, shape)
    if seen is None:
        return member
    column = next((name for name, look in _COLUMNS.items() if look is seen), None)
    if column is None and member not in resource.computed:
        return resource.paths.get(member)
    return column
