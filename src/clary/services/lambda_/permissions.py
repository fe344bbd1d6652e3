"""Who else may call a function: its policy, statement by statement.

Reference: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Handler
from clary.services.iam.resource_policies import with_this_statement, without_statement
from clary.services.lambda_.errors import (
    InvalidParameterValueException,
    PreconditionFailedException,
    ResourceConflictException,
    ResourceNotFoundException,
)
from clary.services.lambda_.names import find
from clary.state.records import Record

POLICY = "_policy"
"""In a function's document: the text of its policy."""
REVISION = "_policy_revision"
_UNAVAILABLE = ("FunctionUrlAuthType", "InvokedViaFunctionUrl", "EventSourceToken")


def policy_text(record: Record) -> str | None:
    """The policy of a function, if it has one."""
    policy: str | None = record.document.get(POLICY)
    return policy


def add_permission(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``AddPermission``."""
    for member in _UNAVAILABLE:
        if params.get(member):
            raise InvalidParameterValueException(f"{member}: this is not available in Clary.")
    with context.platform.database.write() as transaction:
        record = find(context, transaction, params)
        _check_revision(record, params)
        statement = _statement(record, params)
        policy = with_this_statement(policy_text(record), "default", statement)
        if policy is None:
            raise ResourceConflictException(
                f"The statement id ({params['StatementId']}) provided already exists. Please provide a new statement "
                "id, or remove the existing statement."
            )
        _keep(record, policy, context.request_id)
        transaction.update(record)
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


def _statement(record: Record, params: Mapping[str, Any]) -> dict[str, Any]:
    conditions: dict[str, dict[str, str]] = {}
    if account := params.get("SourceAccount"):
        conditions.setdefault("StringEquals", {})["AWS:SourceAccount"] = account
    if organization := params.get("PrincipalOrgID"):
        conditions.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = organization
    if source := params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": source}
    return {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": record.arn,
        **({"Condition": conditions} if conditions else {}),
    }


def _principal(told: str) -> str | dict[str, str]:
    if told == "*":
        return "*"
    if told.isdigit() and len(told) == 12:
        return {"AWS": f"arn:aws:iam::{told}:root"}
    if told.startswith("arn:aws:iam::"):
        return {"AWS": told}
    if told.endswith(".amazonaws.com"):
        return {"Service": told}
    raise InvalidParameterValueException(
        "The provided principal was invalid. Please check the principal and try again."
    )


def remove_permission(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``RemovePermission``."""
    with context.platform.database.write() as transaction:
        record = find(context, transaction, params)
        _check_revision(record, params)
        policy = without_statement(policy_text(record), record.arn, params["StatementId"])
        if policy is None:
            raise ResourceNotFoundException(f"Statement {params['StatementId']} is not found in resource policy.")
        _keep(record, policy, context.request_id)
        transaction.update(record)
    return {}


def get_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetPolicy``."""
    with context.platform.database.read() as transaction:
        record = find(context, transaction, params)
    policy = policy_text(record)
    if policy is None:
        raise ResourceNotFoundException("The resource you requested does not exist.")
    return {"Policy": policy, "RevisionId": record.document[REVISION]}


def _check_revision(record: Record, params: Mapping[str, Any]) -> None:
    wanted = params.get("RevisionId")
    if wanted and wanted not in (record.document.get(REVISION), record.document["RevisionId"]):
        raise PreconditionFailedException


def _keep(record: Record, policy: str, revision: str) -> None:
    record.document.pop(POLICY, None)
    if policy:
        record.document |= {POLICY: policy, REVISION: revision}


OPERATIONS: Mapping[str, Handler] = {
    "AddPermission": add_permission,
    "GetPolicy": get_policy,
    "RemovePermission": remove_permission,
}
