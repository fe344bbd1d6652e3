"""The ordinary operations of a declared resource, made from the shapes of the service model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from clary.core.errors import NotAvailableYet
from clary.resources import changes
from clary.resources.context import Context, Handler
from clary.resources.paging import page, query
from clary.resources.resource import Resource
from clary.resources.view import viewer
from clary.wire.catalog import service as service_named

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel, Shape


class Operations(Mapping[str, Handler]):
    """A service's handlers by the operation's name, made when one is first asked for.

    Reading a service model takes as long as half of all else that the control plane does before it can answer.
    """

    def __init__(self, make: Callable[[], Mapping[str, Handler]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, Handler]:
        return self._make()

    def __getitem__(self, name: str) -> Handler:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


@dataclass(frozen=True)
class Spelled:
    """An ordinary operation: what the grammar knows of one that the service model has."""

    resource: Resource
    verb: str
    model: OperationModel


def spelled(resources: Iterable[Resource], model: ServiceModel) -> dict[str, Spelled]:
    """The ordinary operations of ``resources`` that ``model`` has, by the operation's name."""
    known = set(model.operation_names)
    return {
        name: Spelled(resource, verb, model.operation_model(name))
        for resource in resources
        for verb in _VERBS
        for name in (*resource.dialect.spell(verb, resource.noun), *resource.also.get(verb, ()))
        if name in known and (verb != "list" or len(lists(model.operation_model(name))) == 1)
    }


def lists(operation: OperationModel) -> list[str]:
    """The members of an answer that are lists; an ordinary List has one."""
    shapes = operation.output_shape.members if operation.output_shape is not None else {}
    return [name for name, shape in shapes.items() if shape.type_name == "list"]


def operations(resources: Iterable[Resource], model: ServiceModel) -> dict[str, Handler]:
    """The handlers of all ordinary operations of ``resources`` that ``model`` has, by the operation's name."""
    found = spelled(resources, model)
    return {name: _canonical(each, _VERBS[each.verb](each.resource, each.model)) for name, each in found.items()}


def ordinary(resource: Resource, verb: str, operation: str) -> Handler:
    """The handler that the grammar has for one operation, for an irregular one that adds something to it."""

    @cache
    def handler() -> Handler:
        return _VERBS[verb](resource, service_named(resource.service).model.operation_model(operation))

    return lambda context, params: handler()(context, params)


def canonical(spelled: Spelled) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """How a request's members are read that spells them in another way or wraps them (``DatabaseInput``)."""
    resource = spelled.resource
    shapes = spelled.model.input_shape.members if spelled.model.input_shape is not None else {}
    wrappers = [name for name in (f"{resource.noun}Input", f"{resource.noun}Update") if name in shapes]
    aliases = {alias: member for alias, member in resource.aliases.items() if alias in shapes}
    ignored = [name for name in resource.dialect.ignored if name in shapes]

    def read(params: Mapping[str, Any]) -> dict[str, Any]:
        members = {name: value for name, value in params.items() if name not in ignored}
        for wrapper in wrappers:
            members = {**members.pop(wrapper, {}), **members}
        return {aliases.get(member, member): value for member, value in members.items()}

    return read


