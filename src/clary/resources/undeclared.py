"""What a service model has and nobody declared: nouns of which there are none, operations that come later.

A newer model brings new nouns. Describe and List are right for them, since there are none, and Create says that they
are not available yet. An irregular operation that is not available looks for the resource that it names first, so that
a wrong name is told as such.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from clary.core.errors import NotAvailableYet
from clary.resources.context import Context, Handler
from clary.resources.dialect import Dialect
from clary.resources.grammar import lists, spelled
from clary.resources.resource import Resource
from clary.resources.tagging import tag_operations

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel


def undeclared(
    dialect: Dialect, declared: Iterable[Resource], irregular: Collection[str], model: ServiceModel
) -> list[Resource]:
    """The nouns of ``model`` that have an ordinary operation which no declared noun and no irregular operation is."""
    resources = tuple(declared)
    taken = {*spelled(resources, model), *irregular, *tag_operations(model)}
    known = {resource.noun for resource in resources}
    found: dict[str, Resource] = {}
    # Lists first: where both begin with the same word, ``GetCrawlers`` describes no noun Crawlers.
    for verb in ("list", "describe"):
        for pattern in dialect.verbs.get(verb, ()):
            for name in model.operation_names:
                noun = _noun(pattern, name)
                if verb == "list" and noun and len(lists(model.operation_model(name))) != 1:
                    continue
                if name not in taken and noun and noun not in known | set(found):
                    found[noun] = _inferred(dialect, noun, resources, model)
        taken |= set(spelled(found.values(), model))
    return list(found.values())


def _noun(pattern: str, name: str) -> str:
    """The noun of an operation's name that ``pattern`` fits: ``List{nouns}`` and ``ListTrainingJobs``."""
    prefix, placeholder, ending = re.fullmatch(r"(\w*)\{(nouns?)\}(\w*)", pattern).groups()  # type: ignore[union-attr]
    rest = name.removeprefix(prefix).removesuffix(ending)
    if not name.startswith(prefix) or not name.endswith(ending) or not rest:
        return ""
    if placeholder == "noun":
        return rest
    if rest.endswith("ies"):
        return f"{rest[:-3]}y"
    return rest[:-1] if rest.endswith("s") else ""


def _inferred(dialect: Dialect, noun: str, resources: Iterable[Resource], model: ServiceModel) -> Resource:
    """A noun as its operations show it: named by what Describe must be given."""
    described = next((name for name in dialect.spell("describe", noun) if name in model.operation_names), None)
    shape = model.operation_model(described).input_shape if described else None
    own = tuple(f"{noun}{ending}" for ending in ("Name", "Id", "Arn"))
    names = tuple(sorted(shape.required_members, key=own.__contains__)) if shape is not None else ()
    parents = {resource.name_member: resource for resource in resources}
    return Resource(
        dialect,
        noun,
        names=names,
        parent=parents.get(names[-2]) if len(names) > 1 else None,
        later=f"Resources of the type {noun}",
    )


def unavailable(resources: Iterable[Resource], taken: Collection[str], model: ServiceModel) -> dict[str, Handler]:
    """Handlers of the operations that are not in ``taken``: they say that they come later."""
    nouns = tuple(resources)
    return {name: _refusing(model.operation_model(name), nouns) for name in model.operation_names if name not in taken}


def _refusing(operation: OperationModel, resources: Iterable[Resource]) -> Handler:
    members = set(operation.input_shape.members) if operation.input_shape is not None else set()
    named = [resource for resource in resources if _can_name(resource, members)]

    def refuse(context: Context, params: Mapping[str, Any]) -> dict[str, Any]:
        with context.platform.database.read() as transaction:
            for resource in named:
                if params.get(resource.name_member) or params.get(resource.arn_member):
                    resource.named(context, transaction, params)
        raise NotAvailableYet(f"The operation {operation.name} is not available in Clary yet.")

    return refuse


def _can_name(resource: Resource, members: Collection[str]) -> bool:
    """Whether a request with these members may name a resource in a way that can be no other's."""
    own = {resource.name_member, resource.arn_member}.intersection(members)
    telling = [member for member in own if member.startswith(resource.noun)]
    return bool(telling) and all(member in members for member in resource.parents)
