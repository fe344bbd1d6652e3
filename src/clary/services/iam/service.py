"""IAM as the platform runs it: its operations, and what each of them acts on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Handler, ServiceApp
from clary.services.iam import (
    account,
    boundaries,
    groups,
    inline_policies,
    managed_policies,
    passwords,
    roles,
    simulate,
    tagging,
    users,
)
from clary.services.iam.api import identities_of
from clary.services.iam.entities import Kind, entity_arn, entity_key, find_access_key

_READING = ("Get", "List", "Simulate")
_ON_ONESELF = (
    *("GetUser", "ChangePassword", "ListAccessKeys"),
    *(f"{verb}{what}" for what in ("AccessKey", "LoginProfile") for verb in ("Create", "Update", "Get", "Delete")),
)
"""Operations on the caller's own user, where they name none."""
_ACTED_ON: tuple[Kind, ...] = ("InstanceProfile", "Group", "Role", "User", "Policy")


def _then_refresh(handler: Handler) -> Handler:
    """The handler of a change, after which this process knows of it before the caller does."""

    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        answer = handler(context, params)
        identities_of(context).refresh()
        return answer

    return handle


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN of the entity that an operation acts on.

    Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
    """
    for kind in _ACTED_ON:
        name = params.get(f"{kind}Name")
        if name is None or (kind == "Policy" and operation != "CreatePolicy"):
            # Of an inline policy, the name says nothing about what it is part of.
            continue
        with context.platform.database.read() as transaction:
            record = transaction.get(entity_key(context.account, kind, name))
        if record is not None and not operation.startswith("Create"):
            return record.arn
        return entity_arn(context.account, kind, name, params.get("Path", "/"))
    named = params.get("PolicyArn") or params.get("PolicySourceArn")
    if named is not None:
        return str(named)
    if operation == "GetAccessKeyLastUsed":
        with context.platform.database.read() as transaction:
            key = find_access_key(transaction, params["AccessKeyId"])
        return entity_arn(context.account, "User", key.key.parent if key is not None else "*")
    return context.caller.arn if operation in _ON_ONESELF else "*"


def conditions_of(context: Context, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """What policies may ask of a change: which policy is attached, and which boundary a user or a role has or is given.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    """
    keys: dict[str, Any] = {}
    if operation.startswith(("Attach", "Detach")):
        keys["iam:PolicyARN"] = params["PolicyArn"]
    kind: Kind = "Role" if "RoleName" in params else "User"
    if "PermissionsBoundary" in params:
        keys["iam:PermissionsBoundary"] = params["PermissionsBoundary"]
    elif (name := params.get(f"{kind}Name")) and not operation.startswith("Create"):
        with context.platform.database.read() as transaction:
            record = transaction.get(entity_key(context.account, kind, name))
        keys["iam:PermissionsBoundary"] = record.document.get("Boundary") if record is not None else None
    return keys


_OPERATIONS: dict[str, Handler] = {
    **users.OPERATIONS,
    **passwords.OPERATIONS,
    **groups.OPERATIONS,
    **roles.OPERATIONS,
    **tagging.OPERATIONS,
    **inline_policies.OPERATIONS,
    **managed_policies.OPERATIONS,
    **boundaries.OPERATIONS,
    **simulate.OPERATIONS,
    **account.OPERATIONS,
}

SERVICE = ServiceApp(
    "iam",
    {name: handler if name.startswith(_READING) else _then_refresh(handler) for name, handler in _OPERATIONS.items()},
    resource_of=resource_of,
    conditions_of=conditions_of,
    tagging=lambda operation: operation.replace("Create", "Tag"),
)
