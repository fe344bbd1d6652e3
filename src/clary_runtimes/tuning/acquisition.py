"""Where to look next: the point that promises the most expected improvement on the best that is known.

Reference: Jones et al. 1998, "Efficient global optimization of expensive black-box functions".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from clary_runtimes.tuning.space import Space
from clary_runtimes.tuning.surrogate import Surrogate

Array = Any

ANYWHERE = 600
"""Points of the whole space that are looked at."""
AROUND = 50
"""Neighbours that are looked at around each of the best points."""
LEADERS = 5
ROUNDS = 4
_FIRST_REACH, _SHRINK = 0.2, 0.5

_upper_tail = np.frompyfunc(lambda z: 0.5 * math.erfc(z / math.sqrt(2)), 1, 1)


def most_promising(
    space: Space, surrogate: Surrogate, observed: Array, generator: np.random.Generator, taken: Sequence[Array] = ()
) -> Array:
    """The point (dimensions,) with the most expected improvement, of many that are looked at.

    ``observed`` (n, dimensions) are the points whose values are known, of which the best is to be improved on; a point
    of ``taken`` is not chosen while the space has others. The objective is made small.
    """
    means, _ = surrogate.predict(observed)
    incumbent = float(means.min())
    leaders = observed[np.argsort(means, kind="stable")[:LEADERS]]
    candidates = np.concatenate([space.everything(ANYWHERE, generator), space.around(leaders, AROUND, 0.1, generator)])
    reach = _FIRST_REACH
    best, gain = candidates[:0], np.empty(0)
    for _ in range(ROUNDS):
        candidates = candidates[space.untaken(candidates, taken)]
        best = np.concatenate([best, candidates])
        gain = np.concatenate([gain, log_improvement(*surrogate.predict(candidates), incumbent)])
        order = np.argsort(-gain, kind="stable")[:LEADERS]
        best, gain = best[order], gain[order]
        candidates = space.around(best, AROUND, reach, generator)
        reach *= _SHRINK
    return best[0]


def log_improvement(means: Array, deviations: Array, incumbent: float) -> Array:
    """The logarithm (n,) of what values of these means and deviations (n,) fall below ``incumbent`` by, expected."""
    z = (incumbent - means) / deviations
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    near = density + z * _upper_tail(-z).astype(np.float64)
    # Far below, what is left of the difference is rounding: there its asymptote holds.
    far = -0.5 * z**2 - 0.5 * math.log(2 * math.pi) - np.log(np.maximum(z**2, 1))
    return np.log(deviations) + np.where(z > -5, np.log(np.maximum(near, 1e-300)), far)
