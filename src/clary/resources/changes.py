"""What the ordinary operations do to a resource within a transaction.

The operations that the grammar makes call these, and so do irregular ones (``BatchCreatePartition``), so that a
resource is created, changed and removed in one way whatever asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from clary.core.errors import NotAvailableYet
from clary.core.ids import token
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.tagging import checked_tags
from clary.resources.traced import TRACE
from clary.state.records import AlreadyExists, Record
from clary.state.transaction import Transaction

TOKEN = "_token"
"""In a record's document: which call of a client made it."""
LAST_NUMBER = "_last"
"""In a parent's document: the highest number that one of its resources has had."""
ROLES = ("RoleArn", "ExecutionRoleArn")
"""Members of requests that hand on a role."""
TAGS = ("Tags", "tags")


def add(resource: Resource, context: Context, transaction: Transaction, params: dict[str, Any]) -> Record:
    """Create a resource from the members of its Create request.

    A call that is sent again with the same token gives what the first attempt made. Raises the noun's error for a name
    that is taken or for a parent that is missing, ``NotAvailableYet`` for nouns that come later, and what ``prepare``
    and ``added`` refuse.
    """
    if resource.later:
        raise NotAvailableYet(f"{resource.later} are not available in Clary yet.")
    given_tags = next((params.pop(member) for member in TAGS if member in params), ())
    tags = checked_tags(given_tags)
    _check_parent(resource, context, transaction, params)
    name, parents = resource.called(params)
    if resource.dialect.small_names:
        params |= {
            member: text
            for member, text in zip(resource.names, (*parents, name), strict=True)
            if _is_text(params, member)
        }
    if resource.generated is None:
        # Where there is nothing to overwrite, nothing is checked that has been checked before.
        if (taken := transaction.get(resource.key(context, name, *parents))) is not None:
            return _again(resource, context, taken)
    elif (made := _made_before(resource, context, transaction, parents)) is not None:
        return made
    _check_others(resource, context, transaction, params)
    if resource.prepare is not None:
        resource.prepare(context, transaction, params)
    if resource.generated is not None:
        name = resource.generated(resource, context, transaction, params)
    record = _new(resource, context, name, parents, params)
    try:
        transaction.insert(record)
    except AlreadyExists as error:
        return _again(resource, context, error.record)
    transaction.set_tags(record.arn, tags)
    keep_version(resource, context, transaction, record)
    if resource.added is not None:
        resource.added(context, transaction, record)
    return record


def _is_text(params: Mapping[str, Any], member: str) -> bool:
    return isinstance(params.get(member), str)


def _new(
    resource: Resource, context: Context, name: str, parents: tuple[str, ...], params: Mapping[str, Any]
) -> Record:
    now = context.platform.clock()
    identifier = token(12)
    document = {"CreatedBy": author(context), **params, TOKEN: context.token}
    if context.trace:
        document[TRACE] = context.trace
    if resource.versions is not None:
        document[resource.versions.name_member] = 1
    return Record(
        key=resource.key(context, name, *parents),
        arn=resource.make_arn(context, name, *parents, id=identifier),
        created=now,
        modified=now,
        document=document,
        status=resource.initial,
        wake_at=now if resource.reconcile else None,
    )


def _again(resource: Resource, context: Context, taken: Record) -> Record:
    """What is there, if this call made it: the answer to the first attempt was lost, because a process was killed or a
    connection broke."""
    if context.token and taken.document.get(TOKEN) == context.token:
        return taken
    raise resource.taken(taken)


def _made_before(
    resource: Resource, context: Context, transaction: Transaction, parents: tuple[str, ...]
) -> Record | None:
    """What an earlier attempt of this call made under a name that it made up."""
    if not context.token_given:
        return None
    query = resource.query(context).within("/".join(parents)).where(TOKEN, context.token)
    return next(iter(transaction.find(query)), None)


def change(
    resource: Resource,
    context: Context,
    transaction: Transaction,
    record: Record,
    changes: dict[str, Any],
    members: Collection[str] = (),
    *,
    replace: bool = False,
) -> Record:
    """Give a resource the members of an Update request; ``members`` are all that the request could have.

    Those that are given replace the old ones, but a map with a ``…ToRemove`` beside it is added to; with ``replace``
    those that are not given go back to their defaults.
    """
    _check_others(resource, context, transaction, changes)
    if resource.amend is not None:
        resource.amend(context, transaction, record, changes)
    if replace:
        kept = ("CreatedBy", TOKEN, TRACE, *resource.names)
        record.document = {**{name: value for name, value in record.document.items() if name in kept}, **changes}
    else:
        record.document = _merged(record.document, changes, members)
    record.document["LastModifiedBy"] = author(context)
    record.modified = context.platform.clock()
    if resource.versions is not None:
        record.document[resource.versions.name_member] += 1
    transaction.update(record)
    keep_version(resource, context, transaction, record)
    return record


