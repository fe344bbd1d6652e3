"""Groups of resources: those that have certain tags, as the model registry's collections are made.

Reference: https://docs.aws.amazon.com/ARG/latest/APIReference/API_CreateGroup.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.core.errors import ServiceError
from clary.resources.acted_on import nothing
from clary.resources.changes import change
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.paging import cut
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.resources.tagging import checked_tags
from clary.state.records import Record
from clary.state.transaction import Transaction

_TYPES = {
    "sagemaker": "SageMaker",
    "resource-groups": "ResourceGroups",
    "glue": "Glue",
    "ecr": "ECR",
    "events": "Events",
}
_TAG_QUERY = "TAG_FILTERS_1_0"
_PAGE = 50


class NotFoundException(ServiceError):
    """The group does not exist."""

    code = "NotFoundException"
    status = 404


class BadRequestException(ServiceError):
    """The request does not make sense."""

    code = "BadRequestException"
    status = 400


GROUPS = Dialect(
    service="resource-groups",
    verbs={
        "create": ("Create{noun}",),
        "describe": ("Get{noun}",),
        "update": ("Update{noun}",),
        "delete": ("Delete{noun}",),
    },
    missing=lambda noun, name, arn: NotFoundException(f"Cannot find group: {name}"),
    present=lambda noun, name, arn: BadRequestException(f"Cannot create group: group already exists: {name}"),
    page=_PAGE,
)


def _filters(query: Mapping[str, Any]) -> dict[str, list[str]]:
    """The tags that a query asks for. Raises ``BadRequestException``."""
    if query["Type"] != _TAG_QUERY:
        raise BadRequestException(f"Only queries of the type {_TAG_QUERY} are available in Clary yet.")
    try:
        wanted = json.loads(query["Query"])
        return {each["Key"]: list(each.get("Values", [])) for each in wanted.get("TagFilters", [])}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise BadRequestException("Query not valid: it must be a JSON object with TagFilters.") from None


def _prepare(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    if "ResourceQuery" not in params:
        raise BadRequestException("Groups without a ResourceQuery are not available in Clary yet.")
    _filters(params["ResourceQuery"])


groups = Resource(
    GROUPS,
    "Group",
    names=("Name",),
    aliases={"GroupName": "Name", "Group": "Name"},
    arn="group/{name}",
    paths={"GroupArn": "@arn"},
    prepare=_prepare,
)


def list_resources(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListGroupResources``: what has the tags that the group asks for now."""
    types = {value for each in params.get("Filters", []) for value in each["Values"]}
    with context.platform.database.read() as transaction:
        group = groups.named(context, transaction, _named(params))
        found = _members(context, transaction, group.document["ResourceQuery"])
    rows = [each for each in found if not types or each["ResourceType"] in types]
    return _resources(rows, params)


def search(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``SearchResources``: what has the tags that a query asks for."""
    with context.platform.database.read() as transaction:
        found = _members(context, transaction, params["ResourceQuery"])
    answer = _resources(found, params)
    answer.pop("Resources")
    return answer


def _members(context: Context, transaction: Transaction, query: Mapping[str, Any]) -> list[dict[str, str]]:
    wanted = _filters(query)
    kinds = set(json.loads(query["Query"]).get("ResourceTypeFilters", []))
    found = [_identifier(record) for record in transaction.tagged(context.account, context.region, wanted)]
    return [each for each in found if not kinds or "AWS::AllSupported" in kinds or each["ResourceType"] in kinds]


def _identifier(record: Record) -> dict[str, str]:
    service_name = _TYPES.get(record.key.service, record.key.service.title())
    return {"ResourceArn": record.arn, "ResourceType": f"AWS::{service_name}::{record.key.kind}"}


def _resources(found: list[dict[str, str]], params: Mapping[str, Any]) -> dict[str, Any]:
    rows, following = cut(found, params, _PAGE)
    answer = {"ResourceIdentifiers": rows, "Resources": [{"Identifier": each} for each in rows], "QueryErrors": []}
    return answer | ({"NextToken": following} if following else {})


def _named(params: Mapping[str, Any]) -> dict[str, str]:
    name = params.get("Group") or params.get("GroupName")
    if not name:
        raise BadRequestException("The request must name a group.")
    return {"Name": name}


def list_groups(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListGroups``."""
    with context.platform.database.read() as transaction:
        records = transaction.find(groups.query(context))
    rows, following = cut(records, params, _PAGE)
    seen = [{"GroupArn": record.arn, "Name": record.name, **_described(record)} for record in rows]
    names = [{"GroupName": record.name, "GroupArn": record.arn, **_described(record)} for record in rows]
    return {"Groups": seen, "GroupIdentifiers": names} | ({"NextToken": following} if following else {})


def _described(record: Record) -> dict[str, str]:
    return {"Description": record.document["Description"]} if "Description" in record.document else {}


def get_query(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetGroupQuery``."""
    with context.platform.database.read() as transaction:
        record = groups.named(context, transaction, _named(params))
    return {"GroupQuery": {"GroupName": record.name, "ResourceQuery": record.document["ResourceQuery"]}}


def update_query(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateGroupQuery``."""
    _filters(params["ResourceQuery"])
    with context.platform.database.write() as transaction:
        record = groups.named(context, transaction, _named(params))
        change(groups, context, transaction, record, {"ResourceQuery": params["ResourceQuery"]})
    return {"GroupQuery": {"GroupName": record.name, "ResourceQuery": params["ResourceQuery"]}}


def _tagged(context: Context, transaction: Transaction, arn: str) -> Record:
    record = groups.by_arn(context, transaction, arn)
    if record is None:
        raise NotFoundException(f"Cannot find group: {arn}")
    return record


def get_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetTags`` of a group."""
    with context.platform.database.read() as transaction:
        record = _tagged(context, transaction, params["Arn"])
        return {"Arn": record.arn, "Tags": transaction.tags(record.arn)}


def tag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Tag`` a group."""
    with context.platform.database.write() as transaction:
        record = _tagged(context, transaction, params["Arn"])
        transaction.set_tags(record.arn, checked_tags(params["Tags"]))
    return {"Arn": record.arn, "Tags": params["Tags"]}


def untag(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``Untag`` a group."""
    with context.platform.database.write() as transaction:
        record = _tagged(context, transaction, params["Arn"])
        transaction.remove_tags(record.arn, params["Keys"])
    return {"Arn": record.arn, "Keys": params["Keys"]}


OPERATIONS: dict[str, Handler] = {
    "ListGroupResources": list_resources,
    "SearchResources": search,
    "ListGroups": list_groups,
    "GetGroupQuery": get_query,
    "UpdateGroupQuery": update_query,
    "GetTags": get_tags,
    "Tag": tag,
    "Untag": untag,
}


def app() -> ServiceApp:
    """The service."""
    named = ("GetGroup", "UpdateGroup", "DeleteGroup", "ListGroupResources", "GetGroupQuery", "UpdateGroupQuery")
    subjects = {"CreateGroup": nothing, **dict.fromkeys(named, groups.arn_of)}
    return service(GROUPS, (groups,), OPERATIONS, subjects=subjects)
