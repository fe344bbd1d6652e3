"""Values measured over time, and the points that sum them up."""

from __future__ import annotations

import math

import pytest

from clary.state.database import Database
from clary.state.metrics import Measurement, SeriesQuery, Statistic


def series(database: Database, statistic: Statistic, span: int | None = 10, **others: float) -> list[tuple[int, float]]:
    with database.read() as transaction:
        return transaction.metrics.series(SeriesQuery(1, "loss", statistic, span, **others))  # type: ignore[arg-type]


def test_points_are_statistics_of_spans(database: Database) -> None:
    values = [Measurement("loss", time, step, value) for time, step, value in
              ((19.9, 1, 4.0), (10.0, 0, 2.0), (19.9, 2, 6.0), (20.0, None, 1e9 + 1), (25.0, 3, 1e9 + 2))]  # fmt: skip
    with database.write() as transaction:
        assert transaction.metrics.add(1, values) == 5
        transaction.metrics.add(2, [Measurement("loss", 10.0, 0, -1.0)])
        transaction.metrics.add(1, [Measurement("other", 10.0, 0, -1.0)])
    assert series(database, "Min") == [(10, 2.0), (20, 1e9 + 1)]
    assert series(database, "Max") == [(10, 6.0), (20, 1e9 + 2)]
    assert series(database, "Avg") == [(10, 4.0), (20, 1e9 + 1.5)]
    assert series(database, "Count") == [(10, 3.0), (20, 2.0)]
    # Of two values at one time the one that came later is the last.
    assert series(database, "Last") == [(10, 6.0), (20, 1e9 + 2)]
    (_, first), (_, second) = series(database, "StdDev")
    assert first == pytest.approx(math.sqrt(8 / 3))
    assert second == pytest.approx(0.5)

    assert series(database, "Last", None) == [(0, 2.0), (1, 4.0), (2, 6.0), (3, 1e9 + 2)]
    assert series(database, "Count", None, start=1, end=2) == [(1, 1.0), (2, 1.0)]
    assert series(database, "Count", start=19.9, end=20.0) == [(10, 2.0), (20, 1.0)]
    assert series(database, "Count", limit=1) == [(10, 3.0)]


def test_what_is_removed_is_gone(database: Database) -> None:
    with database.write() as transaction:
        transaction.metrics.add(1, (Measurement("loss", float(number), None, 1.0) for number in range(25_000)))
    assert series(database, "Count", 100_000) == [(0, 25_000.0)]
    with database.write() as transaction:
        transaction.metrics.remove(1)
    assert series(database, "Count") == []
