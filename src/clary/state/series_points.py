"""What is known of the values of a metric within a span of time, and the metric that they belong to."""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import msgspec
import orjson

from clary.state.series_sketch import Sketch

SPANS = (1, 60, 300, 3_600)
"""The seconds that a point may sum up."""

Dimensions = tuple[tuple[str, str], ...]


class Metric(NamedTuple):
    """What names a series of points within an account and a region; dimensions are in the order of their names."""

    namespace: str
    name: str
    dimensions: Dimensions

    def digest(self) -> str:
        """The same for the same metric alone."""
        return hashlib.sha256(orjson.dumps(tuple(self))).hexdigest()[:32]


class Summary(msgspec.Struct, array_like=True):
    """What some values come to."""

    count: float = 0
    sum: float = 0.0
    least: float = math.inf
    most: float = -math.inf
    sketch: Sketch | None = msgspec.field(default_factory=Sketch)
    """Where percentiles are read from; ``None`` where only the statistics of some values were told."""

    @classmethod
    def of(cls, count: float, total: float, least: float, most: float) -> Summary:
        """Of values of which only the statistics are told; where they leave no doubt, they tell the values too."""
        sketch = None
        if count > 0 and least == most:
            sketch = Sketch()
            sketch.add(most, count)
        return cls(count, total, least, most, sketch)

    def add(self, value: float, count: float = 1) -> None:
        """Put in a value ``count`` times."""
        self.count += count
        self.sum += value * count
        self.least = min(self.least, value)
        self.most = max(self.most, value)
        if self.sketch is not None:
            self.sketch.add(value, count)

    def merge(self, other: Summary) -> None:
        """Put in the values that ``other`` sums up."""
        self.count += other.count
        self.sum += other.sum
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)
        if self.sketch is not None and other.sketch is not None:
            self.sketch.merge(other.sketch)
        else:
            self.sketch = None

    def percentile(self, percent: float) -> float | None:
        """The value that ``percent`` of the values do not exceed, off by at most ``RELATIVE_ERROR`` of itself.

        ``None`` if there are no values, or if they are not known.
        """
        if self.sketch is None or not self.count:
            return None
        if percent <= 0:
            return self.least
        if percent >= 100:
            return self.most
        return min(max(self.sketch.quantile(percent / 100), self.least), self.most)


class Point(msgspec.Struct, array_like=True):
    """The values of a metric within one span."""

    metric: Metric
    unit: str
    span: int
    """Seconds; one of ``SPANS``."""
    time: int
    """Any second of the span, since the epoch."""
    summary: Summary
