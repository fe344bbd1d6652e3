"""A service put together: its declared nouns, its irregular operations, and what the model has beyond them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from clary.resources.context import Context, Handler, Reconciler, ServiceApp
from clary.resources.dialect import Dialect
from clary.resources.grammar import Operations, Spelled, operations, spelled
from clary.resources.resource import Resource
from clary.resources.tagging import tag_operations
from clary.resources.undeclared import unavailable, undeclared
from clary.wire.catalog import service as service_named

if TYPE_CHECKING:
    from botocore.model import ServiceModel


def service(
    dialect: Dialect,
    resources: Iterable[Resource],
    irregular: Mapping[str, Handler],
    *,
    action_prefix: str = "",
    reconcilers: Mapping[str, Reconciler] | None = None,
) -> ServiceApp:
    """The service of ``dialect``, with its operations read off botocore's installed model.

    Nouns of the model that nobody declared are there too, so that a newer model needs no new code: there are none of
    them, and Create says that they are not available yet. ``reconcilers`` are those of kinds of record that no
    operation names.
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

    return ServiceApp(
        name=dialect.service,
        operations=Operations(handlers),
        reconcilers={resource.noun: resource.reconcile for resource in declared if resource.reconcile}
        | dict(reconcilers or {}),
        resource_of=_subject(lambda: everything()[2]),
        spelled=lambda: everything()[2],
        action_prefix=action_prefix,
    )


def _subject(find: Callable[[], Mapping[str, Spelled]]) -> Callable[[Context, str, Mapping[str, Any]], str]:
    """Tells the ARN that an operation acts on, for the policies."""

    def subject(context: Context, operation: str, params: Mapping[str, Any]) -> str:
        if (each := find().get(operation)) is not None and each.verb != "list":
            return each.resource.arn_of(context, params)
        arns = (params[member] for member in ("ResourceArn", "resourceArn", "ResourceARN") if params.get(member))
        return str(next(arns, "*"))

    return subject
