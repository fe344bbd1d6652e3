"""A Gaussian process over points of the unit cube and categories, for few and dear observations.

References: Rasmussen and Williams 2006, chapters 2, 4 and 5; Snoek et al. 2012, https://arxiv.org/abs/1206.2944; the
prior of the length scales, whose median is the root of the number of dimensions, after Hvarfner et al. 2024,
https://arxiv.org/abs/2402.02229.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

Array = Any

STEPS = 30
"""Of the ascent to the likeliest parameters."""
FITTED_ROWS = 48
"""The parameters are fitted to at most so many observations; predictions use all of them."""
_JITTER = 1e-8
_OFFSET = 1.0
"""The variance of what each group's values differ by as a whole: their mean is that of what was tried, good or bad."""
_SCALE_WIDTH = math.sqrt(3)
_NOISE_MEAN, _NOISE_WIDTH = math.log(1e-3), 2.0
_LEAST, _MOST = -12.0, 8.0


class Parameters(NamedTuple):
    """What the kernel is made of: ``weights`` (dimensions,) are inverse length scales, the last one that of the
    groups; ``variance`` and ``noise`` are variances."""

    weights: Array
    variance: float
    noise: float


class Surrogate:
    """What is believed of the objective after some observations of it.

    ``points`` (n, dimensions) hold numbers from 0 to 1, and indices where ``dimensions`` names a number of categories
    instead of 0. ``groups`` (n,) tells apart data on which the objective was observed; predictions are those of group
    0, and how much the other groups tell of it is learnt. ``values`` (n,) should have mean 0 and deviation 1 or so.
    """

    def __init__(self, dimensions: Sequence[int], points: Array, groups: Array, values: Array) -> None:
        self._embedding = _Embedding(dimensions, int(groups.max(initial=0)) + 1)
        self._offset = _OFFSET if len(np.unique(groups)) > 1 else 0.0
        self._rows, self._groups, self._values = self._embedding.rows(points, groups), groups, values
        chosen = _sample(values, groups)
        shared = self._offset * (groups[chosen][:, None] == groups[chosen])
        self.parameters = _fit(self._embedding, self._rows[chosen], shared, values[chosen])
        self._factorise()

    def believe(self, points: Array, values: Array) -> None:
        """Take ``values`` (k,) for observed at ``points`` (k, dimensions), without learning the parameters anew."""
        groups = np.zeros(len(points), dtype=np.int64)
        self._rows = np.concatenate([self._rows, self._embedding.rows(points, groups)])
        self._groups = np.concatenate([self._groups, groups])
        self._values = np.concatenate([self._values, values])
        self._factorise()

    def predict(self, points: Array) -> tuple[Array, Array]:
        """Mean (k,) and standard deviation (k,) of the objective without its noise at ``points`` (k, dimensions)."""
        rows = self._embedding.rows(points, np.zeros(len(points), dtype=np.int64))
        scale = self._embedding.columns(self.parameters.weights)
        cross = self.parameters.variance * _matern(_distances(rows * scale, self._rows * scale))
        cross += self._offset * (self._groups == 0)
        spread = cross @ self._inverse_factor.T
        variance = self.parameters.variance + self._offset - np.einsum("ij,ij->i", spread, spread)
        return cross @ self._dual, np.sqrt(np.maximum(variance, 1e-12))

    def _factorise(self) -> None:
        scaled = self._rows * self._embedding.columns(self.parameters.weights)
        kernel = self.parameters.variance * _matern(_distances(scaled, scaled))
        kernel += self._offset * (self._groups[:, None] == self._groups)
        kernel[np.diag_indices_from(kernel)] += self.parameters.noise + _JITTER
        self._inverse_factor = np.linalg.inv(np.linalg.cholesky(kernel))
        self._dual = self._inverse_factor.T @ (self._inverse_factor @ self._values)


class _Embedding:
    """Points as rows of numbers whose Euclidean distance is the kernel's: a category has a column for each value."""

    def __init__(self, dimensions: Sequence[int], groups: int) -> None:
        self._sizes = [*dimensions, groups]
        self.owner = np.repeat(np.arange(len(self._sizes)), [size or 1 for size in self._sizes])
        """The dimension that each column belongs to."""

    @property
    def width(self) -> int:
        """The number of dimensions, with the one of the groups."""
        return len(self._sizes)

    def rows(self, points: Array, groups: Array) -> Array:
        """(n, columns) for points (n, dimensions) and groups (n,)."""
        parts = []
        for column, size in zip([*points.T, groups], self._sizes, strict=True):
            parts.append(np.eye(size)[column.astype(np.int64)] / math.sqrt(2) if size else column[:, None])
        return np.concatenate(parts, axis=1)

    def columns(self, weights: Array) -> Array:
        """The weight of each column, for weights (…, dimensions)."""
        return weights[..., self.owner]


