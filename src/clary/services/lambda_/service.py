"""Lambda as the platform runs it: its operations, and what each of them acts on.

Reference: https://docs.aws.amazon.com/lambda/latest/api/welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.names import owner_of
from clary.resources.context import Context, ServiceApp
from clary.services.lambda_ import (
    dispatch,
    functions,
    invocation_settings,
    invoking,
    mappings,
    names,
    permissions,
    polling,
)
from clary.services.lambda_.errors import ResourceNotFoundException
from clary.services.lambda_.names import KIND, function_of, named
from clary.services.lambda_.permissions import policy_text
from clary.state.records import Record


def resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN of the function that an operation acts on, for the policies; ``*`` where there is none."""
    if operation in ("CreateEventSourceMapping", "ListEventSourceMappings"):
        return "*"
    if "UUID" in params:
        return mappings.mapping_arn(context.account, context.region, params["UUID"])
    if "FunctionName" in params:
        return named(context, params["FunctionName"]).arn
    return str(params.get("Resource", "*"))


def policy_of(context: Context, arn: str) -> str | None:
    """The policy of a function. Raises ``ResourceNotFoundException`` for one of another account that is not there."""
    with context.platform.database.read() as transaction:
        record = function_of(transaction, arn)
    if record is None:
        if owner_of(arn, context.account) != context.account:
            raise ResourceNotFoundException(f"Function not found: {arn}")
        return None
    return policy_text(record)


def conditions_of(context: Context, operation: str, params: Mapping[str, Any]) -> Mapping[str, str]:
    """What policies may ask of a permission that is given, and of a mapping that is made.

    Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    if operation == "AddPermission":
        return {"lambda:Principal": params["Principal"]}
    if operation == "CreateEventSourceMapping":
        return {"lambda:FunctionArn": named(context, params["FunctionName"]).arn}
    return {}


def conditions_at(record: Record) -> Mapping[str, str]:
    """What policies may ask of a mapping that is there."""
    return {"lambda:FunctionArn": record.document["FunctionArn"]} if record.key.kind == mappings.MAPPING else {}


SERVICE = ServiceApp(
    names.SERVICE,
    {
        **functions.OPERATIONS,
        **permissions.OPERATIONS,
        **invocation_settings.OPERATIONS,
        **invoking.OPERATIONS,
        **mappings.OPERATIONS,
    },
    reconcilers={KIND: dispatch.reconcile, mappings.MAPPING: polling.reconcile},
    resource_of=resource_of,
    policy_of=policy_of,
    conditions_of=conditions_of,
    conditions_at=conditions_at,
    tagging="TagResource",
    actions={"Invoke": "InvokeFunction"},
    acts_for_owner=True,
)
