"""Values of an objective as a surrogate takes them: small is good, around 0, with no value far from the others.

Reference: Salinas et al. 2020, "A quantile-based approach for hyperparameter transfer learning",
https://arxiv.org/abs/1909.13595 (normal scores, by which searches on different data are compared).
"""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

Array = Any

_NORMAL = NormalDist()


def standings(values: Array) -> Array:
    """How good each of ``values`` (n,) is among them, small is good: mean 0, deviation 1. Equal values stand equal.

    It is the mean of two views: of the distances of the values, where those beyond twice the way from the best to the
    median count as one, since how bad a bad value is tells nothing; and of their ranks alone.
    """
    best, middle = values.min(), np.median(values)
    clipped = np.minimum(values, middle + (middle - best)) if middle > best else values
    return _standardised(_standardised(clipped) + _standardised(_normal_scores(values)))


def _normal_scores(values: Array) -> Array:
    """What values (n,) of a normal distribution would be at their ranks; equal ones share theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    shares = (np.cumsum(counts) - counts / 2) / len(values)
    return np.array([_NORMAL.inv_cdf(share) for share in shares])[inverse]


def _standardised(values: Array) -> Array:
    """With mean 0 and deviation 1, or all 0 where they are equal; values may be as large as numbers get."""
    largest = np.abs(values).max()
    scaled = values / largest if largest else values
    around = scaled - scaled.mean()
    deviation = around.std()
    return around / deviation if deviation > 1e-12 else np.zeros_like(around)
