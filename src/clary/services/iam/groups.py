"""Groups of users. Who belongs to a group is kept with the user, since that is where requests look."""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.errors import DeleteConflict
from clary.services.iam.view import group_view, page, user_view
from clary.state.records import Record
from clary.state.transaction import Transaction


def members_of(transaction: Transaction, account: str, group: str) -> list[Record]:
    """The users of a group by name."""
    return [user for user in entities.every(transaction, account, "User") if group in user.document["Groups"]]


def create_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html"""
    document: dict[str, Any] = {"Inline": {}, "Attached": []}
    now = context.platform.clock()
    with context.platform.database.write() as transaction:
        record = entities.create(
            transaction, context.account, "Group", params["GroupName"], now, document, params.get("Path", "/")
        )
    return {"Group": group_view(record)}


def get_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html"""
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, "Group", params["GroupName"])
        users = members_of(transaction, context.account, record.name)
    return {"Group": group_view(record), **page(users, params, "Users", lambda user: user.name, user_view)}


def list_groups(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html"""
    prefix = params.get("PathPrefix", "/")
    with context.platform.database.read() as transaction:
        records = entities.every(transaction, context.account, "Group")
    found = [record for record in records if record.document["Path"].startswith(prefix)]
    return page(found, params, "Groups", lambda record: record.name, group_view)


def list_groups_for_user(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html"""
    with context.platform.database.read() as transaction:
        user = entities.find(transaction, context.account, "User", params["UserName"])
        names = sorted(user.document["Groups"])
        records = [entities.find(transaction, context.account, "Group", name) for name in names]
    return page(records, params, "Groups", lambda record: record.name, group_view)


def delete_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "Group", params["GroupName"])
        if record.document["Attached"]:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if record.document["Inline"]:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        if members_of(transaction, context.account, record.name):
            raise DeleteConflict("Cannot delete entity, must remove users from group first.")
        entities.delete(transaction, record)
    return {}


def add_user_to_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html"""
    with context.platform.database.write() as transaction:
        group = entities.find(transaction, context.account, "Group", params["GroupName"])
        user = entities.find(transaction, context.account, "User", params["UserName"])
        if group.name not in user.document["Groups"]:
            user.document["Groups"].append(group.name)
            entities.save(transaction, user, context.platform.clock())
    return {}


def remove_user_from_group(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html"""
    with context.platform.database.write() as transaction:
        group = entities.find(transaction, context.account, "Group", params["GroupName"])
        user = entities.find(transaction, context.account, "User", params["UserName"])
        if group.name in user.document["Groups"]:
            user.document["Groups"].remove(group.name)
            entities.save(transaction, user, context.platform.clock())
    return {}


OPERATIONS: dict[str, Handler] = {
    "CreateGroup": create_group,
    "GetGroup": get_group,
    "ListGroups": list_groups,
    "ListGroupsForUser": list_groups_for_user,
    "DeleteGroup": delete_group,
    "AddUserToGroup": add_user_to_group,
    "RemoveUserFromGroup": remove_user_from_group,
}
