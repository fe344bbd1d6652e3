"""Values of an objective as a surrogate takes them: small is good, around 0, with no value far from the others."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

_FLOOR = 0.5
"""What is added to distances from the best before their logarithm is taken, so that the best is not alone."""
_FARTHEST = 4.0
"""A distance from the best, in those of the median, beyond which values count as equal: they are bad."""


def standings(values: Array) -> Array:
    """How good each of ``values`` (n,) is among them, small is good: mean 0, deviation 1, or all 0 if they are equal.

    It is the logarithm of the distance from the best, in units of the median's distance: differences among good values
    count more than those among bad ones, and what the values are multiplied by, or what is added, not at all.
    """
    # Numbers may be as large as they get, so that a difference of two is none any more.
    scaled = values / (np.abs(values).max() or 1.0)
    distances = scaled - scaled.min()
    unit = np.median(distances) or distances.max()
    if not unit:
        return np.zeros(len(values))
    logarithms = np.log(_FLOOR + np.minimum(distances / unit, _FARTHEST))
    around = logarithms - logarithms.mean()
    return around / around.std()
