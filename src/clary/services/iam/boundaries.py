"""Permissions boundaries of users and roles.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.entities import Kind
from clary.services.iam.errors import NoSuchEntity
from clary.services.iam.subjects import managed_document
from clary.state.transaction import Transaction


def check_boundary(transaction: Transaction, params: Mapping[str, Any]) -> dict[str, str]:
    """The member for a new entity's document, if the request names a boundary; raises ``NoSuchEntity``."""
    arn = params.get("PermissionsBoundary")
    if arn is None:
        return {}
    if managed_document(transaction, arn) is None:
        raise NoSuchEntity(f"Scope ARN: {arn} does not exist or is not attachable.")
    return {"Boundary": arn}


def _put(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
        record.document.update(check_boundary(transaction, params))
        entities.save(transaction, record, context.platform.clock())
    return {}


def _delete(kind: Kind, context: Context, params: dict[str, Any]) -> dict[str, Any]:
    with context.platform.database.write() as transaction:
        record = entities.find(transaction, context.account, kind, params[f"{kind}Name"])
        if record.document.pop("Boundary", None) is None:
            raise NoSuchEntity(f"{kind} {record.name} does not have a permissions boundary.")
        entities.save(transaction, record, context.platform.clock())
    return {}


_USER: Kind = "User"
_ROLE: Kind = "Role"
OPERATIONS: dict[str, Handler] = {
    "PutUserPermissionsBoundary": partial(_put, _USER),
    "PutRolePermissionsBoundary": partial(_put, _ROLE),
    "DeleteUserPermissionsBoundary": partial(_delete, _USER),
    "DeleteRolePermissionsBoundary": partial(_delete, _ROLE),
}
