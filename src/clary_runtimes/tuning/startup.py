"""The first points of a search: spread evenly, as nothing is known yet.

References: McKay et al. 1979, "A comparison of three methods for selecting values of input variables" (Latin
hypercubes); Johnson et al. 1990, "Minimax and maximin distance designs".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clary_runtimes.tuning.space import Space

Array = Any

BLOCK = 8
"""So many points are a Latin hypercube: each eighth of every dimension has one of them."""
_DRAWS = 20


def evenly(space: Space, seed: int, place: int) -> Array:
    """The point (dimensions,) at ``place`` (0, 1, …) of the sequence that belongs to ``seed``."""
    generator = np.random.default_rng([seed, place // BLOCK])
    hypercubes = [_hypercube(len(space.dimensions), generator) for _ in range(_DRAWS)]
    return space.spread(max(hypercubes, key=_least_distance))[place % BLOCK]


def _hypercube(width: int, generator: np.random.Generator) -> Array:
    cells = generator.permuted(np.tile(np.arange(BLOCK), (width, 1)), axis=1).T
    return (cells + generator.random((BLOCK, width))) / BLOCK


def _least_distance(points: Array) -> float:
    squares = ((points[:, None] - points) ** 2).sum(axis=2)
    return float(squares[np.triu_indices(BLOCK, 1)].min())
