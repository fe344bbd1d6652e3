"""The edges of the lineage graph.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddAssociation.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ResourceNotFound, ValidationException
from clary.resources.changes import author
from clary.resources.context import Context
from clary.resources.paging import read_token, write_token
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.lineage.edges import EDGES
from clary.services.sagemaker.lineage.entities import NAMES, TYPES
from clary.services.sagemaker.lineage.groups import get_lineage_group_policy
from clary.services.sagemaker.lineage.persons import person
from clary.services.sagemaker.lineage.walk import query_lineage
from clary.state.graph import Edge, EdgeQuery
from clary.state.records import Association
from clary.state.transaction import Transaction

DEFAULT_TYPE = "AssociatedWith"
_KEYS = {
    "CreationTime": "created",
    "SourceArn": "source",
    "DestinationArn": "destination",
    "SourceType": "source_type",
    "DestinationType": "destination_type",
}


def add_association(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AddAssociation``: draw an edge between two entities that exist."""
    source, destination = params["SourceArn"], params["DestinationArn"]
    with context.platform.database.write() as transaction:
        for arn in (source, destination):
            _check_entity(context, transaction, arn)
        kind = params.get("AssociationType", DEFAULT_TYPE)
        edge = Association(source, destination, kind, context.platform.clock(), {"CreatedBy": author(context)})
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
    """``ListAssociations``: the edges that satisfy every filter given, the newest first unless told otherwise."""
    size = params.get("MaxResults", SAGEMAKER.page)
    after, before = params.get("CreatedAfter"), params.get("CreatedBefore")
    sort_by, descending = _KEYS[params.get("SortBy", "CreationTime")], params.get("SortOrder") != "Ascending"
    query = EdgeQuery(
        source=params.get("SourceArn"),
        destination=params.get("DestinationArn"),
        type=params.get("AssociationType"),
        source_type=params.get("SourceType"),
        destination_type=params.get("DestinationType"),
        created_from=after.timestamp() if after else None,
        created_to=before.timestamp() if before else None,
        sort_by=sort_by,
        descending=descending,
        limit=size + 1,
        after=read_token(params["NextToken"], sort_by, descending) if "NextToken" in params else None,
    )
    with context.platform.database.read() as transaction:
        edges = transaction.lineage(context.account, context.region, EDGES).edges(query, TYPES, NAMES)
    answer: dict[str, Any] = {"AssociationSummaries": [_summary(edge) for edge in edges[:size]]}
    if len(edges) > size:
        last = edges[size - 1]
        answer["NextToken"] = write_token(last.value(sort_by), last.id, sort_by, descending)
    return answer


def _check_entity(context: Context, transaction: Transaction, arn: str) -> None:
    record = transaction.by_arn(arn)
    if record is None or record.key.account != context.account:
        raise ResourceNotFound(f"The entity {arn} does not exist.")


def _summary(edge: Edge) -> dict[str, Any]:
    association = edge.association
    shown = {
        "SourceArn": association.source,
        "SourceType": edge.source_type,
        "SourceName": edge.source_name,
        "DestinationArn": association.destination,
        "DestinationType": edge.destination_type,
        "DestinationName": edge.destination_name,
        "AssociationType": association.type,
        "CreationTime": association.created,
        "CreatedBy": person(association.document.get("CreatedBy", {})),
    }
    return {member: value for member, value in shown.items() if value is not None}


OPERATIONS = {
    "AddAssociation": add_association,
    "DeleteAssociation": delete_association,
    "ListAssociations": list_associations,
    "QueryLineage": query_lineage,
    "GetLineageGroupPolicy": get_lineage_group_policy,
}
