"""The optimisers, each stepping the parameters of all models at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clary_runtimes.algorithms.linear_learner.hyperparameters import REGRESSOR

Array = Any

NAMES = {"auto": "adam", "adam": "adam", "sgd": "sgd", "rmsprop": "rmsprop"}


class Optimizer:
    """Steps ``weights`` (features, columns) and ``bias`` (columns,) in place, a column being one output of one model.

    ``rates`` are the learning rates of the columns; the scheduler multiplies them by a factor every so many steps,
    down to a minimum. ``planned`` is how many steps there will be at most. The factor ``auto`` is 0.99 every ten steps;
    for a regressor it is smaller where that would leave more than a tenth of the rate, since a few large steps go back
    and forth over the smallest squared error. A classifier's margins go on growing, and need such steps to get there.
    """

    def __init__(
        self, hyperparameters: Mapping[str, Any], rates: Array, weights: Array, bias: Array, planned: int
    ) -> None:
        def auto(name: str, default: float) -> float:
            value = hyperparameters[name]
            return default if value == "auto" else float(value)

        self.name = NAMES[hyperparameters["optimizer"]]
        self.rates = rates.astype(np.float32)
        self.bias_multiplier = auto("bias_lr_mult", 1.0)
        self.scheduled = bool(hyperparameters["use_lr_scheduler"])
        few = hyperparameters["predictor_type"] == REGRESSOR and hyperparameters["lr_scheduler_factor"] == "auto"
        self.step_every = int(auto("lr_scheduler_step", max(1, min(10, planned // 10)) if few else 10))
        factor = 0.99
        if few:
            factor = min(0.99 ** (self.step_every / 10), 0.1 ** (self.step_every / planned))
        self.factor = auto("lr_scheduler_factor", factor)
        self.minimum = auto("lr_scheduler_minimum_lr", 1e-5)
        self.momentum = auto("momentum", 0.9)
        self.beta_1, self.beta_2 = auto("beta_1", 0.9), auto("beta_2", 0.999)
        self.steps = 0
        self.first = (np.zeros_like(weights), np.zeros_like(bias))
        self.second = (np.zeros_like(weights), np.zeros_like(bias))

    def step(self, weights: Array, bias: Array, weight_gradient: Array, bias_gradient: Array | None) -> None:
        """One step along the gradients; ``bias_gradient`` is None if there is no bias."""
        self.steps += 1
        if self.scheduled and self.steps % self.step_every == 0:
            # A rate that begins below the minimum stays where it is.
            self.rates = np.maximum(self.rates * self.factor, np.minimum(self.rates, self.minimum))
        weights -= self.rates * self._direction(0, weight_gradient)
        if bias_gradient is not None:
            bias -= self.rates * self.bias_multiplier * self._direction(1, bias_gradient)

    def _direction(self, which: int, gradient: Array) -> Array:
        first, second = self.first[which], self.second[which]
        if self.name == "sgd":
            first *= self.momentum
            first += gradient
            return first
        second *= self.beta_2
        second += (1.0 - self.beta_2) * gradient**2
        if self.name == "rmsprop":
            return gradient / (np.sqrt(second / (1.0 - self.beta_2**self.steps)) + 1e-8)
        first *= self.beta_1
        first += (1.0 - self.beta_1) * gradient
        corrected = first / (1.0 - self.beta_1**self.steps)
        return corrected / (np.sqrt(second / (1.0 - self.beta_2**self.steps)) + 1e-8)