def _distances(some: Array, others: Array) -> Array:
    """Squared distances (n, m) of rows (n, columns) and (m, columns)."""
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    return np.maximum(squares, 0)


def _matern(squares: Array) -> Array:
    """Matérn's kernel with 5/2, of squared distances."""
    scaled = np.sqrt(5 * squares)
    return (1 + scaled + scaled**2 / 3) * np.exp(-scaled)


def _sample(values: Array, groups: Array) -> Array:
    """Which observations the parameters are fitted to: the best of each kind first, then some of the others."""
    if len(values) <= FITTED_ROWS:
        return np.arange(len(values))
    order = np.lexsort((values, groups != 0))
    best, rest = order[: FITTED_ROWS // 2], order[FITTED_ROWS // 2 :]
    spread = np.linspace(0, len(rest) - 1, FITTED_ROWS - len(best)).astype(np.int64)
    return np.concatenate([best, rest[spread]])


def _fit(embedding: _Embedding, rows: Array, shared: Array, values: Array) -> Parameters:
    """The likeliest parameters by their prior and the observations, from two starts at once (iRprop-).

    ``shared`` (n, n) is a part of the covariance that has none. Reference: Igel and Hüsken 2000, "Improving the Rprop
    learning algorithm".
    """
    width = embedding.width
    dimensions = max(1, width - 1)
    squares = np.stack([_distances(part, part) for part in (rows[:, embedding.owner == i] for i in range(width))])
    prior = np.full(width + 2, -0.5 * math.log(dimensions))
    prior[width:] = 0.0, _NOISE_MEAN
    widths = np.full(width + 2, _SCALE_WIDTH)
    widths[width - 1] = 1.0
    prior[width - 1] = 0.0
    widths[width:] = 1.0, _NOISE_WIDTH
    now = np.stack([prior, prior])
    now[0, :width] += 1.5
    now[1, width + 1] += 3.0
    step = np.full_like(now, 0.3)
    slope = np.zeros_like(now)
    best, reached = now.copy(), np.full(len(now), -np.inf)
    for _ in range(STEPS):
        likelihood, gradient = _likelihood(now, squares, shared, values)
        likelihood -= 0.5 * (((now - prior) / widths) ** 2).sum(axis=1)
        gradient -= (now - prior) / widths**2
        better = likelihood > reached
        best[better], reached[better] = now[better], likelihood[better]
        turned = gradient * slope
        step = np.clip(np.where(turned > 0, step * 1.2, np.where(turned < 0, step * 0.5, step)), 1e-3, 1.0)
        slope = np.where(turned < 0, 0.0, gradient)
        now = np.clip(now + np.sign(slope) * step, _LEAST, _MOST)
    found = np.exp(best[reached.argmax()])
    return Parameters(found[:width], float(found[width]), float(found[width + 1]))


def _likelihood(parameters: Array, squares: Array, shared: Array, values: Array) -> tuple[Array, Array]:
    """Log marginal likelihood (starts,) and its gradient (starts, parameters), by logarithms of the parameters."""
    width, count = len(squares), len(values)
    weights = np.exp(2 * parameters[:, :width])
    flat = squares.reshape(width, -1)
    scaled = np.sqrt(5 * (weights @ flat))
    decay = np.exp(-scaled)
    variance, noise = np.exp(parameters[:, width]), np.exp(parameters[:, width + 1])
    shape = (1 + scaled + scaled**2 / 3) * decay
    kernel = (variance[:, None] * shape).reshape(-1, count, count) + shared
    kernel[:, np.arange(count), np.arange(count)] += (noise + _JITTER)[:, None]
    factor = np.linalg.cholesky(kernel)
    inverse = np.linalg.inv(kernel)
    dual = inverse @ values
    likelihood = -0.5 * dual @ values - np.log(np.einsum("bii->bi", factor)).sum(axis=1)
    pull = (0.5 * (dual[:, :, None] * dual[:, None, :] - inverse)).reshape(len(parameters), -1)
    slope = -5 / 6 * (1 + scaled) * decay * variance[:, None]
    gradient = np.empty_like(parameters)
    gradient[:, :width] = 2 * weights * ((pull * slope) @ flat.T)
    gradient[:, width] = variance * (pull * shape).sum(axis=1)
    gradient[:, width + 1] = noise * pull.reshape(-1, count, count).trace(axis1=1, axis2=2)
    return likelihood, gradient
