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
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from clary.state.graph import is_linked
from clary.state.records import Comparison, Query
from clary.state.tables import resources

_R = resources.c
COLUMNS = tuple(column for column in _R if column.name not in ("lease_owner", "lease_until"))
KEY = ("account", "region", "service", "kind", "parent", "name")

by_key = select(*COLUMNS).where(*(_R[name] == bindparam(name) for name in KEY))
by_row = select(*COLUMNS).where(_R.id == bindparam("row"))
by_arn = select(*COLUMNS).where(_R.arn == bindparam("arn"))
insertion = insert(resources)
deletion = delete(resources).where(_R.id == bindparam("row"), _R.version == bindparam("old_version"))

_CHANGED = ("arn", "status", "modified", "document", "wake_at", "version")


@lru_cache(maxsize=4)
def change(fenced: bool, ends_work: bool) -> Update:
    """The update of one record; parameters are the new values with ``new_`` before their names."""
    conditions = [_R.id == bindparam("row"), _R.version == bindparam("old_version")]
    if fenced:
        conditions.append(_R.fence == bindparam("old_fence"))
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _CHANGED}
    if ends_work:
        values |= {"lease_owner": None, "lease_until": None}
    return update(resources).where(*conditions).values(values)


def due(now: float) -> Select[tuple[int]]:
    """The rows that have work and no living lease."""
    free = or_(_R.lease_until.is_(None), _R.lease_until < now)
    return select(_R.id).where(_R.wake_at.is_not(None), _R.wake_at <= now, free)


_COLUMNS = {f"@{name}": _R[name] for name in ("parent", "name", "status", "created", "modified")}


def listing(query: Query) -> tuple[Select[Any], dict[str, Any]]:
    """The statement for the page that ``query`` asks for, and its parameters."""
    statement = _listing(
        _form(query), query.sort_by, query.descending, query.limit is not None, query.after is not None
    )
    parameters = _parameters(query)
    if query.limit is not None:
        parameters["most"] = query.limit
    if query.after is not None:
        parameters["after_value"], parameters["after_row"] = query.after
    return statement, parameters


def counting(query: Query) -> tuple[Select[Any], dict[str, Any]]:
    """The statement that counts what ``query`` asks for, its page left aside, and its parameters."""
    return select(func.count()).select_from(resources).where(*_conditions(_form(query))), _parameters(query)


class _Form(NamedTuple):
    """All of a query that decides the text of its statement."""

    conditions: tuple[tuple[str, Comparison, type], ...]
    by_arn: bool
    by_name: bool
    links: tuple[tuple[tuple[str, ...], bool], ...]


def _form(query: Query) -> _Form:
    conditions = tuple((each.path, each.comparison, type(each.value)) for each in query.conditions)
    links = tuple((link.types, link.incoming) for link in query.linked)
    return _Form(conditions, query.arns is not None, query.names is not None, links)


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
def _listing(form: _Form, sort_by: str, descending: bool, limited: bool, continued: bool) -> Select[Any]:
    conditions = _conditions(form)
    # Resources that have nothing at the path come as if they had an empty text there: pages need an order of all.
    column = _COLUMNS[sort_by] if sort_by in _COLUMNS else func.coalesce(_at(sort_by, str), "")
    if continued:
        value: BindParameter[Any] = bindparam("after_value")
        row: BindParameter[int] = bindparam("after_row")
        beyond = column < value if descending else column > value
        same = _R.id < row if descending else _R.id > row
        conditions.append(or_(beyond, and_(column == value, same)))
    order = (column.desc(), _R.id.desc()) if descending else (column.asc(), _R.id.asc())
    statement = select(*COLUMNS).where(*conditions).order_by(*order)
    return statement.limit(bindparam("most")) if limited else statement


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
