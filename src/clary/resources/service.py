"""A service put together: its declared nouns, its irregular operations, and what the model has beyond them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from clary.resources.acted_on import ActedOn, Arns, acted_on
from clary.resources.context import Context, Handler, Reconciler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.grammar import Operations, Spelled, operations, spelled
from clary.resources.resource import Resource
from clary.resources.tagging import tag_operations
from clary.resources.undeclared import unavailable, undeclared
from clary.state.records import Record
from clary.wire.catalog import service as service_named

if TYPE_CHECKING:
    from botocore.model import ServiceModel


def service(
    dialect: Dialect,
    resources: Iterable[Resource],
    irregular: Mapping[str, Handler],
    *,
    reconcilers: Mapping[str, Reconciler] | None = None,
    subjects: Mapping[str, ActedOn] | None = None,
    tagging: str = "",
    policy_of: Callable[[Context, str], str | None] | None = None,
    conditions_of: Callable[[Context, str, Mapping[str, Any]], Mapping[str, Any]] | None = None,
    conditions_at: Callable[[Record], Mapping[str, Any]] | None = None,
) -> ServiceApp:
    """The service of ``dialect``, with its operations read off botocore's installed model.

    Nouns of the model that nobody declared are there too, so that a newer model needs no new code: there are none of
    them, and Create says that they are not available yet. ``reconcilers`` are those of kinds of record that no
    operation names, ``subjects`` says for the policies what operations act on where their members do not tell it. The
    others are fields of ``ServiceApp``.
    """
    declared = tuple(resources)

    @cache
    def everything() -> tuple[ServiceModel, tuple[Resource, ...], dict[str, Spelled]]:
        model = service_named(dialect.service).model
        nouns = (*declared, *undeclared(dialect, declared, irregular, model))
        return model, nouns, spelled(nouns, model)

    def handlers() -> dict[str, Handler]:
        model, nouns, _ = everything()
        regular = {**tag_operations(model), **operations(nouns, model), **irregular}
        return {**unavailable(nouns, regular, model), **regular}

    @cache
    def subject() -> Callable[[Context, str, Mapping[str, Any]], Arns]:
        return acted_on(dialect, *everything(), subjects or {})

    return ServiceApp(
        name=dialect.service,
        operations=Operations(handlers),
        reconcilers={resource.noun: resource.reconcile for resource in declared if resource.reconcile}
        | dict(reconcilers or {}),
        telling={resource.noun: resource for resource in declared if resource.tells},
        resource_of=lambda context, operation, params: subject()(context, operation, params),
        spelled=lambda: everything()[2],
        conditions_of=conditions_of,
        conditions_at=conditions_at,
        tagging=tagging,
        policy_of=policy_of,
        acts_for_owner=True,
    )
