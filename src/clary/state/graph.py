"""The graph of associations between resources: what is next to what, and pages of its edges."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, NamedTuple

from sqlalchemy import Connection, Exists, Select, and_, case, exists, func, literal, null, or_, select

from clary.state.records import Association, Link
from clary.state.tables import associations, resources

_A = associations.c
_AT_ONCE = 10_000
"""How many ARNs one statement names; databases allow at least three times as many."""

Places = Mapping[str, tuple[str, ...]]
"""Where a member stands in the documents of each kind of resource; other kinds do not have it."""


class Entity(NamedTuple):
    """A resource as a vertex of the graph."""

    arn: str
    kind: str
    type: str | None
    created: float
    modified: float
    properties: dict[str, Any] | None


class Edge(NamedTuple):
    """One association, and what is at its ends where it was looked up."""

    id: int
    association: Association
    source_type: str | None = None
    source_name: str | None = None
    destination_type: str | None = None
    destination_name: str | None = None

    def value(self, sort_by: str) -> str | float:
        """What the edge is sorted by; see ``EdgeQuery.sort_by``."""
        if sort_by in ("created", "source", "destination"):
            found: str | float = getattr(self.association, sort_by)
            return found
        return getattr(self, sort_by) or ""


@dataclass(frozen=True)
class EdgeQuery:
    """Which associations are wanted, in which order, and how many."""

    source: str | None = None
    destination: str | None = None
    type: str | None = None
    source_type: str | None = None
    destination_type: str | None = None
    created_from: float | None = None
    created_to: float | None = None
    sort_by: str = "created"
    """``created``, ``source``, ``destination``, ``source_type`` or ``destination_type``."""
    descending: bool = True
    limit: int = 100
    after: tuple[str | float, int] | None = None
    """The sort value and the id of the last edge of the page before."""


class Graph:
    """The associations of one account in one region, without those of the types ``apart``."""

    def __init__(self, connection: Connection, account: str, region: str, apart: Collection[str]) -> None:
        self._connection = connection
        self._mine = and_(_A.account == account, _A.region == region, _A.type.not_in(apart))
        self._own = (resources.c.account == account, resources.c.region == region)

    def neighbours(self, arns: Sequence[str], *, forward: bool) -> Iterator[tuple[str, str]]:
        """The edges from ``arns`` (to them if not ``forward``): the end in ``arns`` and the other, the oldest first.

        One statement for ten thousand ARNs; rows are read as they are taken.
        """
        near, far = (_A.source, _A.destination) if forward else (_A.destination, _A.source)
        for some in _batches(arns):
            statement = select(near, far).where(self._mine, near.in_(some)).order_by(_A.id)
            for row in self._connection.execute(statement, execution_options={"yield_per": 1000}):
                yield row[0], row[1]

    def between(self, some: Collection[str], others: Collection[str]) -> list[Association]:
        """The edges of which one end is in ``some`` and the other in ``others``, the oldest first."""
        found: dict[int, Association] = {}
        for near, far in ((_A.source, _A.destination), (_A.destination, _A.source)):
            for first in _batches(list(some)):
                for second in _batches(list(others)):
                    statement = select(associations).where(self._mine, near.in_(first), far.in_(second))
                    found |= {row.id: _association(row) for row in self._connection.execute(statement)}
        return [found[row] for row in sorted(found)]

    def touches(self, arn: str) -> bool:
        """Whether an edge begins or ends at ``arn``."""
        ends = (_A.source, _A.destination)
        statements = (select(_A.id).where(self._mine, end == arn).limit(1) for end in ends)
        return any(self._connection.execute(statement).first() is not None for statement in statements)

    def entities(self, arns: Sequence[str], types: Places, properties: Places) -> dict[str, Entity]:
        """The resources with these ARNs as far as they are there, by ARN."""
        found: dict[str, Entity] = {}
        for some in _batches(arns):
            statement = _entities(types, properties).where(resources.c.arn.in_(some), *self._own)
            found |= {row.arn: Entity(*row) for row in self._connection.execute(statement)}
        return found

    def all_entities(self, service: str, types: Places, properties: Places) -> Iterator[Entity]:
        """All resources of a service that are of the kinds in ``types``, the oldest first, read as they are taken."""
        mine = (*self._own, resources.c.service == service, resources.c.kind.in_(list(types)))
        statement = _entities(types, properties).where(*mine).order_by(resources.c.id)
        for row in self._connection.execute(statement, execution_options={"yield_per": 500}):
            yield Entity(*row)

    def edges(self, query: EdgeQuery, types: Places, names: Places) -> list[Edge]:
        """The page of edges that ``query`` asks for; a name that stands nowhere is the resource's own."""
        source, destination = resources.alias(), resources.alias()
        columns = {
            "source_type": _at(source, types),
            "source_name": _at(source, names, source.c.name),
            "destination_type": _at(destination, types),
            "destination_name": _at(destination, names, destination.c.name),
        }
        conditions = [
            column == value
            for column, value in (
                (_A.source, query.source),
                (_A.destination, query.destination),
                (_A.type, query.type),
                (columns["source_type"], query.source_type),
                (columns["destination_type"], query.destination_type),
            )
            if value is not None
        ]
        if query.created_from is not None:
            conditions.append(_A.created >= query.created_from)
        if query.created_to is not None:
            conditions.append(_A.created <= query.created_to)
        key = _A[query.sort_by] if query.sort_by in _A else func.coalesce(columns[query.sort_by], "")
        if query.after is not None:
            value, row_id = query.after
            beyond = key < value if query.descending else key > value
            same = _A.id < row_id if query.descending else _A.id > row_id
            conditions.append(or_(beyond, and_(key == value, same)))
        statement = (
            select(associations, *(column.label(name) for name, column in columns.items()))
            .join_from(associations, source, source.c.arn == _A.source, isouter=True)
            .join(destination, destination.c.arn == _A.destination, isouter=True)
            .where(self._mine, *conditions)
            .order_by(*(each.desc() if query.descending else each.asc() for each in (key, _A.id)))
            .limit(query.limit)
        )
        rows = self._connection.execute(statement)
        return [Edge(row.id, _association(row), *(getattr(row, name) for name in columns)) for row in rows]


