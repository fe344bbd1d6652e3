"""The statements about resources, built once: putting one together costs more than running it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BindParameter,
    Column,
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

from clary.state.records import Query, SortBy
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


_TIMES: tuple[tuple[str, str, Callable[[Any, Any], Any]], ...] = (
    ("created_after", "created", operator.ge),
    ("created_before", "created", operator.le),
    ("modified_after", "modified", operator.ge),
    ("modified_before", "modified", operator.le),
)
_OPTIONS = ("parent", "name_contains", "status", "arns", *(name for name, _, _ in _TIMES))


def listing(query: Query) -> tuple[Select[Any], dict[str, Any]]:
    """The statement for the page that ``query`` asks for, and its parameters."""
    given = _given(query)
    paths = tuple(path for path, _ in query.members)
    statement = _listing(
        given, paths, query.sort_by, query.descending, query.limit is not None, query.after is not None
    )
    parameters = _parameters(query, given)
    if query.limit is not None:
        parameters["most"] = query.limit
    if query.after is not None:
        parameters["after_value"], parameters["after_row"] = query.after
    return statement, parameters


def counting(query: Query) -> tuple[Select[Any], dict[str, Any]]:
    """The statement that counts what ``query`` asks for, its page left aside, and its parameters."""
    given = _given(query)
    conditions = _conditions(given, tuple(path for path, _ in query.members))
    return select(func.count()).select_from(resources).where(*conditions), _parameters(query, given)


def _given(query: Query) -> tuple[str, ...]:
    return tuple(name for name in _OPTIONS if getattr(query, name) is not None)


def _parameters(query: Query, given: tuple[str, ...]) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        name: getattr(query, name) for name in ("account", "region", "service", "kind", *given)
    }
    if "name_contains" in parameters:
        escaped = parameters["name_contains"].lower().replace("/", "//").replace("%", "/%").replace("_", "/_")
        parameters["name_contains"] = f"%{escaped}%"
    parameters.update({f"member_{number}": value for number, (_, value) in enumerate(query.members)})
    return parameters


@lru_cache(maxsize=512)
def _listing(
    given: tuple[str, ...], paths: tuple[str, ...], sort_by: SortBy, descending: bool, limited: bool, continued: bool
) -> Select[Any]:
    conditions = _conditions(given, paths)
    column = _R[sort_by]
    if continued:
        value: BindParameter[Any] = bindparam("after_value")
        row: BindParameter[int] = bindparam("after_row")
        beyond = column < value if descending else column > value
        same = _R.id < row if descending else _R.id > row
        conditions.append(or_(beyond, and_(column == value, same)))
    order = (column.desc(), _R.id.desc()) if descending else (column.asc(), _R.id.asc())
    statement = select(*COLUMNS).where(*conditions).order_by(*order)
    return statement.limit(bindparam("most")) if limited else statement


def _conditions(given: tuple[str, ...], paths: tuple[str, ...]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _R[name] == bindparam(name) for name in ("account", "region", "service", "kind")
    ]
    for name in ("parent", "status"):
        if name in given:
            conditions.append(_R[name] == bindparam(name))
    if "name_contains" in given:
        conditions.append(func.lower(_R.name).like(bindparam("name_contains"), escape="/"))
    if "arns" in given:
        conditions.append(_R.arn.in_(bindparam("arns", expanding=True)))
    for bound, column, compare in _TIMES:
        if bound in given:
            conditions.append(compare(cast(Column[float], _R[column]), bindparam(bound)))
    for number, path in enumerate(paths):
        # What a path into JSON gives has no type of its own before it is turned into text.
        at: Any = _R.document[tuple(path.split("."))]
        conditions.append(at.as_string() == bindparam(f"member_{number}"))
    return conditions
