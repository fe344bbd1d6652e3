"""Whether a request's caller may do what it asks, with each resource that it acts on.

Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

from clary.core.names import owner_of
from clary.resources.context import Context, ServiceApp
from clary.resources.tagging import pairs
from clary.services.iam.api import Identities
from clary.services.iam.principals import principal_of
from clary.services.iam.request_context import ConditionKeys
from clary.services.iam.resource_policies import compiled

_TAG_KEYS = ("TagKeys", "tagKeys", "TagsToRemove", "Keys")
_TAGS = ("Tags", "tags", "TagsToAdd")
Told = Callable[[], Mapping[str, Any]]


def authorized(
    identities: Identities, app: ServiceApp, operation: str, context: Context, params: Mapping[str, Any]
) -> Context:
    """The context for the handler of a request that its caller may make.

    All resources that it acts on must be allowed, each by the policy that it has itself too. What is done with a
    resource of another account is done in that account. Raises ``AccessDenied``.
    """
    if operation in app.open_operations:
        return context
    subject = app.resource_of(context, operation, params) if app.resource_of is not None else "*"
    arns = (subject,) if isinstance(subject, str) else tuple(subject) or ("*",)
    prefix = app.action_prefix or app.name
    told = cache(partial(told_by, app, operation, context, params))
    actions: list[tuple[str, Told]] = [(f"{prefix}:{app.actions.get(operation, operation)}", told)]
    if tagging := _tagging(app, operation, params):
        actions.append((f"{prefix}:{tagging}", lambda: {**told(), f"{prefix}:TaggingAction": operation}))
    for arn in arns:
        # The tags of a request are those of what it creates, which comes first.
        for action, keys in actions if arn is arns[0] else actions[:1]:
            _authorize(identities, app, context, action, arn, keys)
    owner = owner_of(arns[0], context.account)
    return replace(context, account=owner) if app.acts_for_owner and owner != context.account else context


def _authorize(identities: Identities, app: ServiceApp, context: Context, action: str, arn: str, told: Told) -> None:
    caller = principal_of(context.caller)
    policy = app.policy_of(context, arn) if app.policy_of is not None and arn != "*" else None
    owner = owner_of(arn, caller.account)
    look = cache(partial(_of_resource, app, context, arn))
    # What identity policies alone have allowed is remembered, as long as nothing else is asked.
    foreign = owner if owner != caller.account else None
    turn, rounds = 0, 1
    while turn < rounds:
        keys = ConditionKeys(told, look, turn)
        identities.authorize(caller, action, arn, keys, compiled(policy) if policy else None, foreign)
        turn, rounds = turn + 1, keys.rounds


def told_by(app: ServiceApp, operation: str, context: Context, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """The condition keys that a request has by what it says."""
    keys: dict[str, Any] = {**context.told, **_tags(params)}
    if app.conditions_of is not None:
        keys |= app.conditions_of(context, operation, params)
    return keys


def _tags(params: Mapping[str, Any]) -> dict[str, Any]:
    """The tags that a request gives, or the keys of those that it takes away."""
    given = next((params[name] for name in _TAGS if params.get(name)), None)
    if given and not (isinstance(given, list) and isinstance(given[0], str)):
        tags = pairs(given)
        return {"aws:TagKeys": [key for key, _ in tags], **{f"aws:RequestTag/{key}": value for key, value in tags}}
    keys = given or next((params[name] for name in _TAG_KEYS if isinstance(params.get(name), list)), None)
    return {"aws:TagKeys": keys} if keys else {}


def _tagging(app: ServiceApp, operation: str, params: Mapping[str, Any]) -> str:
    """The action that must be allowed beside ``operation``, because what it makes is given tags."""
    if "Tag" in operation or not any(params.get(name) for name in _TAGS):
        return ""
    return app.tagging if isinstance(app.tagging, str) else app.tagging(operation)


def _of_resource(app: ServiceApp, context: Context, arn: str) -> Mapping[str, Any]:
    """The condition keys that a resource has: its tags, and what else its service tells of it."""
    prefix = app.action_prefix or app.name
    name = app.tagged_as(arn) if app.tagged_as is not None else arn
    with context.platform.database.read() as transaction:
        tags = transaction.tags(name)
        record = transaction.by_arn(name) if app.conditions_at is not None else None
    keys: dict[str, Any] = {}
    for key, value in tags.items():
        keys[f"aws:ResourceTag/{key}"] = keys[f"{prefix}:ResourceTag/{key}"] = value
    if record is not None and app.conditions_at is not None:
        keys |= app.conditions_at(record)
    return keys
