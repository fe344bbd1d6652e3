"""The policy simulator: what policies would say, without doing anything.

Reference: https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from clary.core.names import parse_arn
from clary.resources.context import Context, Handler
from clary.services.iam import entities
from clary.services.iam.api import Identities, identities_of
from clary.services.iam.errors import InvalidInput, NoSuchEntity
from clary.services.iam.policy import Permissions, Policies, PolicyError, Principals, Request, Statement, compile_policy
from clary.services.iam.positions import line_and_column, statement_span
from clary.services.iam.principals import Principal, principal_of_arn
from clary.services.iam.subjects import boundary_of, statements_of
from clary.services.iam.view import page

_SUPPLIED = ("aws:currenttime", "aws:epochtime", "aws:principalisawsservice", "aws:viaawsservice")


def _compiled(texts: Sequence[str], source: str) -> list[Statement]:
    statements: list[Statement] = []
    for number, text in enumerate(texts, 1):
        try:
            statements += compile_policy(text, f"{source}.{number}")
        except PolicyError as error:
            raise InvalidInput(f"{source}.{number}: {error}") from error
    return statements


def simulate_custom_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulateCustomPolicy.html"""
    identity = _compiled(params["PolicyInputList"], "PolicyInputList")
    return _simulate(context, params, identity, _boundary(params, None), _caller(params))


def simulate_principal_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html"""
    source = params["PolicySourceArn"]
    try:
        parts = parse_arn(source)
        kind, _, rest = parts.resource.partition("/")
        known: entities.Kind = {"user": "User", "group": "Group", "role": "Role"}[kind]  # type: ignore[assignment]
    except (ValueError, KeyError) as error:
        raise InvalidInput(f"Invalid Entity Arn: {source} does not clearly define entity type and name.") from error
    with context.platform.database.read() as transaction:
        record = transaction.get(entities.entity_key(context.account, known, rest.rsplit("/", 1)[-1]))
        if record is None or record.arn != source:
            raise NoSuchEntity(f"The entity {source} cannot be found.")
        identity = list(statements_of(transaction, record))
        boundary = boundary_of(transaction, record)
    identity += _compiled(params.get("PolicyInputList", []), "PolicyInputList")
    caller = _caller(params)
    if caller is None and known != "Group":
        caller = replace(principal_of_arn(source), user_id=record.document["Id"])
    return _simulate(context, params, identity, _boundary(params, boundary), caller)


def _boundary(params: Mapping[str, Any], own: Policies | None) -> Policies | None:
    texts = params.get("PermissionsBoundaryPolicyInputList")
    return Policies(_compiled(texts, "PermissionsBoundaryPolicyInputList")) if texts else own


def _caller(params: Mapping[str, Any]) -> Principal | None:
    if "CallerArn" not in params:
        return None
    try:
        return principal_of_arn(params["CallerArn"])
    except ValueError as error:
        raise InvalidInput(f"Invalid caller ARN: {params['CallerArn']}") from error


def _simulate(
    context: Context,
    params: dict[str, Any],
    identity: Iterable[Statement],
    boundary: Policies | None,
    caller: Principal | None,
) -> dict[str, Any]:
    permissions = Permissions(Policies(identity), boundary)
    texts = [params["ResourcePolicy"]] if "ResourcePolicy" in params else []
    resource_policy = Policies(_compiled(texts, "ResourcePolicy")) if texts else None
    given = {
        entry["ContextKeyName"]: _given(entry)
        for entry in params.get("ContextEntries", ())
        if "ContextKeyName" in entry
    }
    for action in params["ActionNames"]:
        if ":" not in action and action != "*":
            raise InvalidInput(f"Invalid action name: {action}")
    # Numbered, so that a page ends at the same place whatever the names are.
    pairs = list(enumerate(itertools.product(params["ActionNames"], params.get("ResourceArns") or ["*"])))
    names = replace(identities_of(context).principals(caller), bounded=boundary is not None)

    def show(item: tuple[int, tuple[str, str]]) -> dict[str, Any]:
        action, resource = item[1]
        return _result(identities_of(context), permissions, resource_policy, caller, names, given, action, resource)

    return page(pairs, params, "EvaluationResults", lambda item: f"{item[0]:09}", show)


def _given(entry: Mapping[str, Any]) -> Any:
    """The value of a context key, or its values where its type is that of a list."""
    values = entry.get("ContextKeyValues", [])
    listed = entry.get("ContextKeyType", "").endswith("List") or len(values) != 1
    return values if listed else values[0]


def _result(
    identities: Identities,
    permissions: Permissions,
    resource_policy: Policies | None,
    caller: Principal | None,
    names: Principals,
    given: Mapping[str, Any],
    action: str,
    resource: str,
) -> dict[str, Any]:
    request = Request(action, resource, identities.context(caller, given, resource), names)
    decision = permissions.decide(request, resource_policy)
    layers = [layer for layer in (permissions.identity, resource_policy, permissions.boundary) if layer is not None]
    matched = [statement for layer in layers for statement in layer.explain(request).statements]
    missing = {
        condition.name
        for layer in layers
        for statement in layer.about(action)
        for condition in statement.conditions
        if condition.key not in _SUPPLIED and request.context.get(condition.key) is None
    }
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision.effect.value,
        "MatchedStatements": [_matched(statement) for statement in matched],
        "MissingContextValues": sorted(missing),
    }
    if permissions.boundary is not None:
        allowed = permissions.boundary.decide(request).allowed
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return result


def _matched(statement: Statement) -> dict[str, Any]:
    start, end = statement_span(statement.document, statement.index)
    return {
        "SourcePolicyId": statement.source,
        "SourcePolicyType": "Resource Policy" if statement.source.startswith("ResourcePolicy") else "IAM Policy",
        "StartPosition": line_and_column(statement.document, start),
        "EndPosition": line_and_column(statement.document, end),
    }


OPERATIONS: dict[str, Handler] = {
    "SimulateCustomPolicy": simulate_custom_policy,
    "SimulatePrincipalPolicy": simulate_principal_policy,
}
