"""Adam for parameters of which a batch touches only some rows.

Reference: D. Kingma, J. Ba: Adam: A Method for Stochastic Optimization, ICLR 2015. Rows that a batch does not touch
keep their moments, so that a step costs what the batch has in it and not what the model has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """The moments of one group of parameters ``values`` (rows, …), which it changes in place."""

    def __init__(self, values: Array, rate: float, decay: float, epsilon: float, clip: float | None) -> None:
        self.values = values
        self._rate, self._decay, self._epsilon, self._clip = rate, decay, epsilon, clip
        self._first, self._second = np.zeros_like(values), np.zeros_like(values)
        self._steps = 0

    def step(self, gradient: Array, rows: Array | slice) -> None:
        """Move ``rows`` against their ``gradient``, to which the weight decay is added."""
        self._steps += 1
        values = self.values[rows]
        if self._clip is not None:
            gradient = np.clip(gradient, -self._clip, self._clip)
        gradient = gradient + np.float32(self._decay) * values
        first = self._first[rows]
        first += np.float32(1 - BETA_1) * (gradient - first)
        second = self._second[rows]
        second += np.float32(1 - BETA_2) * (gradient * gradient - second)
        self._first[rows], self._second[rows] = first, second
        rate = self._rate * (1 - BETA_2**self._steps) ** 0.5 / (1 - BETA_1**self._steps)
        self.values[rows] = values - np.float32(rate) * first / (np.sqrt(second) + np.float32(self._epsilon))
