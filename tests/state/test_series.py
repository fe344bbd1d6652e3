"""Metrics by name: points that are put together, thinned out, found, and asked for percentiles."""

from __future__ import annotations

import math
import random

import pytest

from clary.state.database import Database
from clary.state.series import DAY, HOUR, MetricQuery
from clary.state.series_points import Metric, Point, Summary
from clary.state.series_sketch import MOST_BUCKETS, RELATIVE_ERROR, Sketch

HERE = ("123456789012", "us-east-1")
NOW = 1_800_000_000


def metric(name: str = "m", **dimensions: str) -> Metric:
    return Metric("Mine", name, tuple(sorted(dimensions.items())))


def summary(*values: float) -> Summary:
    made = Summary()
    for value in values:
        made.add(value)
    return made


def put(database: Database, name: Metric, *values: tuple[float, float], span: int = 60, now: float = NOW) -> None:
    points = [Point(name, "None", span, int(time), summary(value)) for time, value in values]
    with database.write() as transaction:
        transaction.series.add(*HERE, points, now)


def read(database: Database, name: Metric, longest: int = 3_600) -> list[tuple[int, float, float]]:
    with database.read() as transaction:
        row = transaction.series.row(*HERE, name)
        assert row is not None
        found = transaction.series.read(row, 0, NOW * 2, longest, None, False)
        return [(time, each.count, each.sum) for time, _, each in found]


def draws(kind: str, count: int) -> list[float]:
    source = random.Random(kind)
    draw = {
        "latency": lambda: source.lognormvariate(7, 1),
        "normal": lambda: source.gauss(0, 50),
        "uniform": lambda: source.uniform(0, 1),
        "few": lambda: float(source.choice([-3, -1, 0, 0, 2, 1e9])),
    }[kind]
    return [draw() for _ in range(count)]


