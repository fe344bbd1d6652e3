"""Tags across all services: which resources have them, and changing them for many at once.

Reference: https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from clary.core.errors import AccessDenied, ServiceError
from clary.core.names import parse_arn
from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.paging import cut
from clary.resources.tagging import as_list, checked_tags
from clary.services.iam.api import identities_of
from clary.services.iam.principals import principal_of
from clary.state.records import Record
from clary.state.transaction import Transaction

_PAGE = 50
_ACTIONS = {
    "sagemaker": ("AddTags", "DeleteTags"),
    "sqs": ("TagQueue", "UntagQueue"),
    "resource-groups": ("Tag", "Untag"),
    "iam": ("Tag{}", "Untag{}"),
}
"""What services call the actions that most call ``TagResource`` and ``UntagResource``."""


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
    filters = params.get("TagFilters", [])
    if not all("Key" in each for each in filters):
        raise InvalidParameterException("A tag filter needs a key.")
    wanted = {each["Key"]: each.get("Values", []) for each in filters}
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


def _for_each(tagging: bool, change: Callable[[Transaction, str, dict[str, Any]], None]) -> Handler:
    """Changes the tags of many resources; what fails is told, the rest is done.

    The service of each resource is asked too, for its own action.
    """

    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        failed = {}
        with context.platform.database.write() as transaction:
            for arn in params["ResourceARNList"]:
                record = transaction.by_arn(arn)
                if record is None or record.key.account != context.account:
                    failed[arn] = _failure("InvalidParameterException", 400, f"The resource {arn} does not exist.")
                    continue
                try:
                    _authorize(context, record, transaction.tags(arn), params, tagging)
                except AccessDenied as error:
                    failed[arn] = _failure("AccessDeniedException", error.status, error.message)
                else:
                    change(transaction, arn, params)
        return {"FailedResourcesMap": failed}

    return handle


def _failure(code: str, status: int, message: str) -> dict[str, Any]:
    return {"StatusCode": status, "ErrorCode": code, "ErrorMessage": message}


def _authorize(
    context: Context, record: Record, present: Mapping[str, str], params: Mapping[str, Any], tagging: bool
) -> None:
    service = record.key.service
    names = _ACTIONS.get(service, ("TagResource", "UntagResource"))
    given = params.get("Tags", {})
    keys: dict[str, Any] = {
        **context.told,
        "aws:TagKeys": [*given, *params.get("TagKeys", ())],
        **{f"aws:RequestTag/{key}": value for key, value in given.items()},
        **{f"{prefix}:ResourceTag/{key}": present[key] for key in present for prefix in ("aws", service)},
    }
    action = names[0] if tagging else names[1]
    identities_of(context).authorize(
        principal_of(context.caller), f"{service}:{action.format(record.key.kind)}", record.arn, keys
    )


OPERATIONS: dict[str, Handler] = {
    "GetResources": get_resources,
    "GetTagKeys": get_keys,
    "GetTagValues": get_values,
    "TagResources": _for_each(
        True, lambda transaction, arn, params: transaction.set_tags(arn, checked_tags(params["Tags"]))
    ),
    "UntagResources": _for_each(
        False, lambda transaction, arn, params: transaction.remove_tags(arn, params["TagKeys"])
    ),
}
SERVICE = ServiceApp("resourcegroupstaggingapi", OPERATIONS, action_prefix="tag")