def _canonical(spelled: Spelled, handler: Handler) -> Handler:
    """``handler`` for requests as clients spell them."""
    read = canonical(spelled)
    shapes = spelled.model.input_shape.members if spelled.model.input_shape is not None else {}
    tokens = [name for name, shape in shapes.items() if shape.metadata.get("idempotencyToken")]

    def handle(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        for member in tokens:
            if token := params.pop(member, None):
                context = replace(context, token=token, token_given=True)
        return handler(context, read(params))

    return handle


def _create(resource: Resource, operation: OperationModel) -> Handler:
    answer = _answering(resource, operation)

    def create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = changes.add(resource, context, transaction, params)
            answered = answer(context, transaction, record)
        _wake(context, record.wake_at is not None, record.id)
        return answered

    return create


def _put(resource: Resource, operation: OperationModel, *, whole: bool = True) -> Handler:
    answer = _answering(resource, operation)
    members = operation.input_shape.members

    def put(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = changes.put(resource, context, transaction, params, members, replace=whole)
            answered = answer(context, transaction, record)
        _wake(context, record.wake_at is not None, record.id)
        return answered

    return put


def _register(resource: Resource, operation: OperationModel) -> Handler:
    return _put(resource, operation, whole=False)


def _describe(resource: Resource, operation: OperationModel) -> Handler:
    answer = _answering(resource, operation)

    def describe(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.read() as transaction:
            return answer(context, transaction, resource.named(context, transaction, params))

    return describe


def _list(resource: Resource, operation: OperationModel) -> Handler:
    shapes: Mapping[str, Shape] = operation.output_shape.members
    [rows_member] = lists(operation)
    rows = shapes[rows_member]
    token_member = next((name for name in shapes if name.lower() == "nexttoken"), "")
    look = viewer(resource, rows.member) if rows.member.type_name == "structure" else None
    needs_parent = resource.parent is not None and resource.parent.name_member in operation.input_shape.required_members
    tells_missing = "ResourceNotFound" in (error.name for error in operation.error_shapes)

    def list_(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.read() as transaction:
            if resource.parent is not None and (needs_parent or (tells_missing and _names(resource.parent, params))):
                params[resource.parent.name_member] = resource.parent.named(context, transaction, params).name
                params.pop(resource.parent.arn_member, None)
            wanted = query(resource, context, transaction, params)
            records, following = page(wanted, transaction.find(wanted), context, transaction)
            seen = [look(context, transaction, record) if look else record.name for record in records]
        return {rows_member: seen} | ({token_member: following} if following else {})

    return list_


def _names(resource: Resource, params: Mapping[str, Any]) -> bool:
    return bool(params.get(resource.name_member) or params.get(resource.arn_member))


def _update(resource: Resource, operation: OperationModel) -> Handler:
    answer = _answering(resource, operation)
    members = operation.input_shape.members
    naming = {resource.arn_member, *resource.names}
    # A request that wraps all that a resource is says all that it is to be.
    whole = any(f"{resource.noun}{ending}" in members for ending in ("Input", "Update"))

    def update(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = resource.named(context, transaction, params)
            given = {name: value for name, value in params.items() if name not in naming}
            changes.change(resource, context, transaction, record, given, members, replace=whole)
            answered = answer(context, transaction, record)
        _wake(context, record.wake_at is not None, record.id)
        return answered

    return update


def _delete(resource: Resource, operation: OperationModel) -> Handler:
    answer = _answering(resource, operation)

    def delete(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = resource.named(context, transaction, params)
            answered = answer(context, transaction, record)
            gone = changes.remove(resource, context, transaction, record)
        _wake(context, not gone, record.id)
        return answered

    return delete


def _stop(resource: Resource, operation: OperationModel) -> Handler:
    return _ask(resource, operation, resource.stop)


def _start(resource: Resource, operation: OperationModel) -> Handler:
    return _ask(resource, operation, resource.start)


def _ask(resource: Resource, operation: OperationModel, hook: Callable[[Context, Any], None] | None) -> Handler:
    answer = _answering(resource, operation)

    def ask(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.write() as transaction:
            record = resource.named(context, transaction, params)
            if hook is None:
                raise NotAvailableYet(f"The operation {operation.name} is not available in Clary yet.")
            hook(context, record)
            record.modified = context.platform.clock()
            transaction.update(record)
            answered = answer(context, transaction, record)
        _wake(context, True, record.id)
        return answered

    return ask


def _answering(resource: Resource, operation: OperationModel) -> Callable[..., dict[str, Any]]:
    """Gives the members of the operation's answer that are known of a record."""
    if operation.output_shape is None:
        return lambda context, transaction, record: {}
    return viewer(resource, operation.output_shape)


def _wake(context: Context, wanted: bool, row: int) -> None:
    if wanted:
        context.platform.wake(row)


_VERBS: Mapping[str, Callable[[Resource, OperationModel], Handler]] = {
    "create": _create,
    "put": _put,
    "register": _register,
    "describe": _describe,
    "list": _list,
    "update": _update,
    "delete": _delete,
    "stop": _stop,
    "start": _start,
}
