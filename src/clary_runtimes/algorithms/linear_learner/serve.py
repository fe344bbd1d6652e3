"""Inference with the Linear Learner.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.linear_learner.model import LinearModel
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler
from clary_runtimes.serving.request import Reply

Array = Any


class LinearLearnerHandler(TableHandler):
    """Answers ``score``, a list for several classes, and ``predicted_label`` of a classifier."""

    precision = np.float64
    """A product of float32 would lose the differences of large numbers, such as points in time."""
    model: LinearModel

    def load(self) -> None:
        """Load the artifact; raises ``UserError`` if there is none."""
        self.model = LinearModel.load(self.model_folder)

    @property
    def width(self) -> int:
        return self.model.feature_dim

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row; there is no longer form of it."""
        scores = self.model.scores(features)
        labels = self.model.labels(scores)
        if labels is None:
            return [{"score": score} for score in scores.tolist()]
        return [
            {"score": score, "predicted_label": label}
            for score, label in zip(scores.tolist(), labels.tolist(), strict=True)
        ]

    def encode(self, predictions: Sequence[Prediction], answer: str) -> Reply:
        """Records in the format that was asked for; in CSV the scores of several classes are one quoted cell."""
        if answer != content_types.CSV:
            return super().encode(predictions, answer)
        lines = (
            ",".join(f'"{value}"' if isinstance(value, list) else str(value) for value in prediction.values())
            for prediction in predictions
        )
        return Reply(200, answer, "".join(line + "\n" for line in lines).encode())


handler = LinearLearnerHandler
