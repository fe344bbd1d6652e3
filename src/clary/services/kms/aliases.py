"""Aliases: names that lead to a key of the same account and region, and can be led to another.

Reference: https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html
"""

from __future__ import annotations

import re
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context, Handler
from clary.services.iam.api import identities_of
from clary.services.kms import keys
from clary.services.kms.asked import caller_of, denied, is_foreign, managed_record, page
from clary.services.kms.errors import (
    AlreadyExistsException,
    InvalidAliasNameException,
    LimitExceededException,
    NotFoundException,
)
from clary.services.kms.keys import DISABLED, ENABLED, Key
from clary.services.kms.managed import alias_record
from clary.state.records import AlreadyExists, Record
from clary.state.transaction import Transaction

_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]+")
_RESERVED = "alias/aws/"
_MOST = 50


def _check_name(name: str) -> None:
    if name.startswith(_RESERVED):
        raise InvalidAliasNameException("Alias names that begin with alias/aws/ are reserved.")
    if not name.startswith("alias/"):
        raise ValidationException(
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
    if not _NAME.fullmatch(name):
        raise InvalidAliasNameException(f"{name} contains invalid characters for an alias")


def _authorize(context: Context, name: str, operation: str) -> None:
    """The alias itself is for IAM's policies alone."""
    arn = keys.alias_arn(context.account, context.region, name)
    identities_of(context).authorize(caller_of(context), f"kms:{operation}", arn, context.told)


def _target(context: Context, transaction: Transaction, name: str, operation: str, alias: str) -> tuple[Record, Key]:
    if is_foreign(context, name):
        raise denied(context, name, operation)
    return managed_record(context, transaction, name, operation, given={"kms:RequestAlias": alias})


def _alias(context: Context, transaction: Transaction, name: str) -> Record:
    record = transaction.get(keys.alias_key(context.account, context.region, name))
    if record is None:
        raise NotFoundException(f"Alias {keys.alias_arn(context.account, context.region, name)} is not found.")
    return record


def create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``CreateAlias``."""
    name = params["AliasName"]
    _check_name(name)
    _authorize(context, name, "CreateAlias")
    with context.platform.database.write() as transaction:
        record, key = _target(context, transaction, params["TargetKeyId"], "CreateAlias", name)
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        if len(key.aliases) >= _MOST:
            raise LimitExceededException(f"{key.arn} has {_MOST} aliases, as many as it may have.")
        made = alias_record(context.account, context.region, name, record.name, context.platform.clock())
        try:
            transaction.insert(made)
        except AlreadyExists as error:
            raise AlreadyExistsException(f"An alias with the name {made.arn} already exists") from error
        transaction.bump(keys.TOPIC)
    return {}


def update(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``UpdateAlias``: to another key of the same usage and kind."""
    name = params["AliasName"]
    _check_name(name)
    _authorize(context, name, "UpdateAlias")
    with context.platform.database.write() as transaction:
        alias = _alias(context, transaction, name)
        before, _ = _target(context, transaction, alias.document["Target"], "UpdateAlias", name)
        record, _ = _target(context, transaction, params["TargetKeyId"], "UpdateAlias", name)
        keys.check_state(record.arn, record.status, ENABLED, DISABLED)
        if _kind(record) != _kind(before):
            raise ValidationException(
                f"Alias {alias.arn} cannot be changed from a key of usage {before.document['KeyUsage']} and spec "
                f"{before.document['KeySpec']} to one of usage {record.document['KeyUsage']} and spec "
                f"{record.document['KeySpec']}."
            )
        alias.document["Target"] = record.name
        alias.modified = context.platform.clock()
        transaction.update(alias)
        transaction.bump(keys.TOPIC)
    return {}


def _kind(record: Record) -> tuple[str, bool]:
    spec = record.document["KeySpec"]
    return record.document["KeyUsage"], spec.startswith(("RSA", "ECC"))


def delete(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteAlias``: the key stays."""
    name = params["AliasName"]
    _check_name(name)
    _authorize(context, name, "DeleteAlias")
    with context.platform.database.write() as transaction:
        alias = _alias(context, transaction, name)
        _target(context, transaction, alias.document["Target"], "DeleteAlias", name)
        transaction.delete(alias)
        transaction.bump(keys.TOPIC)
    return {}


def list_aliases(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListAliases``: all, or those of one key."""
    identities_of(context).authorize(caller_of(context), "kms:ListAliases", "*", context.told)
    query = keys.aliases_query(context.account, context.region)
    with context.platform.database.read() as transaction:
        if "KeyId" in params:
            now = context.platform.clock()
            if is_foreign(context, params["KeyId"]):
                raise denied(context, params["KeyId"], "ListAliases")
            record = keys.find(transaction, context.account, context.region, params["KeyId"], now, aliases=False)
            query = query.where("Target", record.name)
        found = transaction.find(query)
    rows, more = page(found, params, _MOST, lambda each: each.name)
    return {"Aliases": [_view(each) for each in rows], **more}


def _view(alias: Record) -> dict[str, Any]:
    return {
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "TargetKeyId": alias.document["Target"],
        "CreationDate": alias.created,
        "LastUpdatedDate": alias.modified,
    }


OPERATIONS: dict[str, Handler] = {
    "CreateAlias": create,
    "UpdateAlias": update,
    "DeleteAlias": delete,
    "ListAliases": list_aliases,
}
