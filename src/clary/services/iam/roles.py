"""Roles, and the instance profiles that hold them."""

from __future__ import annotations

from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.boundaries import check_boundary
from clary.services.iam.documents import check_document
from clary.services.iam.errors import DeleteConflict, LimitExceeded, NoSuchEntity
from clary.services.iam.view import add_tags, moment, page, role_view, tag_list
from clary.state.records import Record
from clary.state.transaction import Transaction

_DEFAULT_SESSION = 3600


def create_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""
    check_document(params["AssumeRolePolicyDocument"], "trust")
    with context.platform.database.write() as transaction:
        document = {
            "Inline": {},
            "Attached": [],
            "Trust": params["AssumeRolePolicyDocument"],
            "Description": params.get("Description", ""),
            "MaxSessionDuration": params.get("MaxSessionDuration", _DEFAULT_SESSION),
            **check_boundary(transaction, params),
        }
        record = entities.create(
            transaction,
            context.account,
            "Role",
            params["RoleName"],
            context.platform.clock(),
            document,
            params.get("Path", "/"),
        )
        tags = add_tags(transaction, record, params)
    return {"Role": role_view(record, tags)}


def get_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html"""
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, "Role", params["RoleName"])
        return {"Role": role_view(record, transaction.tags(record.arn), details=True)}


def list_roles(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html"""
    prefix = params.get("PathPrefix", "/")
    with context.platform.database.read() as transaction:
        records = entities.every(transaction, context.account, "Role")
    found = [record for record in records if record.document["Path"].startswith(prefix)]
    return page(found, params, "Roles", lambda record: record.name, role_view)


def update_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html"""
    _change(context, params)
    return {}


def update_role_description(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRoleDescription.html"""
    return {"Role": role_view(_change(context, params))}


def _change(context: Context, params: dict[str, Any]) -> Record:
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "Role", params["RoleName"])
        for member in ("Description", "MaxSessionDuration"):
            if member in params:
                record.document[member] = params[member]
        entities.save(transaction, record, context.platform.clock())
    return record


def update_assume_role_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html"""
    check_document(params["PolicyDocument"], "trust")
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "Role", params["RoleName"])
        record.document["Trust"] = params["PolicyDocument"]
        entities.save(transaction, record, context.platform.clock())
    return {}


def delete_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "Role", params["RoleName"])
        if record.document["Attached"]:
            raise DeleteConflict("Cannot delete entity, must detach all policies first.")
        if record.document["Inline"]:
            raise DeleteConflict("Cannot delete entity, must delete policies first.")
        if _profiles_of(transaction, context.account, record.name):
            raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
        entities.delete(transaction, record)
    return {}


# Instance profiles


def _profiles_of(transaction: Transaction, account: str, role: str) -> list[Record]:
    profiles = entities.every(transaction, account, "InstanceProfile")
    return [profile for profile in profiles if role in profile.document["Roles"]]


def _profile_view(transaction: Transaction, record: Record) -> dict[str, Any]:
    roles = [entities.find(transaction, record.key.account, "Role", name) for name in record.document["Roles"]]
    view = {
        "Path": record.document["Path"],
        "InstanceProfileName": record.name,
        "InstanceProfileId": record.document["Id"],
        "Arn": record.arn,
        "CreateDate": moment(record.created),
        "Roles": [role_view(role) for role in roles],
    }
    tags = transaction.tags(record.arn)
    return {**view, "Tags": tag_list(tags)} if tags else view


def create_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html"""
    name, now = params["InstanceProfileName"], context.platform.clock()
    with context.platform.database.write() as transaction:
        record = entities.create(
            transaction, context.account, "InstanceProfile", name, now, {"Roles": []}, params.get("Path", "/")
        )
        add_tags(transaction, record, params)
        return {"InstanceProfile": _profile_view(transaction, record)}


def get_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html"""
    with context.platform.database.read() as transaction:
        record = entities.find(transaction, context.account, "InstanceProfile", params["InstanceProfileName"])
        return {"InstanceProfile": _profile_view(transaction, record)}


def delete_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "InstanceProfile", params["InstanceProfileName"])
        if record.document["Roles"]:
            raise DeleteConflict("Cannot delete entity, must remove roles from instance profile first.")
        entities.delete(transaction, record)
    return {}


def add_role_to_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "InstanceProfile", params["InstanceProfileName"])
        role = entities.find(transaction, context.account, "Role", params["RoleName"])
        if record.document["Roles"]:
            raise LimitExceeded("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
        record.document["Roles"].append(role.name)
        entities.save(transaction, record, context.platform.clock())
    return {}


def remove_role_from_instance_profile(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html"""
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, "InstanceProfile", params["InstanceProfileName"])
        if params["RoleName"] not in record.document["Roles"]:
            raise NoSuchEntity(f"The role with name {params['RoleName']} cannot be found.")
        record.document["Roles"].remove(params["RoleName"])
        entities.save(transaction, record, context.platform.clock())
    return {}


def _list_profiles(context: Context, params: dict[str, Any], role: str | None) -> dict[str, Any]:
    prefix = params.get("PathPrefix", "/")
    with context.platform.database.read() as transaction:
        if role is None:
            records = entities.every(transaction, context.account, "InstanceProfile")
        else:
            entities.find(transaction, context.account, "Role", role)
            records = _profiles_of(transaction, context.account, role)
        found = [record for record in records if record.document["Path"].startswith(prefix)]
        return page(
            found, params, "InstanceProfiles", lambda record: record.name, lambda item: _profile_view(transaction, item)
        )


def list_instance_profiles(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html"""
    return _list_profiles(context, params, None)


def list_instance_profiles_for_role(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html"""
    return _list_profiles(context, params, params["RoleName"])


OPERATIONS: dict[str, Handler] = {
    "CreateRole": create_role,
    "GetRole": get_role,
    "ListRoles": list_roles,
    "UpdateRole": update_role,
    "UpdateRoleDescription": update_role_description,
    "UpdateAssumeRolePolicy": update_assume_role_policy,
    "DeleteRole": delete_role,
    "CreateInstanceProfile": create_instance_profile,
    "GetInstanceProfile": get_instance_profile,
    "DeleteInstanceProfile": delete_instance_profile,
    "AddRoleToInstanceProfile": add_role_to_instance_profile,
    "RemoveRoleFromInstanceProfile": remove_role_from_instance_profile,
    "ListInstanceProfiles": list_instance_profiles,
    "ListInstanceProfilesForRole": list_instance_profiles_for_role,
}