@pytest.mark.parametrize("kind", ["latency", "normal", "uniform", "few"])
@pytest.mark.parametrize("count", [1, 2, 10, 5_000])
def test_percentiles_are_within_the_error(kind: str, count: int) -> None:
    values = draws(kind, count)
    # In parts, as they come in.
    whole = summary(*values[: count // 3])
    whole.merge(summary(*values[count // 3 :]))
    ordered = sorted(values)
    for percent in (0, 1, 25, 50, 75, 90, 99, 99.9, 100):
        # numpy.percentile(values, percent, method="lower")
        exact = ordered[math.floor(percent / 100 * (count - 1))]
        assert whole.percentile(percent) == pytest.approx(exact, rel=RELATIVE_ERROR, abs=1e-12), percent
    assert (whole.percentile(0), whole.percentile(100)) == (ordered[0], ordered[-1])


def test_values_that_lie_far_apart_share_a_bucket() -> None:
    sketch = Sketch()
    for power in range(-360, 361):
        for step in range(6):
            sketch.add(2.0**power * (1 + step / 6))
    assert len(sketch.positive) == MOST_BUCKETS
    assert sketch.count == 721 * 6
    assert sketch.quantile(0.9) == pytest.approx(2.0**288, rel=1)
    assert sketch.quantile(1) == pytest.approx(2.0**360 * 11 / 6, rel=RELATIVE_ERROR)


def test_statistics_alone_have_no_percentiles_unless_they_leave_no_doubt() -> None:
    assert Summary.of(10, 50, 1, 9).percentile(50) is None
    assert Summary.of(10, 50, 5, 5).percentile(50) == 5
    whole = summary(1, 2)
    whole.merge(Summary.of(10, 50, 1, 9))
    assert (whole.count, whole.sum, whole.least, whole.most, whole.percentile(50)) == (12, 53, 1, 9, None)
    assert Summary().percentile(50) is None


def test_values_of_one_span_become_one_point(database: Database) -> None:
    minute = NOW - NOW % 60
    put(database, metric(), (minute, 1), (minute + 59, 2), (minute + 60, 5))
    put(database, metric(), (minute + 30, 3))
    put(database, metric(d="e"), (minute, 9))
    assert read(database, metric()) == [(minute, 3, 6), (minute + 60, 1, 5)]
    put(database, metric(), (minute + 1, 1), (minute + 1, 1), span=1)
    assert read(database, metric(), longest=1) == [(minute + 1, 2, 2)]
    with database.read() as transaction:
        row = transaction.series.row(*HERE, metric())
        assert row is not None
        [first, *_] = transaction.series.read(row, minute, minute + 1, 60, "None", True)
        assert first[2].percentile(50) == pytest.approx(2, rel=RELATIVE_ERROR)
        assert list(transaction.series.read(row, minute, minute + 61, 60, "Seconds", True)) == []
        assert transaction.series.row(HERE[0], "eu-west-1", metric()) is None


def test_points_grow_longer_with_age_and_are_forgotten_in_the_end(database: Database) -> None:
    hour = NOW - NOW % 3_600
    put(database, metric(), *((hour + second, 1.0) for second in range(400)), span=1)
    put(database, metric(), *((hour + minute * 60, 1.0) for minute in range(10)))

    def thinned(now: float, longest: int) -> list[tuple[int, float, float]]:
        with database.write() as transaction:
            transaction.series.thin_out(now)
        return read(database, metric(), longest)

    assert len(thinned(hour + HOUR, 1)) == 400
    # A minute that is not over stays as it is.
    assert len(thinned(hour + 3 * HOUR + 390, 1)) == 40
    minutes = [(hour + minute * 60, 61 if minute < 6 else 1, 61 if minute < 6 else 1) for minute in range(10)]
    minutes[6] = (hour + 360, 41, 41)
    assert thinned(hour + 4 * HOUR, 1) == []
    assert read(database, metric(), 60) == minutes
    assert thinned(hour + 16 * DAY, 300) == [(hour, 305, 305), (hour + 300, 105, 105)]
    assert thinned(hour + 16 * DAY, 60) == []
    assert thinned(hour + 64 * DAY, 3_600) == [(hour, 410, 410)]
    with database.read() as transaction:
        row = transaction.series.row(*HERE, metric())
        assert row is not None
        [(_, _, kept)] = transaction.series.read(row, 0, NOW * 2, 3_600, None, True)
        assert kept.percentile(99) == 1
    put(database, metric("young"), (hour, 1), now=hour + 100 * DAY)
    with database.write() as transaction:
        for _ in range(2):
            transaction.series.thin_out(hour + 456 * DAY)
            transaction.series.forget_old(hour + 456 * DAY)
        # No value was put to the one for too long.
        assert transaction.series.row(*HERE, metric()) is None
        assert transaction.series.row(*HERE, metric("young")) is not None
    assert read(database, metric("young")) == []


def test_a_point_that_is_known_as_a_whole_is_put_once(database: Database) -> None:
    def point(name: str, time: int, *values: float) -> Point:
        summary = Summary()
        for value in values:
            summary.add(value)
        return Point(metric(name), "Percent", 60, time, summary)

    minute = NOW - NOW % 60
    first = [point("a", minute, 1, 3), point("b", minute, 5)]

    def again(*points: Point) -> list[tuple[str, int]]:
        """What was lacking of these points, which are there from now on."""
        with database.read() as transaction:
            lacking = transaction.series.lacking(*HERE, points)
        with database.write() as transaction:
            transaction.series.put(*HERE, points, NOW)
        with database.read() as transaction:
            assert transaction.series.lacking(*HERE, points) == []
        return [(each.metric.name, each.time) for each in lacking]

    assert again(*first) == [("a", minute), ("b", minute)]
    assert again(*first) == again(point("a", minute, 7)) == []
    assert read(database, metric("a")) == [(minute, 2, 4)]
    # One of more values knows more, and one of another minute is another one.
    assert again(point("a", minute, 1, 3, 8), point("b", minute + 60, 1), first[1]) == [
        ("a", minute),
        ("b", minute + 60),
    ]
    assert read(database, metric("a")) == [(minute, 3, 12)]
    assert read(database, metric("b")) == [(minute, 1, 5), (minute + 60, 1, 1)]
    # Of another region nothing is known.
    with database.read() as transaction:
        assert transaction.series.lacking(HERE[0], "eu-west-1", first) == first
        assert transaction.series.lacking(*HERE, []) == []


def test_thinning_out_goes_on_where_it_ended(database: Database) -> None:
    put(database, metric(), *((second, 1.0) for second in range(NOW, NOW + 300)), span=1)
    for _ in range(4):
        with database.write() as transaction:
            transaction.series.thin_out(NOW + DAY, most=100)
    assert sum(count for _, count, _ in read(database, metric())) == 300
    assert read(database, metric(), 1) == []


def test_metrics_are_found_by_all_that_they_are_called(database: Database) -> None:
    odd = 'x","a'
    known = [
        metric("a"),
        metric("a", d="1"),
        metric("a", d="1", e='["d","1"]'),
        metric("a", D="1"),
        metric("b", d=odd),
    ]
    for each in known:
        put(database, each, (NOW, 1))

    def found(**wanted: object) -> list[Metric]:
        with database.read() as transaction:
            query = MetricQuery(*HERE, **wanted)  # type: ignore[arg-type]
            return [each for _, each in transaction.series.find(query)]

    assert found() == known
    assert found(name="b") == known[4:]
    assert found(namespace="mine") == []
    assert found(dimensions=(("d", "1"),)) == known[1:3]
    assert found(dimensions=(("d", None),)) == [*known[1:3], known[4]]
    assert found(dimensions=(("D", None),)) == [known[3]]
    assert found(dimensions=(("d", "1"), ("e", None))) == [known[2]]
    assert found(dimensions=(("d", odd),)) == [known[4]]
    assert found(dimensions=(("x", None),)) == []
    assert found(since=NOW + 1) == []
    page: list[Metric] = []
    after = None
    with database.read() as transaction:
        while some := transaction.series.find(MetricQuery(*HERE, after=after, limit=2)):
            page += [each for _, each in some]
            after = (some[-1][1].namespace, some[-1][1].name, some[-1][0])
    assert page == known


def test_a_batch_is_new_once(database: Database) -> None:
    with database.write() as transaction:
        store = transaction.series
        assert [store.is_new("edge", number) for number in (1, 1, 2, 1, 2, 3)] == [
            True,
            False,
            True,
            False,
            False,
            True,
        ]
        assert store.is_new("other", 1)
        assert not store.is_new("other", 1)
        # The first batch of another one says that its predecessor is gone.
        assert store.is_new("edge", 3)


def test_everything_is_forgotten(database: Database) -> None:
    put(database, metric(), (NOW, 1))
    with database.write() as transaction:
        transaction.clear()
        assert transaction.series.row(*HERE, metric()) is None
    put(database, metric(), (NOW, 1))
    assert read(database, metric()) == [(NOW - NOW % 60, 1, 1)]
