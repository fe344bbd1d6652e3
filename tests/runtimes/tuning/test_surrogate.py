"""The Gaussian process: what it believes, and the slope of its likelihood."""

from __future__ import annotations

from typing import Any

_SLOPE = """
import json
import numpy as np
from clary_runtimes.tuning import surrogate
generator = np.random.default_rng(0)
embedding = surrogate._Embedding([0, 0, 3], 2)
points = np.column_stack([generator.random((20, 2)), generator.integers(0, 3, 20)])
groups = generator.integers(0, 2, 20)
rows, values = embedding.rows(points, groups), np.sin(5 * points[:, 0]) + points[:, 2] - 1
squares = np.stack([surrogate._distances(p, p) for p in (rows[:, embedding.owner == i] for i in range(4))])
shared = (groups[:, None] == groups) * 1.0
at = generator.normal(0, 0.5, (2, 6))
at[:, -1] = -3
_, slope = surrogate._likelihood(at, squares, shared, values)
worst = 0.0
for place in range(6):
    step = np.zeros(6)
    step[place] = 1e-5
    above, below = (surrogate._likelihood(at + sign * step, squares, shared, values)[0] for sign in (1, -1))
    worst = max(worst, float(np.abs((above - below) / 2e-5 - slope[:, place]).max()))
print(json.dumps(worst))
"""

_BELIEF = """
import json
import numpy as np
from clary_runtimes.tuning.surrogate import Surrogate
generator = np.random.default_rng(0)
def objective(points):
    return np.sin(6 * points[:, 0]) + 0.5 * (points[:, 2] == 1)
def draw(count):
    return np.column_stack([generator.random((count, 2)), generator.integers(0, 3, count)])
points, others = draw(60), draw(500)
surrogate = Surrogate([0, 0, 3], points, np.zeros(60, dtype=int), objective(points))
means, deviations = surrogate.predict(others)
errors = np.abs(means - objective(others))
weights = surrogate.parameters.weights
before = surrogate.predict(others[:1])[1][0]
surrogate.believe(others[:1], means[:1])
after = surrogate.predict(others[:1])
print(json.dumps([
    float(errors.mean()), float((errors < 3 * deviations + 0.02).mean()), float(weights[0] / weights[1]),
    float(before), float(after[1][0]), float(abs(after[0][0] - means[0])),
]))
"""


def test_the_slope_of_the_likelihood_is_its_slope(tuner: Any) -> None:
    assert tuner.evaluate(_SLOPE) < 1e-4


def test_it_learns_what_matters_and_how_sure_it_is(tuner: Any) -> None:
    error, covered, ratio, before, after, moved = tuner.evaluate(_BELIEF)
    assert error < 0.02 and covered > 0.95
    assert ratio > 5  # the second dimension does nothing
    assert after < before and moved < 1e-3
