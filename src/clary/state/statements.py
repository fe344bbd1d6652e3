"""The statements about resources, built once: putting one together costs more than running it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from clary.state.graph import is_linked
from clary.state.records import Comparison, Query
from clary.state.session import Prepared
from clary.state.tables import associations, resources, revisions, tags

_R = resources.c
COLUMNS = tuple(column for column in _R if column.name not in ("lease_owner", "lease_until"))
KEY = ("account", "region", "service", "kind", "parent", "name")

by_key = Prepared(select(*COLUMNS).where(*(_R[name] == bindparam(name) for name in KEY)))
by_row = Prepared(select(*COLUMNS).where(_R.id == bindparam("row")))
any_within = Prepared(select(_R.id).where(*(_R[name] == bindparam(name) for name in KEY[:-1])).limit(1))
by_arn = Prepared(select(*COLUMNS).where(_R.arn == bindparam("arn")))
deletion = Prepared(delete(resources).where(_R.id == bindparam("row"), _R.version == bindparam("old_version")))

_CHANGED = ("arn", "status", "modified", "document", "wake_at", "version")
insertion = Prepared(
    insert(resources).values({name: bindparam(name) for name in (*KEY, *_CHANGED, "created", "fence")})
)

_kinds = and_(_R.service == bindparam("service"), _R.kind.in_(bindparam("kinds", expanding=True)))
active = Prepared(select(*COLUMNS).where(_R.wake_at.is_not(None), _kinds))
"""Without an order, for which SQLite would go through all resources: those with work are few among them."""
at_rest = Prepared(
    select(*COLUMNS)
    .where(_R.wake_at.is_(None), _kinds, _R.modified < bindparam("before"))
    .order_by(_R.id)
    .limit(bindparam("most"))
)

_of_rows = _R.id.in_(bindparam("rows", expanding=True))
_free = or_(_R.lease_until.is_(None), _R.lease_until < bindparam("now"))
_due = select(_R.id).where(_R.wake_at.is_not(None), _R.wake_at <= bindparam("now"), _free)
"""The rows that have work and no living lease."""
any_due = Prepared(_due.limit(1))
all_due = Prepared(_due.order_by(_R.wake_at).limit(bindparam("most")).with_for_update(skip_locked=True))
leasing = Prepared(
    update(resources)
    .where(_of_rows)
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), fence=_R.fence + 1)
)
by_rows = Prepared(select(*COLUMNS).where(_of_rows))

_EDGE = ("account", "region", "source", "destination", "type", "created", "document")
association = Prepared(insert(associations).values({name: bindparam(name) for name in _EDGE}))

_of_region = (associations.c.account == bindparam("account"), associations.c.region == bindparam("region"))
edges_from = Prepared(select(associations.c.id).where(*_of_region, associations.c.source == bindparam("arn")).limit(1))
edges_to = Prepared(
    select(associations.c.id).where(*_of_region, associations.c.destination == bindparam("arn")).limit(1)
)
_ENDS = (associations.c.source, associations.c.destination)
detachments = tuple(Prepared(delete(associations).where(*_of_region, end == bindparam("arn"))) for end in _ENDS)


@lru_cache(maxsize=4)
def edges(ends: tuple[str, ...]) -> Prepared:
    """The edges with these ends, which are parameters too, the oldest first."""
    conditions = (associations.c[end] == bindparam(end) for end in ends)
    wanted = (associations.c[name] for name in ("source", "destination", "type", "created", "document"))
    return Prepared(select(*wanted).where(*_of_region, *conditions).order_by(associations.c.id))


tagging = Prepared(insert(tags).values({name: bindparam(name) for name in ("arn", "key", "value")}))
tags_of = Prepared(select(tags.c.key, tags.c.value).where(tags.c.arn == bindparam("arn")).order_by(tags.c.key))
untagging = Prepared(delete(tags).where(tags.c.arn == bindparam("of")))
untagging_some = Prepared(
    delete(tags).where(tags.c.arn == bindparam("of"), tags.c.key.in_(bindparam("keys", expanding=True)))
)
revision_of = Prepared(select(revisions.c.revision).where(revisions.c.topic == bindparam("topic")))
all_revisions = Prepared(select(revisions.c.topic, revisions.c.revision))


@lru_cache(maxsize=4)
def change(fenced: bool, released: bool) -> Prepared:
    """The update of one record; parameters are the new values with ``new_`` before their names."""
    conditions = [_R.id == bindparam("row"), _R.version == bindparam("old_version")]
    if fenced:
        conditions.append(_R.fence == bindparam("old_fence"))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _CHANGED}
    if released:
        values |= {"lease_owner": None, "lease_until": None}
    return Prepared(update(resources).where(*conditions).values(values))


_COLUMNS = {f"@{name}": _R[name] for name in ("parent", "name", "status", "created", "modified")}


def listing(query: Query, sorted_apart: bool = False) -> tuple[Prepared, dict[str, Any]]:
    """The statement for the page that ``query`` asks for, and its parameters.

    With ``sorted_apart`` all that it asks for is looked up by status or parent and then sorted: right for a few.
    """
    limited, continued = query.limit is not None, query.after is not None
    statement = _listing(_form(query), query.sort_by, query.descending, limited, continued, sorted_apart)
    parameters = _parameters(query)
    if query.limit is not None:
        parameters["most"] = query.limit
    if query.after is not None:
        parameters["after_value"], parameters["after_row"] = query.after
    return statement, parameters


def apart(query: Query) -> Query | None:
    """What an index on status or parent tells apart of the resources that ``query`` asks for, if it does not sort them
    as well."""
    if query.sort_by == "@created":
        return None
    equal = (each for each in query.conditions if each.comparison == "equals" and each.value != "")
    conditions = tuple(each for each in equal if each.path in _PARTLY_INDEXED)[:1]
    wanted = Query(query.account, query.region, query.service, query.kind, conditions)
    return wanted if conditions else None


def counting_some(query: Query, most: int) -> tuple[Prepared, dict[str, Any]]:
    """The statement that counts what ``query`` asks for as far as ``most``, and its parameters."""
    return _counting_some(_form(query)), {**_parameters(query), "most": most}


@lru_cache(maxsize=16)
def _counting_some(form: _Form) -> Prepared:
    some = select(_R.id).where(*_conditions(form)).limit(bindparam("most")).subquery()
    return Prepared(select(func.count()).select_from(some))


def counting(query: Query) -> tuple[Select[Any], dict[str, Any]]:
    """The statement that counts what ``query`` asks for, its page left aside, and its parameters."""
    return select(func.count()).select_from(resources).where(*_conditions(_form(query))), _parameters(query)


class _Form(NamedTuple):
    """All of a query that decides the text of its statement."""

    conditions: tuple[tuple[str, Comparison, type], ...]
    filled: tuple[int, ...]
    """Which of the conditions have a value that is not the empty text."""
    by_arn: bool
    by_name: bool
    links: tuple[tuple[tuple[str, ...], bool], ...]


def _form(query: Query) -> _Form:
    conditions = tuple((each.path, each.comparison, type(each.value)) for each in query.conditions)
    filled = tuple(number for number, each in enumerate(query.conditions) if each.value != "")
    links = tuple((link.types, link.incoming) for link in query.linked)
    return _Form(conditions, filled, query.arns is not None, query.names is not None, links)


def _parameters(query: Query) -> dict[str, Any]:
    parameters: dict[str, Any] = {name: getattr(query, name) for name in ("account", "region", "service", "kind")}
    for number, (_, comparison, value) in enumerate(query.conditions):
        if comparison in ("contains", "starts"):
            escaped = str(value).lower().replace("/", "//").replace("%", "/%").replace("_", "/_")
            value = f"{'%' if comparison == 'contains' else ''}{escaped}%"
        parameters[f"value_{number}"] = value
    if query.arns is not None:
        parameters["arns"] = query.arns
    if query.names is not None:
        parameters["names"] = query.names
    for number, link in enumerate(query.linked):
        parameters[f"linked_{number}"] = link.arn
    return parameters


@lru_cache(maxsize=512)
def _listing(
    form: _Form, sort_by: str, descending: bool, limited: bool, continued: bool, sorted_apart: bool
) -> Prepared:
    conditions = _conditions(form)
    # Resources that have nothing at the path come as if they had an empty text there: pages need an order of all.
    column = _COLUMNS[sort_by] if sort_by in _COLUMNS else func.coalesce(_at(sort_by, str), "")
    if sorted_apart:
        # Hidden from the planner, which would go through all resources of the kind in this order.
        column = func.coalesce(column, column)
    if continued:
        value: BindParameter[Any] = bindparam("after_value")
        row: BindParameter[int] = bindparam("after_row")
        # As one comparison an index answers it wherever the page begins, even where many rows sort alike.
        place, last = tuple_(column, _R.id), tuple_(value, row)
        conditions.append(place < last if descending else place > last)
    order = (column.desc(), _R.id.desc()) if descending else (column.asc(), _R.id.asc())
    statement = select(*COLUMNS).where(*conditions).order_by(*order)
    return Prepared(statement.limit(bindparam("most")) if limited else statement)


_PARTLY_INDEXED = ("@status", "@parent")
"""Columns with an index that leaves out empty texts, and that is used only where a statement leaves them out too."""
_KIND = (_R.account, _R.region, _R.service, _R.kind)


def _conditions(form: _Form) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [column == bindparam(column.name) for column in _KIND]
    if form.by_arn:
        # Hidden from the planner, which would go through all resources of the kind instead of those with the ARNs.
        conditions = [func.coalesce(column, "") == bindparam(column.name) for column in _KIND]
        conditions.append(_R.arn.in_(bindparam("arns", expanding=True)))
    for number, (types, incoming) in enumerate(form.links):
        other: BindParameter[str] = bindparam(f"linked_{number}")
        conditions.append(is_linked(types, incoming, other, bindparam("account"), bindparam("region"), _R.arn))
    if form.by_name:
        conditions.append(_R.name.in_(bindparam("names", expanding=True)))
    for number, (path, comparison, kind) in enumerate(form.conditions):
        at: Any = _COLUMNS[path] if path in _COLUMNS else _at(path, kind)
        value: BindParameter[Any] = bindparam(f"value_{number}")
        conditions.append(_COMPARISONS[comparison](at, value))
        if comparison == "equals" and path in _PARTLY_INDEXED and number in form.filled:
            conditions.append(at != "")
    return conditions


def _at(path: str, kind: type) -> Any:
    """What stands at a dotted path in the document: JSON has no type of its own before it is given one."""
    at: Any = _R.document[tuple(path.split("."))]
    if kind is bool:
        return at.as_boolean()
    return at.as_string() if kind is str else at.as_float()


_COMPARISONS: dict[Comparison, Callable[[Any, Any], ColumnElement[bool]]] = {
    "equals": operator.eq,
    "contains": lambda at, value: func.lower(at).like(value, escape="/"),
    "starts": lambda at, value: func.lower(at).like(value, escape="/"),
    "from": operator.ge,
    "to": operator.le,
}
