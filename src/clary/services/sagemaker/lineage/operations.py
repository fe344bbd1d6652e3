"""The edges of the lineage graph.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddAssociation.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ResourceNotFound, ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.experiments.api import MEMBER
from clary.state.records import Association, Record
from clary.state.transaction import Transaction

DEFAULT_TYPE = "AssociatedWith"
PAGE = 100


def add_association(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AddAssociation``: draw an edge between two entities that exist."""
    source, destination = params["SourceArn"], params["DestinationArn"]
    with context.platform.database.write() as transaction:
        for arn in (source, destination):
            _entity(context, transaction, arn)
        kind = params.get("AssociationType", DEFAULT_TYPE)
        document = {"CreatedBy": {"IamIdentity": {"Arn": context.caller.arn}}}
        edge = Association(source, destination, kind, context.platform.clock(), document)
        if not transaction.associate(context.account, context.region, edge):
            raise ValidationException(f"An association from {source} to {destination} already exists.")
    return {"SourceArn": source, "DestinationArn": destination}


def delete_association(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteAssociation``: remove an edge."""
    source, destination = params["SourceArn"], params["DestinationArn"]
    with context.platform.database.write() as transaction:
        if not transaction.disassociate(context.account, context.region, source, destination):
            raise ResourceNotFound(f"The association from {source} to {destination} does not exist.")
    return {"SourceArn": source, "DestinationArn": destination}


def list_associations(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListAssociations``: the edges that satisfy every filter given."""
    with context.platform.database.read() as transaction:
        edges = transaction.associations(
            context.account, context.region, source=params.get("SourceArn"), destination=params.get("DestinationArn")
        )
        seen = [_summary(transaction, edge) for edge in edges if edge.type != MEMBER]
    wanted = {name: params[name] for name in ("SourceType", "DestinationType", "AssociationType") if name in params}
    seen = [row for row in seen if all(row.get(name) == value for name, value in wanted.items())]
    created = [float(row["CreationTime"]) for row in seen]
    after, before = params.get("CreatedAfter"), params.get("CreatedBefore")
    seen = [
        row
        for row, time in zip(seen, created, strict=True)
        if (after is None or time >= after.timestamp()) and (before is None or time <= before.timestamp())
    ]
    key = params.get("SortBy", "CreationTime")
    seen.sort(key=lambda row: (row.get(key) is not None, row.get(key)), reverse=params.get("SortOrder") != "Ascending")
    start = _start(params.get("NextToken"))
    size = params.get("MaxResults", PAGE)
    answer: dict[str, Any] = {"AssociationSummaries": seen[start : start + size]}
    if len(seen) > start + size:
        answer["NextToken"] = str(start + size)
    return answer


def _start(token: str | None) -> int:
    if token is None:
        return 0
    if not (token.isascii() and token.isdigit()):
        raise ValidationException("The pagination token is invalid.")
    return int(token)


def _entity(context: Context, transaction: Transaction, arn: str) -> Record:
    record = transaction.by_arn(arn)
    if record is None or record.key.account != context.account:
        raise ResourceNotFound(f"The entity {arn} does not exist.")
    return record


def _summary(transaction: Transaction, edge: Association) -> dict[str, Any]:
    row = {
        "SourceArn": edge.source,
        "DestinationArn": edge.destination,
        "AssociationType": edge.type,
        "CreationTime": edge.created,
        "CreatedBy": edge.document.get("CreatedBy"),
    }
    for end, arn in (("Source", edge.source), ("Destination", edge.destination)):
        record = transaction.by_arn(arn)
        if record is not None:
            row[f"{end}Type"] = record.document.get(f"{record.key.kind}Type", record.key.kind)
            row[f"{end}Name"] = record.document.get(f"{record.key.kind}Name", record.name)
    return row


OPERATIONS = {
    "AddAssociation": add_association,
    "DeleteAssociation": delete_association,
    "ListAssociations": list_associations,
}
