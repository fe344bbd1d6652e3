"""Metrics by name and their values over time: put as they come, kept as points, thinned out with age.

A point sums up the values of a second or of a minute. As time passes, points are put together into longer ones, as
CloudWatch does it: seconds after three hours, minutes after fifteen days, five minutes after 63 days; hours are
forgotten after 455 days.

Reference: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import msgspec
import orjson
from sqlalchemy import BindParameter, and_, bindparam, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects import sqlite

from clary.state.series_points import Metric, Point, Summary
from clary.state.series_sketch import Sketch
from clary.state.session import Prepared, Session
from clary.state.tables import points, revisions, series

HOUR = 3_600.0
DAY = 24 * HOUR
LONGEST = {1: 3 * HOUR, 60: 15 * DAY, 300: 63 * DAY, 3_600: 455 * DAY}
"""How many seconds the points of each span are kept before they become longer ones, or are forgotten."""
_NEXT = {1: 60, 60: 300, 300: 3_600}

_S, _P = series.c, points.c
_AT_ONCE = 200
_VALUES = ("count", "sum", "least", "most", "sketch")
_PLACE = ("series", "time", "span", "unit")
_METRIC = ("account", "region", "namespace", "name", "dimensions", "digest", "published")
_BATCHES = "batch "

_of_rows: BindParameter[int] = bindparam("rows", expanding=True)
_mine = (_S.account == bindparam("of_account"), _S.region == bindparam("of_region"))
_named = select(_S.digest, _S.id, _S.published).where(*_mine, _S.digest.in_(bindparam("digests", expanding=True)))
_seen = Prepared(_named)
# In one order, so that two writers of several metrics never wait for each other.
_known = Prepared(_named.order_by(_S.digest).with_for_update())
_new = Prepared(sqlite.insert(series).values({name: bindparam(name) for name in _METRIC}).on_conflict_do_nothing())
_published = Prepared(update(series).where(_S.id.in_(_of_rows)).values(published=bindparam("now")))
_forgotten = Prepared(delete(series).where(_S.id.in_(_of_rows)))
_emptied = Prepared(delete(points).where(_P.series.in_(_of_rows)))

_at_place = tuple(_P[name] == bindparam(f"at_{name}") for name in _PLACE)
_there = Prepared(
    select(*(_P[name] for name in (*_PLACE, *_VALUES))).where(
        _P.series.in_(_of_rows), _P.time.in_(bindparam("times", expanding=True))
    )
)
_added = Prepared(insert(points).values({name: bindparam(name) for name in (*_PLACE, *_VALUES)}))
_changed = Prepared(update(points).where(*_at_place).values({name: bindparam(f"new_{name}") for name in _VALUES}))
_removed = Prepared(delete(points).where(*_at_place))

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Sketch).decode


class Place(NamedTuple):
    """What names a point: the row of its series, the start of its span, the span's seconds, and its unit."""

    series: int
    time: int
    span: int
    unit: str


@dataclass(frozen=True)
class MetricQuery:
    """Which metrics of an account and a region are wanted; what is empty or ``None`` does not matter."""

    account: str
    region: str
    namespace: str | None = None
    name: str | None = None
    dimensions: tuple[tuple[str, str | None], ...] = ()
    """Those that a metric must have, among others; ``None`` for any value."""
    since: float = 0.0
    """When values must have been put last."""
    after: tuple[str, str, int] | None = None
    """The namespace, the name and the row of the last metric of the page before."""
    limit: int = 500