def put(
    resource: Resource,
    context: Context,
    transaction: Transaction,
    params: dict[str, Any],
    members: Collection[str] = (),
    *,
    replace: bool = True,
) -> Record:
    """Create a resource, or change it if it is there."""
    name, parents = resource.called(params)
    record = transaction.get(resource.key(context, name, *parents))
    if record is None:
        return add(resource, context, transaction, params)
    changes = {member: value for member, value in params.items() if member not in (*resource.names, *TAGS)}
    return change(resource, context, transaction, record, changes, members, replace=replace)


def remove(resource: Resource, context: Context, transaction: Transaction, record: Record) -> bool:
    """Delete a resource; false if its reconciler has to end its work first."""
    if resource.remove is not None and not resource.remove(context, transaction, record):
        record.modified = context.platform.clock()
        transaction.update(record)
        return False
    if resource.versions is not None:
        for version in transaction.find(resource.versions.query(context).within(_within(record))):
            transaction.delete(version)
    transaction.delete(record)
    return True


def keep_version(resource: Resource, context: Context, transaction: Transaction, record: Record) -> None:
    """Keep the state of a resource whose earlier states can be asked for."""
    if resource.versions is None:
        return
    number = str(record.document[resource.versions.name_member])
    transaction.insert(
        Record(
            key=resource.versions.key(context, number, _within(record)),
            arn=resource.versions.make_arn(context, number, *_within(record).split("/")),
            created=record.created,
            modified=record.modified,
            document=record.document,
            status=record.status,
        )
    )


def _within(record: Record) -> str:
    """What belongs to a record has as its parent."""
    return f"{record.key.parent}/{record.name}" if record.key.parent else record.name


def numbered(resource: Resource, context: Context, transaction: Transaction, params: dict[str, Any]) -> str:
    """The next number among the resources of one parent, which none of them had before: for ``generated``."""
    assert resource.parent is not None
    parent = resource.parent.named(context, transaction, params)
    params[resource.name_member] = next_number(transaction, parent)
    return str(params[resource.name_member])


def next_number(transaction: Transaction, parent: Record) -> int:
    """The next number among what belongs to a resource."""
    number: int = parent.document.get(LAST_NUMBER, 0) + 1
    parent.document[LAST_NUMBER] = number
    transaction.update(parent)
    return number


def author(context: Context) -> dict[str, Any]:
    """The caller as a ``UserContext``."""
    return {"IamIdentity": {"Arn": context.caller.arn, "PrincipalId": context.caller.arn.rsplit("/", 1)[-1]}}


def _check_parent(resource: Resource, context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if resource.parent is None:
        return
    record = resource.parent.named(context, transaction, params)
    # What a request may call by its ARN is kept by its name.
    params[resource.parent.name_member] = record.name


def _check_others(resource: Resource, context: Context, transaction: Transaction, params: Mapping[str, Any]) -> None:
    if not context.passed and (principal := resource.dialect.principal):
        name, parents = resource.called(params)
        told = {**context.told, "iam:AssociatedResourceArn": resource.make_arn(context, name or "*", *parents)}
        for role in (params[member] for member in ROLES if params.get(member)):
            context.platform.identity.check_pass_role(context.caller, role, principal, told=told)
    for member, other in resource.references.items():
        if params.get(member):
            other.find(context, transaction, params[member])


def _merged(document: dict[str, Any], changes: Mapping[str, Any], members: Collection[str]) -> dict[str, Any]:
    """``document`` after an Update."""
    merged = dict(document)
    # What is to go goes last, even if the same request adds it.
    for name, value in sorted(changes.items(), key=lambda change: change[0].endswith("ToRemove")):
        removed = name.removesuffix("ToRemove")
        if removed != name and removed in members:
            merged[removed] = {key: kept for key, kept in merged.get(removed, {}).items() if key not in value}
            if not merged[removed]:
                del merged[removed]
        elif f"{name}ToRemove" in members:
            merged[name] = {**merged.get(name, {}), **value}
        else:
            merged[name] = value
    return merged
