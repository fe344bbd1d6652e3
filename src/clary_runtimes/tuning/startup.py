"""The first points of a search: spread evenly, as nothing is known yet.

Reference: Roberts 2018, "The unreasonable effectiveness of quasirandom sequences" (the sequence R), shifted at random.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from clary_runtimes.tuning.space import Space

Array = Any


def spread_evenly(space: Space, seed: int, first: int, count: int) -> Array:
    """Points ``first`` to ``first + count`` (count, dimensions) of the sequence that belongs to ``seed``."""
    width = len(space.dimensions)
    ratio = 2.0
    for _ in range(60):
        ratio = (1 + ratio) ** (1 / (width + 1))  # the root of x^(width + 1) = x + 1
    steps = ratio ** -np.arange(1.0, width + 1)
    shift = np.random.default_rng(seed).random(width)
    numbers = np.arange(first + 1.0, first + count + 1)[:, None]
    return space.spread((shift + numbers * steps) % 1.0)
