"""Tags of resources: the three operations that every service with ARNs has.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddTags.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import ResourceLimitExceeded, ServiceError, ValidationException
from clary.core.names import parse_arn
from clary.resources.context import Context
from clary.state.transaction import Transaction

MOST_TAGS = 50


def checked_tags(tags: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Tags of a request by key.

    Raises ``ValidationException`` for reserved or repeated keys, ``ResourceLimitExceeded`` for more than 50.
    """
    checked: dict[str, str] = {}
    for tag in tags:
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise ValidationException("Tag keys that start with aws: are reserved for system use.")
        if key in checked:
            raise ValidationException(f"Duplicate tag keys found: {key}")
        checked[key] = tag.get("Value", "")
    _check_count(len(checked))
    return checked


def add_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AddTags``: add or overwrite tags; answers with all tags of the resource."""
    arn, tags = params["ResourceArn"], checked_tags(params["Tags"])
    with context.platform.database.write() as transaction:
        _check_resource(context, transaction, arn)
        _check_count(len({*transaction.tags(arn), *tags}))
        transaction.set_tags(arn, tags)
        return {"Tags": _as_list(transaction.tags(arn))}


def list_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListTags``: the tags of the resource. The smallest page holds as many as a resource may have."""
    arn = params["ResourceArn"]
    with context.platform.database.read() as transaction:
        _check_resource(context, transaction, arn)
        return {"Tags": _as_list(transaction.tags(arn))}


def delete_tags(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteTags``: remove the tags with the keys given; keys that are not there do not matter."""
    arn = params["ResourceArn"]
    with context.platform.database.write() as transaction:
        _check_resource(context, transaction, arn)
        transaction.remove_tags(arn, params["TagKeys"])
    return {}


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


def _as_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