def linked(link: Link, account: str, region: str) -> Select[Any]:
    """The statement for the ARNs of the resources that have this connection."""
    ends, conditions = _way(link.types, link.incoming, link.arn, account, region)
    return select(ends).where(*conditions).distinct()


def is_linked(types: tuple[str, ...], incoming: bool, other: Any, account: Any, region: Any, arn: Any) -> Exists:
    """Whether the resource with ``arn`` has such a connection (see ``Link``); all but the types may be parameters."""
    ends, conditions = _way(types, incoming, other, account, region)
    return exists(select(literal(1)).where(ends == arn, *conditions))


def _way(types: tuple[str, ...], incoming: bool, other: Any, account: Any, region: Any) -> tuple[Any, list[Any]]:
    """The column of the ARNs where the way to ``other`` begins, and the conditions on the associations along it."""
    steps = [associations.alias() for _ in types]
    near, far = ("destination", "source") if incoming else ("source", "destination")
    conditions = [steps[-1].c[far] == other]
    for step, type_ in zip(steps, types, strict=True):
        conditions += [step.c.account == account, step.c.region == region, step.c.type == type_]
    for step, following in pairwise(steps):
        conditions.append(following.c[near] == step.c[far])
    return steps[0].c[near], conditions


def _entities(types: Places, properties: Places) -> Select[Any]:
    r = resources.c
    found = (
        case(*((r.kind == kind, r.document[path]) for kind, path in properties.items()), else_=null())
        if properties
        else null()
    )
    return select(r.arn, r.kind, _at(resources, types).label("type"), r.created, r.modified, found.label("properties"))


def _at(table: Any, places: Places, otherwise: Any = None) -> Any:
    """What stands in a row's document at the place for its kind; ``otherwise`` for kinds that have none."""
    cases = [(table.c.kind == kind, table.c.document[path].as_string()) for kind, path in places.items()]
    return case(*cases, else_=null() if otherwise is None else otherwise)


def _association(row: Any) -> Association:
    return Association(row.source, row.destination, row.type, row.created, row.document)


def _batches(arns: Sequence[str]) -> Iterator[list[str]]:
    rest = iter(arns)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
