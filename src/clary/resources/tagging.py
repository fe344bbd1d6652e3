"""Tags of resources: the three operations that every service with ARNs has, whatever it calls them.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clary.core.errors import ResourceLimitExceeded, ServiceError, ValidationException
from clary.core.names import parse_arn
from clary.resources.context import Context, Handler
from clary.state.transaction import Transaction

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

MOST_TAGS = 50
_ADD = ("AddTags", "TagResource")
_REMOVE = ("DeleteTags", "UntagResource")
_LIST = ("ListTags", "ListTagsForResource", "GetTags")
Tags = Sequence[Mapping[str, str]] | Mapping[str, str]
"""Tags as requests have them: a map, or a list of pairs with ``Key`` and ``Value``, or ``key``, or KMS's ``TagKey``."""


def tag_operations(model: ServiceModel) -> dict[str, Handler]:
    """The handlers of the tag operations of a service, by the operation's name."""
    makers = ((_ADD, _add), (_REMOVE, _remove), (_LIST, _list))
    known = set(model.operation_names)
    return {name: make(model.operation_model(name)) for names, make in makers for name in names if name in known}


def checked_tags(tags: Tags) -> dict[str, str]:
    """Tags of a request by key.

    Raises ``ValidationException`` for reserved or repeated keys, ``ResourceLimitExceeded`` for more than 50.
    """
    checked: dict[str, str] = {}
    for key, value in pairs(tags):
        if key.lower().startswith("aws:"):
            raise ValidationException("Tag keys that start with aws: are reserved for system use.")
        if key in checked:
            raise ValidationException(f"Duplicate tag keys found: {key}")
        checked[key] = value
    _check_count(len(checked))
    return checked


def as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as a list of pairs, by key."""
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def pairs(tags: Tags) -> list[tuple[str, str]]:
    """Tags of a request as keys and values."""
    if isinstance(tags, Mapping):
        return list(tags.items())
    lowered = ({name.lower().removeprefix("tag"): text for name, text in tag.items()} for tag in tags)
    return [(tag["key"], tag.get("value", "")) for tag in lowered]


def _add(operation: OperationModel) -> Handler:
    """Add or overwrite tags; answers with all tags of the resource where the answer has room for them."""
    resource, given = _members(operation)
    answer = _answering(operation)

    def add(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        arn, tags = params[resource], checked_tags(params[given])
        with context.platform.database.write() as transaction:
            _check_resource(context, transaction, arn)
            _check_count(len({*transaction.tags(arn), *tags}))
            transaction.set_tags(arn, tags)
            return answer(transaction.tags(arn))

    return add


def _list(operation: OperationModel) -> Handler:
    """The tags of the resource. The smallest page holds as many as a resource may have."""
    resource, _ = _members(operation)
    answer = _answering(operation)

    def list_(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        arn = params[resource]
        with context.platform.database.read() as transaction:
            _check_resource(context, transaction, arn)
            return answer(transaction.tags(arn))

    return list_


def _remove(operation: OperationModel) -> Handler:
    """Remove the tags with the keys given; keys that are not there do not matter."""
    resource, keys = _members(operation)

    def remove(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        arn = params[resource]
        with context.platform.database.write() as transaction:
            _check_resource(context, transaction, arn)
            transaction.remove_tags(arn, params[keys])
        return {}

    return remove


def _members(operation: OperationModel) -> tuple[str, str]:
    """The members of a request that hold the resource's ARN, and the tags or their keys."""
    shapes = operation.input_shape.members
    arn = next(name for name, shape in shapes.items() if shape.type_name == "string" and name.lower().endswith("arn"))
    return arn, next((name for name, shape in shapes.items() if shape.type_name in ("list", "map")), "")


def _answering(operation: OperationModel) -> Callable[[Mapping[str, str]], dict[str, Any]]:
    """Puts the tags of a resource into the form of the operation's answer."""
    members = operation.output_shape.members if operation.output_shape is not None else {}
    found = next(((name, shape) for name, shape in members.items() if shape.type_name in ("list", "map")), None)
    if found is None:
        return lambda tags: {}
    name, shape = found
    if shape.type_name == "map":
        return lambda tags: {name: tags}
    key, value = sorted(shape.member.members)
    return lambda tags: {name: [{key: each, value: tags[each]} for each in sorted(tags)]}


def _check_resource(context: Context, transaction: Transaction, arn: str) -> None:
    record = transaction.by_arn(arn)
    if record is None or record.key.account != context.account:
        raise _not_found(arn)


def _not_found(arn: str) -> ServiceError:
    try:
        parse_arn(arn)
    except ValueError:
        return ValidationException(f"Invalid resource ARN: {arn}")
    return ValidationException(f'Could not find resource "{arn}".')


def _check_count(count: int) -> None:
    if count > MOST_TAGS:
        raise ResourceLimitExceeded(f"The number of tags has exceeded the limit of {MOST_TAGS}.")
