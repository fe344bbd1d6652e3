"""The models that are trained side by side: one as the hyperparameters say, the others with close ones.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/ll_how-it-works.html (step 2)
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

Array = Any

AUTO_MODELS = 32


class Candidates(NamedTuple):
    """The hyperparameters that differ between the models, one value a model."""

    learning_rate: Array
    wd: Array
    l1: Array
    positive_weight: Array

    def __len__(self) -> int:
        return len(self.learning_rate)

    def describe(self, model: int) -> dict[str, float]:
        """Those of one model, under their documented names."""
        return {
            "learning_rate": float(self.learning_rate[model]),
            "wd": float(self.wd[model]),
            "l1": float(self.l1[model]),
            "positive_example_weight_mult": float(self.positive_weight[model]),
        }


# What ``auto`` tries, the default first. The high rates are for small data, where an epoch is only a step or two.
_RATES = {"adam": (0.01, 0.1, 0.5, 0.001), "rmsprop": (0.01, 0.1, 0.5, 0.001), "sgd": (0.1, 0.5, 0.02, 0.005)}
_WEIGHT_DECAYS = (1e-4, 0.0, 1e-2, 1e-1)
_L1 = (0.0, 1e-3)


def candidates(hyperparameters: Mapping[str, Any], optimizer: str, balance: float) -> Candidates:
    """The models to train; ``balance`` is the number of negative rows over that of positive ones."""
    rates = _around(hyperparameters["learning_rate"], _RATES[optimizer])
    decays = _around(hyperparameters["wd"], _WEIGHT_DECAYS)
    sparsities = _around(hyperparameters["l1"], _L1)
    wanted = hyperparameters["positive_example_weight_mult"]
    weights = (1.0, balance) if wanted == "auto" else (balance,) if wanted == "balanced" else (wanted,)
    # The last factor varies fastest, so that even a few models differ in what matters most.
    combinations = [
        (rate, decay, l1, weight) for l1, decay, weight, rate in itertools.product(sparsities, decays, weights, rates)
    ]
    count = hyperparameters["num_models"]
    if hyperparameters.get("_tuning_objective_metric"):
        count = 1  # automatic tuning does the search then
    elif count == "auto":
        count = min(AUTO_MODELS, len(combinations))
    chosen = np.array([combinations[number % len(combinations)] for number in range(count)], dtype=np.float32)
    return Candidates(*chosen.T)


def _around(given: Any, automatic: tuple[float, ...]) -> tuple[float, ...]:
    if given == "auto":
        return automatic
    return (given, given / 3, given * 3) if given else (given,)
