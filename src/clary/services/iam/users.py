"""Users and their access keys."""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationError
from clary.core.ids import secret_key, unique_id
from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.api import Principal, identities_of
from clary.services.iam.boundaries import check_boundary
from clary.services.iam.errors import DeleteConflict, EntityAlreadyExists, LimitExceeded, NoSuchEntity
from clary.services.iam.view import add_tags, moment, page, user_view
from clary.state.records import Record
from clary.state.transaction import Transaction

_KEYS_PER_USER = 2


def user_name(context: Context, params: dict[str, Any]) -> str:
    """The user that the request names, else the one that asks; empty for the root of the account."""
    if "UserName" in params:
        return str(params["UserName"])
    caller = context.caller
    if isinstance(caller, Principal) and caller.kind in ("user", "root"):
        return caller.name
    raise ValidationError("Must specify userName when calling with non-User credentials")


def create_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html"""
    with context.platform.database.write() as transaction:
        document = {"Inline": {}, "Attached": [], "Groups": [], **check_boundary(transaction, params)}
        record = entities.create(
            transaction,
            context.account,
            "User",
            params["UserName"],
            context.platform.clock(),
            document,
            params.get("Path", "/"),
        )
        tags = add_tags(transaction, record, params)
    return {"User": user_view(record, tags)}


def get_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html"""
    name = user_name(context, params)
    with context.platform.database.read() as transaction:
        if not name:
            root = {
                "UserName": "root",
                "UserId": context.account,
                "Path": "/",
                "Arn": context.caller.arn,
                "CreateDate": moment(0),
            }
            return {"User": root}
        record = entities.find(transaction, context.account, "User", name)
        return {"User": user_view(record, transaction.tags(record.arn))}


def list_users(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html"""
    prefix = params.get("PathPrefix", "/")
    with context.platform.database.read() as transaction:
        records = entities.every(transaction, context.account, "User")
    found = [record for record in records if record.document["Path"].startswith(prefix)]
    return page(found, params, "Users", lambda record: record.name, user_view)


def update_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html"""
    now = context.platform.clock()
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "User", params["UserName"])
        name = params.get("NewUserName", record.name)
        path = params.get("NewPath", record.document["Path"])
        if name == record.name:
            record.document["Path"] = path
            record.arn = entities.entity_arn(context.account, "User", name, path)
            entities.save(transaction, record, now)
            return {}
        # A name is part of the key, so that a renamed user is a new row with the old id.
        present = transaction.get(entities.entity_key(context.account, "User", name))
        if present is not None and present.id != record.id:
            raise EntityAlreadyExists(f"User with name {name} already exists.")
        tags = transaction.tags(record.arn)
        keys = entities.access_keys(transaction, context.account, record.name)
        entities.delete(transaction, record)
        renamed = entities.create(transaction, context.account, "User", name, record.created, record.document, path)
        renamed.document["Path"] = path
        renamed.arn = entities.entity_arn(context.account, "User", name, path)
        entities.save(transaction, renamed, now)
        transaction.set_tags(renamed.arn, tags)
        for key in keys:
            transaction.delete(key)
            transaction.insert(Record(key.key._replace(parent=name), key.arn, key.created, now, key.document))
    return {}


def delete_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "User", params["UserName"])
        if record.document["Attached"]:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if record.document["Inline"]:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        if entities.access_keys(transaction, context.account, record.name):
            raise DeleteConflict("Cannot delete entity, must delete access keys first.")
        if "Login" in record.document:
            raise DeleteConflict("Cannot delete entity, must delete login profile first.")
        if record.document["Groups"]:
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        entities.delete(transaction, record)
    return {}


def create_access_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html"""
    user = user_name(context, params)
    vault = identities_of(context).vault
    with context.platform.database.write() as transaction:
        if user:
            entities.find(transaction, context.account, "User", user)
        if len(entities.access_keys(transaction, context.account, user)) >= _KEYS_PER_USER:
            raise LimitExceeded(f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER}")
        access_key, secret = unique_id("AKIA", 20), secret_key()
        now = context.platform.clock()
        record = entities.create_access_key(transaction, vault, context.account, user, access_key, secret, now)
    return {"AccessKey": {**_key_view(record), "SecretAccessKey": secret}}


def _key_view(record: Record) -> dict[str, Any]:
    return {
        "UserName": record.key.parent or "root",
        "AccessKeyId": record.name,
        "Status": record.document["Status"],
        "CreateDate": moment(record.created),
    }


def list_access_keys(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html"""
    user = user_name(context, params)
    with context.platform.database.read() as transaction:
        if user:
            entities.find(transaction, context.account, "User", user)
        records = entities.access_keys(transaction, context.account, user)
    records.sort(key=lambda record: record.name)
    return page(records, params, "AccessKeyMetadata", lambda record: record.name, _key_view)


def _find_key(transaction: Transaction, context: Context, params: dict[str, Any]) -> Record:
    record = entities.find_access_key(transaction, params["AccessKeyId"])
    if record is None or record.key.account != context.account or record.key.parent != user_name(context, params):
        raise NoSuchEntity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")
    return record


def update_access_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html"""
    with context.platform.database.write() as transaction:
        record = _find_key(transaction, context, params)
        record.document["Status"] = params["Status"]
        entities.save(transaction, record, context.platform.clock())
    return {}


def delete_access_key(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html"""
    with context.platform.database.write() as transaction:
        entities.delete(transaction, _find_key(transaction, context, params))
    return {}


def get_access_key_last_used(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html

    Uses are not recorded, as that would cost a write for each request: the answer is AWS's for a key without use.
    """
    with context.platform.database.read() as transaction:
        record = entities.find_access_key(transaction, params["AccessKeyId"])
    if record is None or record.key.account != context.account:
        raise NoSuchEntity(f"The Access Key with id {params['AccessKeyId']} cannot be found.")
    return {"UserName": record.key.parent, "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}}


OPERATIONS: dict[str, Handler] = {
    "CreateUser": create_user,
    "GetUser": get_user,
    "ListUsers": list_users,
    "UpdateUser": update_user,
    "DeleteUser": delete_user,
    "CreateAccessKey": create_access_key,
    "ListAccessKeys": list_access_keys,
    "UpdateAccessKey": update_access_key,
    "DeleteAccessKey": delete_access_key,
    "GetAccessKeyLastUsed": get_access_key_last_used,
}
