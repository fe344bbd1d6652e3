"""Inference with CatBoost.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-CatBoost.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clary_runtimes.algorithms.catboost.estimator import CatBoost
from clary_runtimes.algorithms.jumpstart.answers import TabularHandler

Array = Any


class CatBoostHandler(TabularHandler):
    """Answers for a CatBoost model."""

    model: CatBoost

    def load(self) -> None:
        """Load the model; raises ``UserError`` if there is none."""
        self.model = CatBoost.load(self.model_folder)
        self.width, self.categorical = len(self.model.model.feature_names_), self.model.categorical
        self._labels = self.model.labels
        self.predict(np.zeros((1, self.width)))  # the first prediction sets up buffers

    @property
    def labels(self) -> Sequence[Any]:
        return self._labels

    def predict(self, rows: Any, how: None = None) -> Array:
        return self.model.predict(rows)


handler = CatBoostHandler
