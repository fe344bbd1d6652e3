"""The trained model and its artifact.

The artifact is two files and no pickle. ``model.json``:

    {"format": "clary-linear-learner", "version": 1, "predictor_type": …, "num_classes": …, "feature_dim": …, "loss": …,
     "threshold": …, "hyperparameters": {…}, "metrics": {…}}

``weights.npz``: ``weights`` float64 (outputs, features) and ``bias`` float64 (outputs,), one output but for
multiclass. Both apply to raw features and give raw outputs in the label's own units: scaling is already folded in,
which is why they need the longer numbers (a column of timestamps would cancel out in 32 bits).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.linear_learner.hyperparameters import BINARY, MULTICLASS
from clary_runtimes.algorithms.linear_learner.losses import sigmoid, softmax
from clary_runtimes.contract.errors import UserError

Array = Any

FORMAT, VERSION = "clary-linear-learner", 1


@dataclass(frozen=True)
class LinearModel:
    """A linear model with its link function and threshold."""

    predictor_type: str
    loss: str
    weights: Array
    bias: Array
    threshold: float = 0.5
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    @property
    def feature_dim(self) -> int:
        return int(self.weights.shape[1])

    def scores(self, features: Array) -> Array:
        """What the response calls ``score``: probability, hinge margin or regression value (rows,); (rows, classes)."""
        raw = features.astype(np.float64, copy=False) @ self.weights.T + self.bias
        if self.predictor_type == MULTICLASS:
            return softmax(raw)
        raw = raw[:, 0]
        return sigmoid(raw) if self.loss == "logistic" else raw

    def labels(self, scores: Array) -> Array | None:
        """What the response calls ``predicted_label``; None for a regressor."""
        if self.predictor_type == MULTICLASS:
            return scores.argmax(axis=1)
        if self.predictor_type == BINARY:
            return (scores >= self.threshold).astype(np.int64)
        return None

    def save(self, folder: Path) -> None:
        """Write the artifact into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        document = {
            "format": FORMAT,
            "version": VERSION,
            "predictor_type": self.predictor_type,
            "num_classes": len(self.bias) if self.predictor_type == MULTICLASS else 1,
            "feature_dim": self.feature_dim,
            "loss": self.loss,
            "threshold": self.threshold,
            "hyperparameters": self.hyperparameters,
            "metrics": self.metrics,
        }
        (folder / "model.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        np.savez(folder / "weights.npz", weights=self.weights, bias=self.bias)

    @classmethod
    def load(cls, folder: Path) -> LinearModel:
        """Read the artifact in ``folder``; raises ``UserError`` if it is none."""
        try:
            document = json.loads((folder / "model.json").read_text(encoding="utf-8"))
            if document.get("format") != FORMAT or document.get("version") != VERSION:
                raise UserError(f"{folder / 'model.json'} is not a {FORMAT} model of version {VERSION}")
            with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
                weights, bias = arrays["weights"], arrays["bias"]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{folder} holds no Linear Learner model: {error}") from error
        return cls(
            document["predictor_type"],
            document["loss"],
            weights,
            bias,
            document["threshold"],
            document["hyperparameters"],
            document["metrics"],
        )
