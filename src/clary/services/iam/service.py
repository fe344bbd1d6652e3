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
from clary.services.iam.entities import Kind, entity_arn, entity_key

_READING = ("Get", "List", "Simulate")
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
    return context.caller.arn if operation in ("GetUser", "CreateAccessKey", "ListAccessKeys") else "*"


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
)
