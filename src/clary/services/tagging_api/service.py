"""Tags across all services: which resources have them, and changing them for many at once.

Reference: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clary.core.errors import ServiceError
from clary.core.names import parse_arn
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.paging import cut
from clary.resources.tagging import as_list, checked_tags
from clary.state.transaction import Transaction

_PAGE = 50


class InvalidParameterException(ServiceError):
    """A parameter does not make sense."""

    code = "InvalidParameterException"
    status = 400


def resource_type(arn: str) -> str:
    """The type that an ARN tells: ``sagemaker:training-job``."""
    parts = parse_arn(arn)
    return f"{parts.service}:{parts.resource.split('/')[0].split(':')[0]}"


def get_resources(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetResources``: the resources that have a tag for each filter, with all their tags."""
    wanted = {each["Key"]: each.get("Values", []) for each in params.get("TagFilters", [])}
    arns, types = params.get("ResourceARNList"), params.get("ResourceTypeFilters")
    if arns and (wanted or types):
        raise InvalidParameterException("ResourceARNList cannot be combined with other filters.")
    with context.platform.database.read() as transaction:
        found = [
            record.arn
            for record in transaction.tagged(context.account, context.region, wanted)
            if (not arns or record.arn in arns) and (not types or _is_one(resource_type(record.arn), types))
        ]
        size = params.get("ResourcesPerPage", _PAGE)
        rows, following = cut(found, _paging(params), size)
        mappings = [{"ResourceARN": arn, "Tags": as_list(transaction.tags(arn))} for arn in rows]
    return {"ResourceTagMappingList": mappings, "PaginationToken": following or ""}


def _is_one(kind: str, types: list[str]) -> bool:
    return any(kind == wanted or kind.split(":")[0] == wanted for wanted in types)


def _paging(params: dict[str, Any]) -> dict[str, Any]:
    return {"NextToken": params["PaginationToken"]} if params.get("PaginationToken") else {}


def get_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetTagKeys``."""
    with context.platform.database.read() as transaction:
        found = sorted({key for key, _ in transaction.tags_in_use(context.account, context.region)})
    rows, following = cut(found, _paging(params), _PAGE)
    return {"TagKeys": rows, "PaginationToken": following or ""}


def get_values(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetTagValues``."""
    with context.platform.database.read() as transaction:
        used = transaction.tags_in_use(context.account, context.region)
    found = sorted({value for key, value in used if key == params["Key"]})
    rows, following = cut(found, _paging(params), _PAGE)
    return {"TagValues": rows, "PaginationToken": following or ""}


def _for_each(change: Callable[[Transaction, str, dict[str, Any]], None]) -> Handler:
    """Changes the tags of many resources; what fails is told, the rest is done."""

    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        failed = {}
        with context.platform.database.write() as transaction:
            for arn in params["ResourceARNList"]:
                record = transaction.by_arn(arn)
                if record is None or record.key.account != context.account:
                    message = f"The resource {arn} does not exist."
                    failed[arn] = {"StatusCode": 400, "ErrorCode": "InvalidParameterException", "ErrorMessage": message}
                else:
                    change(transaction, arn, params)
        return {"FailedResourcesMap": failed}

    return handle


OPERATIONS: dict[str, Handler] = {
    "GetResources": get_resources,
    "GetTagKeys": get_keys,
    "GetTagValues": get_values,
    "TagResources": _for_each(lambda transaction, arn, params: transaction.set_tags(arn, checked_tags(params["Tags"]))),
    "UntagResources": _for_each(lambda transaction, arn, params: transaction.remove_tags(arn, params["TagKeys"])),
}
SERVICE = ServiceApp("resourcegroupstaggingapi", OPERATIONS, action_prefix="tag")
