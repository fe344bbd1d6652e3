"""A record seen through a shape of the service model: what Describe and the rows of List show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.state.records import Record
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from botocore.model import StructureShape

_CREATED = ("CreationTime", "CreatedAt", "CreatedTime")
_MODIFIED = ("LastModifiedTime", "LastModifiedAt", "LastUpdatedTime")


def view(
    resource: Resource, shape: StructureShape, context: Context, transaction: Transaction, record: Record
) -> dict[str, Any]:
    """The members of ``shape`` that are known of ``record``; those that are not are left out."""
    seen = {}
    for member in shape.members:
        value = _member(resource, member, context, transaction, record)
        if value is not None:
            seen[member] = value
    return seen


def _member(resource: Resource, member: str, context: Context, transaction: Transaction, record: Record) -> Any:
    if member in resource.computed:
        return resource.computed[member](context, transaction, record)
    if member == resource.arn_member:
        return record.arn
    if resource.status is not None and member == resource.status:
        return record.status
    if member in record.document:
        return record.document[member]
    if member == resource.name_member and not resource.generated:
        return record.name
    if member in _CREATED:
        return record.created
    if member in _MODIFIED:
        return record.modified
    # Rows of a list call a member by the noun and its name: ``ExperimentSource`` is the experiment's ``Source``.
    if member.startswith(resource.noun):
        return record.document.get(member.removeprefix(resource.noun))
    return None
