"""Tags of users, roles, policies and instance profiles.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.entities import Kind
from clary.services.iam.errors import NoSuchEntity
from clary.services.iam.subjects import find_policy
from clary.services.iam.view import page, read_tags
from clary.state.records import Record
from clary.state.transaction import Transaction

Find = Callable[[Transaction, Context, dict[str, Any]], Record]


def _named(kind: Kind, transaction: Transaction, context: Context, params: dict[str, Any]) -> Record:
    return entities.find(transaction, context.account, kind, params[f"{kind}Name"])


def _policy(transaction: Transaction, context: Context, params: dict[str, Any]) -> Record:
    record = find_policy(transaction, params["PolicyArn"])
    if record is None or record.key.account != context.account:
        raise NoSuchEntity(f"Policy {params['PolicyArn']} was not found.")
    return record


def _tag(find: Find, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.write() as transaction:
        record = find(transaction, context, params)
        present = transaction.tags(record.arn)
        tags = read_tags(params["Tags"], present)
        # Keys that differ only by case are the same key, which keeps its place and takes the new spelling.
        wanted = {key.lower() for key in tags}
        transaction.remove_tags(record.arn, [key for key in present if key.lower() in wanted])
        transaction.set_tags(record.arn, tags)
        transaction.bump(entities.TOPIC)
    return {}


def _untag(find: Find, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.write() as transaction:
        record = find(transaction, context, params)
        gone = {key.lower() for key in params["TagKeys"]}
        transaction.remove_tags(record.arn, [key for key in transaction.tags(record.arn) if key.lower() in gone])
        transaction.bump(entities.TOPIC)
    return {}


def _list(find: Find, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.read() as transaction:
        tags = transaction.tags(find(transaction, context, params).arn)
    return page(sorted(tags.items()), params, "Tags", lambda tag: tag[0], lambda tag: {"Key": tag[0], "Value": tag[1]})


def _operations(noun: str, find: Find) -> dict[str, Handler]:
    return {
        f"Tag{noun}": partial(_tag, find),
        f"Untag{noun}": partial(_untag, find),
        f"List{noun}Tags": partial(_list, find),
    }


_USER: Kind = "User"
_ROLE: Kind = "Role"
_PROFILE: Kind = "InstanceProfile"
OPERATIONS: dict[str, Handler] = {
    **_operations("User", partial(_named, _USER)),
    **_operations("Role", partial(_named, _ROLE)),
    **_operations("InstanceProfile", partial(_named, _PROFILE)),
    **_operations("Policy", _policy),
}
