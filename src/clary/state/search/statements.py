"""The statements of searches, for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, String, case, column, func, literal, select, true, tuple_

from clary.state.search.clauses import All, Clause, OneOf, Order, Path, Search
from clary.state.search.conditions import (
    TAGS,
    ElementGround,
    RowGround,
    apart,
    holds,
    is_apart,
    of_kind,
    scalar,
)
from clary.state.search.functions import elements, pairs, unindexed
from clary.state.statements import COLUMNS
from clary.state.tables import resources, tags

NAMED_OF = 2_000
"""Of how many resources names are suggested: of those that changed last."""


def told_apart(search: Search) -> list[Clause]:
    """The conditions that all hits satisfy and of which another table tells for which resources they hold."""
    return [part for part in _parts(search.clause) if is_apart(part)]


def counting_apart(part: Clause, search: Search, most: int) -> Select[Any]:
    """The statement that counts the resources for which such a condition holds, as far as ``most``."""
    return select(func.count()).select_from(apart(part, search).limit(most).subquery())


def searching(search: Search, few: Collection[Clause] = ()) -> Select[Any]:
    """The statement for the rows that ``search`` asks for: the columns of a record, then its position.

    ``few`` are those of ``told_apart`` that hold for few resources only, so that it is best to begin with these.
    """
    order = search.order
    if order is None:
        return select(*COLUMNS).where(*_conditions(search, few))
    values = [scalar(each.place, each.kind, RowGround(resources, search)) for each in order.scalars]
    if len(order.scalars) == 1 and order.scalars[0].is_column:
        keys = [*values, resources.c.id]
        if few or any(_is_indexed(part) for part in _parts(search.clause)):
            # Else SQLite would rather go through all rows in their order.
            keys = [unindexed(key) for key in keys]
        return _page(select(*COLUMNS, *keys).where(*_conditions(search, few)), keys, search)
    # Each value is worked out once, and what is sorted is not whole rows.
    named = [value.label(f"value_{number}") for number, value in enumerate(values)]
    sorted_ = select(resources.c.id, *named).where(*_conditions(search, few)).cte().prefix_with("MATERIALIZED")
    keys = [*_keys(order, [sorted_.c[value.name] for value in named]), sorted_.c.id]
    labelled = [key.label(f"key_{number}") for number, key in enumerate(keys)]
    page = _page(select(*labelled), keys, search).subquery()
    seen = [page.c[key.name] for key in labelled]
    whole = select(*COLUMNS, *seen).join_from(page, resources, resources.c.id == seen[-1])
    return whole.order_by(*_directed(seen, order))


def _page(statement: Select[Any], keys: list[ColumnElement[Any]], search: Search) -> Select[Any]:
    """The rows of ``statement`` that make the page, in the order of ``keys``."""
    assert search.order is not None
    if search.after is not None:
        place = tuple_(*(literal(value) for value in search.after))
        beyond = tuple_(*keys) < place if search.order.descending else tuple_(*keys) > place
        statement = statement.where(beyond)
    statement = statement.order_by(*_directed(keys, search.order))
    return statement if search.limit is None else statement.limit(search.limit)


def counting_hits(search: Search, most: int) -> Select[Any]:
    """The statement that counts what ``search`` asks for, its page left aside, as far as ``most``."""
    found = select(resources.c.id).where(*_conditions(search, told_apart(search))).limit(most)
    return select(func.count()).select_from(found.subquery())


def keys_of(search: Search, path: Path, prefix: str, most: int) -> Select[Any]:
    """The statement for the keys, in order, that start with ``prefix`` and that maps at ``path`` have."""
    latest = _latest(search)
    keys = pairs(RowGround(latest, search).text(path)).table_valued(column("key", String), column("value", JSON))
    return _names(keys.c.key, prefix, most).join_from(latest, keys, true())


def values_of(search: Search, path: Path, then: Path, prefix: str, most: int) -> Select[Any]:
    """The statement for the texts, in order, that start with ``prefix`` and stand at ``then`` in lists at ``path``."""
    latest = _latest(search)
    if path == TAGS:
        return _names(tags.c.key, prefix, most).join_from(latest, tags, latest.c.arn == tags.c.arn)
    values = elements(RowGround(latest, search).text(path)).table_valued(column("value", JSON))
    return _names(ElementGround(values.c.value).text(then), prefix, most).join_from(latest, values, true())


def _latest(search: Search) -> Any:
    rows = select(resources.c.arn, resources.c.document).where(*of_kind(search))
    return rows.order_by(resources.c.modified.desc()).limit(NAMED_OF).subquery()


def _names(name: ColumnElement[str], prefix: str, most: int) -> Select[Any]:
    like = func.lower(name).startswith(prefix.lower(), autoescape=True)
    return select(name.label("name")).distinct().where(like).order_by("name").limit(most)


def _conditions(search: Search, few: Collection[Clause]) -> list[ColumnElement[bool]]:
    row = RowGround(resources, search)
    found = [row.arn.in_(apart(part, search)) if part in few else holds(part, row) for part in _parts(search.clause)]
    kind = of_kind(search)
    if few:
        kind = [unindexed(each.left) == each.right for each in kind]
    return [*kind, *found]


def _parts(clause: Clause) -> Iterator[Clause]:
    """The conditions all of which must hold."""
    if isinstance(clause, All):
        for part in clause.parts:
            yield from _parts(part)
    else:
        yield clause


def _is_indexed(clause: Clause) -> bool:
    return isinstance(clause, OneOf) and clause.path[:1] in (("@name",), ("@arn",), ("@parent",))


def _keys(order: Order, values: list[Any]) -> list[ColumnElement[Any]]:
    """What an order by ``values`` compares, all of it in one direction: what has none of them comes last."""
    ranks = [(value.is_not(None), number + order.descending) for number, value in enumerate(values)]
    rank = case(*ranks, else_=0 if order.descending else len(values))
    zeros = (literal("") if each.kind == "text" else literal(0) for each in order.scalars)
    return [rank, *(func.coalesce(value, zero) for value, zero in zip(values, zeros, strict=True))]


def _directed(keys: list[Any], order: Order) -> list[ColumnElement[Any]]:
    return [key.desc() if order.descending else key.asc() for key in keys]
