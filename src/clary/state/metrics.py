"""Values measured over time: kept one by one, and read as points that sum up all values within a span."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, bindparam, cast, delete, func, insert, select

from clary.state.session import Prepared, Session
from clary.state.tables import metrics

_M = metrics.c
_AT_ONCE = 10_000

Statistic = Literal["Min", "Max", "Avg", "Count", "StdDev", "Last"]


class Measurement(NamedTuple):
    """One value; times are seconds since the epoch."""

    name: str
    time: float
    step: int | None
    value: float


_addition = Prepared(insert(metrics).values({name: bindparam(name) for name in ("resource", *Measurement._fields)}))
_removal = Prepared(delete(metrics).where(_M.resource == bindparam("of")))


@dataclass(frozen=True)
class SeriesQuery:
    """Which points are wanted of one metric of a resource."""

    resource: int
    """The row of the resource."""
    name: str
    statistic: Statistic
    span: int | None
    """The seconds that one point sums up; ``None`` for the values of one step each."""
    start: float | None = None
    """The first time, or the first step."""
    end: float | None = None
    """The last time, or the last step."""
    limit: int | None = None


class Metrics:
    """All that was measured."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def add(self, resource: int, values: Iterable[Measurement]) -> int:
        """Keep values of the resource in the row ``resource``; gives how many."""
        rest, count = iter(values), 0
        while some := [{"resource": resource, **value._asdict()} for value in islice(rest, _AT_ONCE)]:
            self._session.change_each(_addition, some)
            count += len(some)
        return count

    def remove(self, resource: int) -> None:
        """Forget what was measured of a resource."""
        self._session.change(_removal, {"of": resource})

    def values(self, resource: int, name: str, start: float, end: float) -> Iterator[Measurement]:
        """The values of a metric from ``start`` to before ``end``, in the order of time, read as they are taken."""
        conditions = (_M.resource == resource, _M.name == name, _M.time >= start, _M.time < end)
        statement = select(_M.name, _M.time, _M.step, _M.value).where(*conditions).order_by(_M.time)
        for row in self._connection.execute(statement, execution_options={"yield_per": 1_000}):
            yield Measurement(*row)

    def series(self, query: SeriesQuery) -> list[tuple[int, float]]:
        """The points in their order: the start of each span, or the step, and the statistic of its values.

        A standard deviation is that of the values themselves, not of what they might be a sample of.
        """
        axis: Any = _M.step
        place: Any = _M.step
        if query.span is not None:
            axis = _M.time
            # Times are positive, so that cutting off what is behind the point is rounding down.
            place = cast(func.floor(_M.time / query.span), BigInteger) * query.span
        conditions = [_M.resource == query.resource, _M.name == query.name, axis.is_not(None)]
        if query.start is not None:
            conditions.append(axis >= query.start)
        if query.end is not None:
            conditions.append(axis <= query.end)
        values = select(place.label("place"), _M.value, _M.time, _M.id).where(*conditions)
        points = _points(values.subquery(), query.statistic)
        statement = points.order_by("place") if query.limit is None else points.order_by("place").limit(query.limit)
        rows = self._connection.execute(statement).all()
        if query.statistic == "StdDev":
            return [(int(row[0]), math.sqrt(max(float(row[1]), 0.0))) for row in rows]
        return [(int(row[0]), float(row[1])) for row in rows]


def _points(values: Any, statistic: Statistic) -> Any:
    v = values.c
    if statistic == "Last":
        newest = func.row_number().over(partition_by=v.place, order_by=(v.time.desc(), v.id.desc()))
        ranked = select(v.place, v.value, newest.label("rank")).subquery()
        return select(ranked.c.place.label("place"), ranked.c.value).where(ranked.c.rank == 1)
    if statistic == "StdDev":
        # In two passes: the difference of two large means would lose the digits that matter.
        mean = func.avg(v.value).over(partition_by=v.place)
        apart = select(v.place, (v.value - mean).label("apart")).subquery()
        spread = func.avg(apart.c.apart * apart.c.apart)
        return select(apart.c.place.label("place"), spread).group_by(apart.c.place)
    return select(v.place.label("place"), getattr(func, statistic.lower())(v.value)).group_by(v.place)
