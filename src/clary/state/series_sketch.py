"""A histogram of any values from which percentiles are read: small, and two of them can be put together.

Each bucket holds the values between two powers of ``_BASE``, so that a percentile is off by at most ``RELATIVE_ERROR``
of itself, wherever the values lie and however many there are. This is the idea of DDSketch.

Reference: https://arxiv.org/abs/1908.10693
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import msgspec

RELATIVE_ERROR = 0.01
"""The most by which a percentile is off, as a share of it."""
MOST_BUCKETS = 2_048
"""So many buckets span seventeen powers of ten; of values that lie wider apart, the smallest share one bucket."""
_BASE = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
PER_LOG = 1 / math.log(_BASE)
"""The bucket of a positive value is ``ceil(log(value) * PER_LOG)``."""

Count = int | float
Buckets = dict[int, Count]


class Sketch(msgspec.Struct, array_like=True):
    """How many values lie in each bucket; those below zero have buckets of their own, by their distance from it."""

    zeros: Count = 0
    positive: Buckets = msgspec.field(default_factory=dict)
    negative: Buckets = msgspec.field(default_factory=dict)

    def add(self, value: float, count: Count = 1) -> None:
        """Put in a value ``count`` times; it must be finite."""
        if not value:
            self.zeros += count
            return
        buckets = self.positive if value > 0 else self.negative
        index = math.ceil(math.log(abs(value)) * PER_LOG)
        buckets[index] = buckets.get(index, 0) + count
        if len(buckets) > MOST_BUCKETS:
            _shorten(buckets)

    def merge(self, other: Sketch) -> None:
        """Put in all that ``other`` holds."""
        self.zeros += other.zeros
        for mine, theirs in ((self.positive, other.positive), (self.negative, other.negative)):
            for index, count in theirs.items():
                mine[index] = mine.get(index, 0) + count
            if len(mine) > MOST_BUCKETS:
                _shorten(mine)

    @property
    def count(self) -> Count:
        """How many values there are."""
        return self.zeros + sum(self.positive.values()) + sum(self.negative.values())

    def quantile(self, share: float) -> float:
        """The value below which ``share`` (0 to 1) of the others lie; there must be one at least."""
        before = share * (self.count - 1)
        seen: Count = 0
        reached = 0.0
        for value, count in self._ascending():
            reached = value
            seen += count
            if seen > before:
                break
        return reached

    def _ascending(self) -> Iterator[tuple[float, Count]]:
        for index in sorted(self.negative, reverse=True):
            yield -_middle(index), self.negative[index]
        if self.zeros:
            yield 0.0, self.zeros
        for index in sorted(self.positive):
            yield _middle(index), self.positive[index]


def _middle(index: int) -> float:
    """The value that is off by the same share from both ends of a bucket."""
    return 2 * _BASE**index / (_BASE + 1)


def _shorten(buckets: Buckets) -> None:
    indices = sorted(buckets)
    first = indices[len(indices) - MOST_BUCKETS]
    for index in indices:
        if index == first:
            return
        buckets[first] += buckets.pop(index)
