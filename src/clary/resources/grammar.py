"""The ordinary operations of a declared resource, made from the shapes of the service model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from clary.core.ids import token
from clary.resources.context import Context, Handler
from clary.resources.paging import page, query
from clary.resources.resource import Resource
from clary.resources.tagging import checked_tags
from clary.resources.view import view
from clary.state.records import AlreadyExists, Record

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

TOKEN = "_token"
"""In a record's document: which call of a client made it."""


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


def operations(resources: Iterable[Resource], model: ServiceModel) -> dict[str, Handler]:
    """The handlers of all ordinary operations of ``resources`` that ``model`` has, by the operation's name."""
    known = set(model.operation_names)
    handlers: dict[str, Handler] = {}
    for resource in resources:
        for verb, make in _VERBS.items():
            names = _plurals(resource.noun) if verb == "List" else [resource.noun]
            for name in names:
                if verb + name in known:
                    handlers[verb + name] = make(resource, model.operation_model(verb + name))
    return handlers


def _plurals(noun: str) -> list[str]:
    return [f"{noun[:-1]}ies"] if noun.endswith("y") else [f"{noun}s"]


def _create(resource: Resource, operation: OperationModel) -> Handler:
    members = set(operation.output_shape.members) if operation.output_shape else set()

    def create(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        platform = context.platform
        tags = checked_tags(params.pop("Tags", []))
        name = token(32) if resource.generated else params[resource.name_member]
        parent = str(params[resource.parent]) if resource.parent else ""
        key = resource.key(context.account, context.region, name, parent)
        now = platform.clock()
        with platform.database.write() as transaction:
            if (taken := transaction.get(key)) is not None:
                if context.token and taken.document.get(TOKEN) == context.token:
                    # The answer to the first attempt was lost, because a process was killed or a connection broke.
                    return {resource.arn_member: taken.arn} if resource.arn_member in members else {}
                raise resource.taken(taken)
            if resource.prepare is not None:
                resource.prepare(context, transaction, params)
            author = {"CreatedBy": _author(context)}
            record = Record(
                key=key,
                arn=resource.make_arn(context.account, context.region, name, parent),
                created=now,
                modified=now,
                document={**author, **params, TOKEN: context.token},
                status=resource.initial,
                wake_at=now if resource.reconcile else None,
            )
            try:
                transaction.insert(record)
            except AlreadyExists as error:
                raise resource.taken(error.record) from None
            transaction.set_tags(record.arn, tags)
        if resource.reconcile:
            platform.wake(record.id)
        return {resource.arn_member: record.arn} if resource.arn_member in members else {}

    return create


def _author(context: Context) -> dict[str, Any]:
    return {"IamIdentity": {"Arn": context.caller.arn, "PrincipalId": context.caller.arn.rsplit("/", 1)[-1]}}


def _describe(resource: Resource, operation: OperationModel) -> Handler:
    shape = operation.output_shape

    def describe(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.read() as transaction:
            record = resource.named(context, transaction, params)
            return view(resource, shape, context, transaction, record)

    return describe


def _list(resource: Resource, operation: OperationModel) -> Handler:
    [(rows_member, rows)] = [(n, s) for n, s in operation.output_shape.members.items() if s.type_name == "list"]
    row_shape = rows.member

    def list_(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        with context.platform.database.read() as transaction:
            wanted = query(resource, context, transaction, params)
            records, following = page(wanted, transaction.find(wanted))
            seen = [_row(resource, row_shape, context, transaction, record) for record in records]
        return {rows_member: seen} | ({"NextToken": following} if following else {})

    return list_


def _row(resource: Resource, shape: Any, context: Context, transaction: Any, record: Record) -> Any:
    if shape.type_name != "structure":
        return record.name
    return view(resource, shape, context, transaction, record)


def _update(resource: Resource, operation: OperationModel) -> Handler:
    members = operation.input_shape.members
    output = set(operation.output_shape.members) if operation.output_shape else set()

    def update(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        platform = context.platform
        with platform.database.write() as transaction:
            record = resource.named(context, transaction, params)
            changes = {name: value for name, value in params.items() if not _names(resource, name)}
            if resource.amend is not None:
                resource.amend(context, transaction, record, changes)
            record.document = _merged(record.document, changes, members)
            record.document["LastModifiedBy"] = _author(context)
            record.modified = platform.clock()
            transaction.update(record)
        if record.wake_at is not None:
            platform.wake(record.id)
        return {resource.arn_member: record.arn} if resource.arn_member in output else {}

    return update


def _names(resource: Resource, member: str) -> bool:
    """Whether ``member`` of an Update request says which resource is meant."""
    if resource.generated:
        return member == resource.arn_member
    return member in (resource.name_member, resource.arn_member, resource.parent)


def _merged(document: dict[str, Any], changes: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` after an Update: members are replaced, but a map with a ``…ToRemove`` beside it is added to."""
    merged = dict(document)
    for name, value in changes.items():
        removed = name.removesuffix("ToRemove")
        if removed != name and removed in members:
            merged[removed] = {key: kept for key, kept in merged.get(removed, {}).items() if key not in value}
        elif f"{name}ToRemove" in members:
            merged[name] = {**merged.get(name, {}), **value}
        else:
            merged[name] = value
    return merged


def _delete(resource: Resource, operation: OperationModel) -> Handler:
    output = set(operation.output_shape.members) if operation.output_shape else set()

    def delete(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        platform = context.platform
        with platform.database.write() as transaction:
            record = resource.named(context, transaction, params)
            if resource.remove is None or resource.remove(context, transaction, record):
                transaction.delete(record)
                left = False
            else:
                record.modified = platform.clock()
                transaction.update(record)
                left = True
        if left:
            platform.wake(record.id)
        return {resource.arn_member: record.arn} if resource.arn_member in output else {}

    return delete


def _stop(resource: Resource, operation: OperationModel) -> Handler:
    output = set(operation.output_shape.members) if operation.output_shape else set()

    def stop(context: Context, params: dict[str, Any]) -> dict[str, Any]:
        assert resource.stop is not None
        platform = context.platform
        with platform.database.write() as transaction:
            record = resource.named(context, transaction, params)
            resource.stop(context, record)
            record.modified = platform.clock()
            transaction.update(record)
        platform.wake(record.id)
        return {resource.arn_member: record.arn} if resource.arn_member in output else {}

    return stop


_VERBS = {
    "Create": _create,
    "Describe": _describe,
    "List": _list,
    "Update": _update,
    "Delete": _delete,
    "Stop": _stop,
}
