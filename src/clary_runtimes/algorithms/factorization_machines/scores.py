"""What is counted while rows go by, and the metrics that come of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from clary_runtimes.algorithms.factorization_machines.hyperparameters import BINARY

Array = Any


def sigmoid(raw: Array) -> Array:
    """The logistic function, without overflow."""
    small = np.exp(-np.abs(raw))
    return np.where(raw >= 0, 1.0, small) / (1.0 + small)


class Tally:
    """The documented metrics of the rows seen so far."""

    def __init__(self, predictor_type: str) -> None:
        self._binary = predictor_type == BINARY
        self.rows = 0
        self._squared = self._absolute = self._entropy = 0.0
        self._counts = np.zeros((2, 2))

    def add(self, raw: Array, labels: Array) -> None:
        """Rows with these raw outputs (rows,) and labels (rows,)."""
        self.rows += len(labels)
        raw = raw.astype(np.float64)
        if self._binary:
            # log(1 + exp(x)) - y x
            self._entropy += float((np.maximum(raw, 0) + np.log1p(np.exp(-np.abs(raw))) - labels * raw).sum())
            np.add.at(self._counts, (labels.astype(np.int64), (raw >= 0).astype(np.int64)), 1)
        else:
            self._squared += float(np.square(raw - labels).sum())
            self._absolute += float(np.abs(raw - labels).sum())

    @property
    def is_finite(self) -> bool:
        """Whether no output has run away."""
        return bool(np.isfinite(self._squared + self._entropy))

    def values(self) -> dict[str, float]:
        """Each metric by its documented name."""
        if not self._binary:
            mean = self._squared / self.rows
            return {"rmse": mean**0.5, "mse": mean, "absolute_loss": self._absolute / self.rows}
        hits, wrong = self._counts[1, 1], self._counts[0, 1] + self._counts[1, 0]
        return {
            "binary_classification_accuracy": float(np.trace(self._counts) / self.rows),
            "binary_classification_cross_entropy": self._entropy / self.rows,
            "binary_f_beta": float(2 * hits / (2 * hits + wrong)) if hits else 0.0,
        }