class SeriesStore:
    """All metrics and their points, within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._connection = session.connection

    def add(self, account: str, region: str, values: Iterable[Point], now: float) -> None:
        """Put values of metrics, which become known with them."""
        self._merge(self._placed(account, region, values, now))

    def put(self, account: str, region: str, values: Iterable[Point], now: float) -> None:
        """Put points that are known as a whole, maybe again: where there is one of fewer values, it is replaced."""
        placed = self._placed(account, region, values, now)
        there = self._at(placed)
        self._remove([place for place in there if there[place].count < placed[place].count])
        self._merge({p: summary for p, summary in placed.items() if p not in there or there[p].count < summary.count})

    def lacking(self, account: str, region: str, values: Sequence[Point]) -> list[Point]:
        """Those of the points, each of which is a whole one, with which ``put`` would change anything."""
        digests = {point.metric.digest(): point.metric for point in values}
        rows: dict[Metric, int] = {}
        for some in _batches(digests):
            wanted = {"of_account": account, "of_region": region, "digests": some}
            rows |= {digests[digest]: row for digest, row, _ in self._session.rows(_seen, wanted)}

        def place(point: Point) -> Place:
            return Place(rows[point.metric], point.time - point.time % point.span, point.span, point.unit)

        there = self._at([place(point) for point in values if point.metric in rows])

        def is_there(point: Point) -> bool:
            known = there.get(place(point)) if point.metric in rows else None
            return known is not None and known.count >= point.summary.count

        return [point for point in values if not is_there(point)]

    def _placed(self, account: str, region: str, values: Iterable[Point], now: float) -> dict[Place, Summary]:
        """Where the values belong; metrics that are not known become it."""
        named: dict[Metric, dict[tuple[int, int, str], Summary]] = {}
        for point in values:
            spans = named.setdefault(point.metric, {})
            key = (point.time - point.time % point.span, point.span, point.unit)
            if key in spans:
                spans[key].merge(point.summary)
            else:
                spans[key] = point.summary
        rows = self._rows(account, region, list(named), now)
        return {Place(rows[metric], *key): summary for metric, spans in named.items() for key, summary in spans.items()}

    def row(self, account: str, region: str, metric: Metric) -> int | None:
        """The row of a metric."""
        mine = (_S.account == account, _S.region == region, _S.digest == metric.digest())
        return self._connection.execute(select(_S.id).where(*mine)).scalar()

    def forget(self, account: str, region: str, wanted: Sequence[Metric]) -> None:
        """Remove metrics with all their values."""
        rows = [row for row, _ in self._known(account, region, [metric.digest() for metric in wanted]).values()]
        for each in (_emptied, _forgotten):
            self._session.change(each, {"rows": rows})

    def read(
        self, row: int, start: float, end: float, longest: int, unit: str | None, percentiles: bool
    ) -> Iterator[tuple[int, str, Summary]]:
        """The points of a series that begin from ``start`` to before ``end`` and are no longer than ``longest``, in
        their order: when each begins, its unit, and its values, from which ``percentiles`` can be read if so wished.
        """
        wanted = [_P.time, _P.unit, _P["count"], _P.sum, _P.least, _P.most]
        if percentiles:
            wanted.append(_P.sketch)
        conditions = [_P.series == row, _P.time >= start, _P.time < end, _P.span <= longest]
        if unit is not None:
            conditions.append(_P.unit == unit)
        statement = select(*wanted).where(*conditions).order_by(_P.time)
        for found in self._connection.execute(statement, execution_options={"yield_per": 1_000}):
            sketch = _decode(found[6]) if percentiles and found[6] is not None else None
            yield int(found[0]), found[1], Summary(found[2], found[3], found[4], found[5], sketch)

    def find(self, query: MetricQuery) -> list[tuple[int, Metric]]:
        """The metrics that ``query`` asks for with their rows, by namespace and name."""
        conditions: list[Any] = [_S.account == query.account, _S.region == query.region]
        if query.namespace is not None:
            conditions.append(_S.namespace == query.namespace)
        if query.name is not None:
            conditions.append(_S.name == query.name)
        for name, value in query.dimensions:
            # Within a value the quotation marks of this text would have a backslash before them.
            needle = orjson.dumps([name]).decode()[:-1] + "," if value is None else orjson.dumps([name, value]).decode()
            # LIKE looks at capital letters with some databases, and not with others.
            conditions.append(func.replace(_S.dimensions, needle, "") != _S.dimensions)
        if query.since:
            conditions.append(_S.published >= query.since)
        order = (_S.namespace, _S.name, _S.id)
        if query.after is not None:
            conditions.append(tuple_(*order) > tuple_(*query.after))
        statement = select(*order, _S.dimensions).where(*conditions).order_by(*order).limit(query.limit)
        return [
            (
                row.id,
                Metric(row.namespace, row.name, tuple((name, value) for name, value in orjson.loads(row.dimensions))),
            )
            for row in self._connection.execute(statement)
        ]

    def is_new(self, sender: str, number: int) -> bool:
        """Whether the batch ``number`` of ``sender`` has not been put yet; from now on it has.

        Numbers grow. Of other senders nothing is remembered once one begins with 1: they have left by then.
        """
        topic = f"{_BATCHES}{sender}"
        known = self._connection.execute(select(revisions.c.revision).where(revisions.c.topic == topic)).scalar()
        if known is not None and known >= number:
            return False
        mine = revisions.c.topic == topic
        others = revisions.c.topic.startswith(_BATCHES) if number == 1 else mine
        self._connection.execute(delete(revisions).where(others))
        self._connection.execute(insert(revisions).values(topic=topic, revision=number))
        return True

    def thin_out(self, now: float, most: int = 2_000) -> None:
        """Put together points that are old enough for it, and forget the oldest; no more than ``most`` of each kind."""
        for span, seconds in LONGEST.items():
            longer = _NEXT.get(span, span)
            before = int((now - seconds) // longer) * longer
            due = and_(_P.span == span, _P.time < before)
            places = select(*(_P[name] for name in _PLACE)).where(due).order_by(_P.time).limit(most)
            found = [Place(*row) for row in self._connection.execute(places)]
            if not found:
                continue
            self._lock({place.series for place in found})
            old = self._at(found)
            if span in _NEXT:
                longest: dict[Place, Summary] = {}
                for place, summary in old.items():
                    target = place._replace(time=place.time - place.time % longer, span=longer)
                    if target in longest:
                        longest[target].merge(summary)
                    else:
                        longest[target] = summary
                self._merge(longest)
            self._remove(old)

    def forget_old(self, now: float) -> None:
        """Forget the metrics that have no points any more. All metrics are gone through."""
        self._connection.execute(delete(series).where(_S.published < now - LONGEST[3_600]))

    # Rows of metrics

    def _rows(self, account: str, region: str, metrics: Sequence[Metric], now: float) -> dict[Metric, int]:
        """The rows of metrics, made where there are none, and held by this transaction until it ends."""
        digests = {metric.digest(): metric for metric in metrics}
        rows: dict[Metric, int] = {}
        stale: list[int] = []
        ordered = sorted(digests)
        for some in _batches(ordered):
            known = self._known(account, region, some)
            missing = [digest for digest in some if digest not in known]
            if missing:
                values = [_row(account, region, digest, digests[digest], now) for digest in missing]
                # Somebody else may make the same at this moment, on a database with several writers.
                self._session.change_each(self._making(), values)
                known |= self._known(account, region, missing)
            for digest, (row, published) in known.items():
                rows[digests[digest]] = row
                if published < now:
                    stale.append(row)
        for some_rows in _batches(stale):
            self._session.change(_published, {"rows": some_rows, "now": now})
        return rows

    def _known(self, account: str, region: str, digests: Sequence[str]) -> dict[str, tuple[int, float]]:
        wanted = {"of_account": account, "of_region": region, "digests": digests}
        return {digest: (row, published) for digest, row, published in self._session.rows(_known, wanted)}

    def _lock(self, rows: Iterable[int]) -> None:
        for some in _batches(sorted(rows)):
            self._connection.execute(select(_S.id).where(_S.id.in_(some)).order_by(_S.digest).with_for_update()).all()

    def _making(self) -> Prepared:
        if self._connection.dialect.name == "postgresql":
            # Imported here because it costs every start of the processes, most of which have SQLite.
            from sqlalchemy.dialects import postgresql

            return Prepared(postgresql.insert(series).on_conflict_do_nothing())
        return _new

    # Points

    def _merge(self, given: Mapping[Place, Summary]) -> None:
        """Put values into their points."""
        there = self._at(given)
        added, changed = [], []
        for place, summary in given.items():
            present = there.get(place)
            if present is None:
                added.append({**place._asdict(), **_values(summary)})
                continue
            present.merge(summary)
            values = {f"new_{name}": value for name, value in _values(present).items()}
            changed.append({f"at_{name}": value for name, value in place._asdict().items()} | values)
        self._session.change_each(_added, added)
        self._session.change_each(_changed, changed)

    def _at(self, places: Iterable[Place]) -> dict[Place, Summary]:
        """The points that there are at these places."""
        found: dict[Place, Summary] = {}
        for some in _batches(sorted(places)):
            wanted = set(some)
            rows = sorted({place.series for place in some})
            times = sorted({place.time for place in some})
            for row in self._session.rows(_there, {"rows": rows, "times": times}):
                at_series, time, span, unit, count, total, least, most, sketch = row
                place = Place(at_series, time, span, unit)
                if place in wanted:
                    decoded = _decode(sketch) if sketch is not None else None
                    found[place] = Summary(count, total, least, most, decoded)
        return found

    def _remove(self, places: Iterable[Place]) -> None:
        values = [{f"at_{name}": value for name, value in place._asdict().items()} for place in places]
        self._session.change_each(_removed, values)


def _row(account: str, region: str, digest: str, metric: Metric, now: float) -> dict[str, Any]:
    return {
        "account": account,
        "region": region,
        "namespace": metric.namespace,
        "name": metric.name,
        "dimensions": orjson.dumps(metric.dimensions).decode(),
        "digest": digest,
        "published": now,
    }


def _values(summary: Summary) -> dict[str, Any]:
    sketch = _encode(summary.sketch) if summary.sketch is not None else None
    return {"count": summary.count, "sum": summary.sum, "least": summary.least, "most": summary.most, "sketch": sketch}


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while some := list(islice(rest, _AT_ONCE)):
        yield some
