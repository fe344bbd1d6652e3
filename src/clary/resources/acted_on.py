"""Which resources an operation acts on, for the policies: what its members name, read off the shapes.

Reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from clary.resources.context import Context
from clary.resources.dialect import Dialect
from clary.resources.grammar import Spelled, canonical
from clary.resources.resource import Resource

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

Arns = str | tuple[str, ...]
"""One ARN, or all those that a caller must be allowed to act on; ``*`` for an operation on nothing in particular."""
ActedOn = Callable[[Context, Mapping[str, Any]], Arns]
"""Takes the validated members of a request. What the request creates comes first."""
_ARN_MEMBERS = ("arn", "resourcearn")


def acted_on(
    dialect: Dialect,
    model: ServiceModel,
    nouns: Collection[Resource],
    ordinary: Mapping[str, Spelled],
    irregular: Mapping[str, ActedOn],
) -> Callable[[Context, str, Mapping[str, Any]], Arns]:
    """Tells what the operations of a service act on.

    An ordinary one acts on the resource that it names; a List and an irregular one on the first resource that a member
    must name, whatever noun's it is. ``irregular`` says it where that is not so.
    """

    @cache
    def rule(operation: str) -> ActedOn:
        if operation in irregular:
            return irregular[operation]
        each = ordinary.get(operation)
        if each is None or each.verb == "list":
            return _required(model.operation_model(operation), nouns)
        read, resource = canonical(each), each.resource
        return lambda context, params: resource.arn_of(context, read(params))

    def find(context: Context, operation: str, params: Mapping[str, Any]) -> Arns:
        account = str(params.get(dialect.owner) or "")
        if account.isdecimal() and account != context.account:
            context = replace(context, account=account)
        return rule(operation)(context, params)

    return find


def nothing(_: Context, __: Mapping[str, Any]) -> Arns:
    """What an operation acts on that is allowed or not whatever it is about."""
    return "*"


def named(*resources: Resource) -> ActedOn:
    """What a request acts on that names one of each of these."""
    return lambda context, params: tuple(resource.arn_of(context, params) for resource in resources)


def members(*names: str) -> ActedOn:
    """What a request acts on that has ARNs in these members, each one or a list of them."""

    def find(_: Context, params: Mapping[str, Any]) -> Arns:
        values = [params[name] for name in names if params.get(name)]
        return tuple(arn for value in values for arn in ([value] if isinstance(value, str) else value)) or "*"

    return find


def _required(operation: OperationModel, nouns: Iterable[Resource]) -> ActedOn:
    """What the first required member names that is the name or the ARN of something."""
    required = list(operation.input_shape.required_members) if operation.input_shape is not None else []
    for member in required:
        for resource in _namesakes(member, required, nouns):
            return resource.arn_of
        if member.lower() in _ARN_MEMBERS:
            return members(member)
    return nothing


def _namesakes(member: str, required: Collection[str], nouns: Iterable[Resource]) -> Iterator[Resource]:
    """The nouns that ``member`` can name, and no other's member is called so; what they belong to is named too."""
    for resource in nouns:
        own = member in (resource.name_member, resource.arn_member)
        if own and member.lower().startswith(resource.noun.lower()) and set(resource.parents) <= set(required):
            yield resource
