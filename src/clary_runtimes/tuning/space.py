"""The space that is searched: numbers from 0 to 1, and categories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any

CLOSE = 0.005
"""Numbers less than this apart are as good as the same: the objective's noise hides what they differ by."""
_WHOLE = 4096
"""A space of no more categorical points than these is looked at as a whole."""


class Space:
    """``dimensions`` holds 0 for a number from 0 to 1, and k for one of k categories, which is an index below k.

    Points are arrays (n, dimensions) of float64.
    """

    def __init__(self, dimensions: Sequence[int]) -> None:
        self.dimensions = list(dimensions)
        self._sizes = np.array(dimensions, dtype=np.float64)
        self.finite = all(dimensions)
        """Whether there are only categories."""
        self.count = math.prod(dimensions) if self.finite else math.inf
        """How many different points there are."""

    def everything(self, count: int, generator: np.random.Generator) -> Array:
        """``count`` points anywhere, or all of a small finite space."""
        if self.count <= _WHOLE:
            grids = np.meshgrid(*(np.arange(size) for size in self.dimensions), indexing="ij")
            return np.stack([grid.ravel() for grid in grids], axis=1).astype(np.float64)
        return self.spread(generator.random((count, len(self.dimensions))))

    def spread(self, numbers: Array) -> Array:
        """Points from numbers (n, dimensions) of the half-open unit cube."""
        return np.where(self._sizes > 0, np.floor(numbers * np.maximum(self._sizes, 1)), numbers)

    def around(self, centres: Array, count: int, reach: float, generator: np.random.Generator) -> Array:
        """``count`` neighbours of each of ``centres``: some of its dimensions moved, numbers by about ``reach``."""
        shape = (len(centres) * count, len(self.dimensions))
        rows = np.repeat(centres, count, axis=0)
        moved = generator.random(shape) < max(1.5 / shape[1], 0.3)
        moved[np.arange(shape[0]), generator.integers(shape[1], size=shape[0])] = True
        sizes = reach * np.exp(generator.normal(-1.0, 1.0, (shape[0], 1)))
        numbers = np.clip(rows + sizes * generator.normal(size=shape), 0.0, 1.0)
        others = np.floor(generator.random(shape) * np.maximum(self._sizes, 1))
        return np.where(moved, np.where(self._sizes > 0, others, numbers), rows)

    def untaken(self, points: Array, taken: Sequence[Array]) -> Array:
        """Which of ``points`` (n,) are not ``CLOSE`` to one of ``taken`` in every dimension; all, where all are."""
        if not taken:
            return np.ones(len(points), dtype=bool)
        apart = np.zeros((len(points), len(taken)), dtype=bool)
        for mine, theirs in zip(points.T, np.stack(taken).T, strict=True):
            apart |= np.abs(mine[:, None] - theirs) >= CLOSE
        free = apart.all(axis=1)
        return free if free.any() else np.ones(len(points), dtype=bool)
