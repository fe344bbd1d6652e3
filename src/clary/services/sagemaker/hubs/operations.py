"""The lists of what a hub holds, and references to contents of other hubs.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHubContentReference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.resources import changes
from clary.resources.context import Context, Handler
from clary.resources.paging import cut
from clary.resources.view import viewer
from clary.services.sagemaker.hubs.resources import FIRST_VERSION, hub_contents, hubs, order
from clary.state.records import Record
from clary.wire.catalog import service

REFERENCE = "ModelReference"
REFERENCE_SCHEMA = "1.0.0"
_PAGE = 100
_SORTS: Mapping[str, Callable[[Record], Any]] = {
    "HubContentName": lambda record: (record.document["HubContentName"], order(record.name)),
    "CreationTime": lambda record: (record.created, record.id),
    "HubContentStatus": lambda record: (record.status, record.id),
}


def _listing(operation: str, *, latest: bool) -> Handler:
    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        row = service("sagemaker").operation(operation).output_shape.members["HubContentSummaries"].member
        look = viewer(hub_contents, row)
        with context.platform.database.read() as transaction:
            hub = hubs.named(context, transaction, params)
            wanted = hub_contents.query(context).where("HubName", hub.name)
            found = transaction.find(wanted.where("HubContentType", params["HubContentType"]))
            found = [record for record in found if _fits(record, params)]
            if latest:
                names: dict[str, Record] = {}
                for record in sorted(found, key=lambda each: order(each.name)):
                    names[record.document["HubContentName"]] = record
                found = list(names.values())
            descending = params.get("SortOrder", "Descending") == "Descending"
            found.sort(key=_SORTS[params.get("SortBy", "CreationTime")], reverse=descending)
            records, following = cut(found, params, _PAGE)
            rows = [look(context, transaction, record) for record in records]
        return {"HubContentSummaries": rows} | ({"NextToken": following} if following else {})

    return handle


def _fits(record: Record, params: Mapping[str, Any]) -> bool:
    document = record.document
    if params.get("HubContentName", document["HubContentName"]) != document["HubContentName"]:
        return False
    if params.get("NameContains", "").lower() not in document["HubContentName"].lower():
        return False
    if "MinVersion" in params and order(record.name) < order(params["MinVersion"]):
        return False
    if "MaxSchemaVersion" in params and order(document["DocumentSchemaVersion"]) > order(params["MaxSchemaVersion"]):
        return False
    after, before = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
    return (after is None or record.created >= after.timestamp()) and (
        before is None or record.created <= before.timestamp()
    )


def import_content(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ImportHubContent``: put a version of a model, a notebook or a document into a hub."""
    with context.platform.database.write() as transaction:
        hub = hubs.named(context, transaction, params)
        record = changes.add(hub_contents, context, transaction, {**params, "HubName": hub.name})
    return {"HubArn": hub.arn, "HubContentArn": record.arn}


def create_reference(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateHubContentReference``: a model of a public hub, under a name in one's own."""
    arn = params["SageMakerPublicHubContentArn"]
    parts = arn.split("/")
    if len(parts) < 4:
        raise ValidationException(f"{arn} is not the ARN of a hub content.")
    with context.platform.database.write() as transaction:
        hub = hubs.named(context, transaction, params)
        content = {
            "HubName": hub.name,
            "HubContentType": REFERENCE,
            "HubContentName": params.get("HubContentName", parts[3]),
            "HubContentVersion": parts[4] if len(parts) > 4 else FIRST_VERSION,
            "DocumentSchemaVersion": REFERENCE_SCHEMA,
            "HubContentDocument": "{}",
            "SageMakerPublicHubContentArn": arn,
            "Tags": params.get("Tags", []),
        }
        if "MinVersion" in params:
            content["ReferenceMinVersion"] = params["MinVersion"]
        record = changes.add(hub_contents, context, transaction, content)
    return {"HubArn": hub.arn, "HubContentArn": record.arn}


def update_reference(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateHubContentReference``: the lowest version that the reference may stand for."""
    with context.platform.database.write() as transaction:
        record = hub_contents.named(context, transaction, params)
        given = {"ReferenceMinVersion": params["MinVersion"]} if "MinVersion" in params else {}
        changes.change(hub_contents, context, transaction, record, given)
        hub = hubs.find(context, transaction, record.document["HubName"])
    return {"HubArn": hub.arn, "HubContentArn": record.arn}


def delete_reference(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteHubContentReference``."""
    with context.platform.database.write() as transaction:
        record = hub_contents.named(context, transaction, params)
        changes.remove(hub_contents, context, transaction, record)
    return {}


OPERATIONS: dict[str, Handler] = {
    "ListHubContents": _listing("ListHubContents", latest=True),
    "ListHubContentVersions": _listing("ListHubContentVersions", latest=False),
    "ImportHubContent": import_content,
    "CreateHubContentReference": create_reference,
    "UpdateHubContentReference": update_reference,
    "DeleteHubContentReference": delete_reference,
}
