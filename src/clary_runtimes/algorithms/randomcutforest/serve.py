"""Inference with a Random Cut Forest.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/rcf-in-formats.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.randomcutforest.estimator import RandomCutForest
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler

Array = Any


class RandomCutForestHandler(TableHandler):
    """Answers the anomaly ``score`` of each row."""

    inline_bytes = 0
    """A hundred trees take too long for the event loop."""
    outputs = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)
    title = "scores"
    model: RandomCutForest

    def load(self) -> None:
        """Load the forest, and compile what scores."""
        self.model = RandomCutForest.load(self.model_folder)
        self.model.score(np.zeros((1, self.width), np.float32))

    @property
    def width(self) -> int:
        return self.model.width

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row; there is no longer form of it."""
        return [{"score": score} for score in self.model.score(features).tolist()]


handler = RandomCutForestHandler
