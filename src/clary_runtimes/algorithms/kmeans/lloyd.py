"""The two steps of Lloyd's method, and the method itself on weighted points that fit in memory.

References: S. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory 28 (1982);
D. Arthur, S. Vassilvitskii, "k-means++: The Advantages of Careful Seeding", SODA 2007.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = Any

CANDIDATES_AT_LEAST = 2
"""Greedy seeding: each centre is the best of this many and log(k) points drawn."""


class Solution(NamedTuple):
    """Centres (k, columns), and the sum of weighted squared distances of the points to them."""

    centers: Array
    loss: float


def nearest(points: Array, centers: Array) -> tuple[Array, Array]:
    """The number of the nearest of ``centers`` for each point, and the squared distance to it.

    ``points`` is (points, columns), dense or CSR, and should lie around the origin: distances come from a matrix
    product, which rounds by the squares of the coordinates.
    """
    product = points @ centers.T
    product *= -2
    product += np.einsum("ij,ij->i", centers, centers)
    which = product.argmin(axis=1)
    least = product[np.arange(len(product)), which]
    return which, np.maximum(least + squares(points), 0)


def squares(points: Array) -> Array:
    """The squared length of each point."""
    if isinstance(points, np.ndarray):
        return np.einsum("ij,ij->i", points, points)
    return np.asarray(points.multiply(points).sum(axis=1)).ravel()


def sums(points: Array, which: Array, count: int, weights: Array | None = None) -> Array:
    """The (weighted) sum of the points of each of ``count`` clusters, (count, columns)."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(which), dtype=points.dtype) if weights is None else weights.astype(points.dtype)
    indicator = csr_matrix((ones, (which, np.arange(len(which)))), shape=(count, len(which)))
    total = indicator @ points
    return total if isinstance(total, np.ndarray) else total.toarray()


def seed(points: Array, k: int, method: str, generator: Any, weights: Array | None = None) -> Array:
    """``k`` of the (dense) points as first centres: at random, or by ``kmeans++``."""
    weights = np.ones(len(points)) if weights is None else weights
    if method == "random":
        chosen = generator.choice(len(points), k, replace=False, p=_shares(weights, k))
        return points[chosen].copy()
    tries = CANDIDATES_AT_LEAST + int(np.log(k))
    chosen = [int(generator.choice(len(points), p=weights / weights.sum()))]
    lengths = squares(points)
    distances = _distances(points, lengths, points[chosen])[0]
    while len(chosen) < k:
        chances = distances * weights
        total = chances.sum()
        if total <= 0:  # all points are centres already
            left = np.setdiff1d(np.arange(len(points)), chosen)
            return points[[*chosen, *left[: k - len(chosen)]]].copy()
        drawn = generator.choice(len(points), tries, p=chances / total)
        closer = np.minimum(_distances(points, lengths, points[drawn]), distances)
        best = int((closer @ weights).argmin())
        chosen.append(int(drawn[best]))
        distances = closer[best]
    return points[chosen].copy()


def lloyd(
    points: Array,
    weights: Array,
    centers: Array,
    iterations: int,
    tolerance: float,
) -> Solution:
    """Move ``centers`` until the loss falls by less than ``tolerance`` of itself, or for so many ``iterations``."""
    loss = np.inf
    for _ in range(iterations):
        which, distances = nearest(points, centers)
        now = float(distances @ weights)
        mass = np.bincount(which, weights, len(centers))
        moved = sums(points, which, len(centers), weights) / np.where(mass > 0, mass, 1)[:, None]
        centers = np.where(mass[:, None] > 0, moved, centers).astype(points.dtype)
        if loss - now <= tolerance * now:
            break
        loss = now
    return Solution(centers, float(nearest(points, centers)[1] @ weights))


def best_of(trials: int, attempt: Callable[[], Solution], heard: Callable[[int, Solution], None]) -> Solution:
    """The solution with the least loss of so many attempts; ``heard`` is told of each."""
    best: Solution | None = None
    for number in range(trials):
        found = attempt()
        heard(number, found)
        if best is None or found.loss < best.loss:
            best = found
    assert best is not None
    return best


def _distances(points: Array, lengths: Array, to: Array) -> Array:
    """Squared distances (to, points)."""
    return np.maximum(squares(to)[:, None] - 2 * (to @ points.T) + lengths, 0)


def _shares(weights: Array, k: int) -> Array | None:
    return weights / weights.sum() if np.count_nonzero(weights) >= k else None
