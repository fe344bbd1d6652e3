"""Inference with LightGBM.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-LightGBM.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clary_runtimes.algorithms.jumpstart.answers import TabularHandler
from clary_runtimes.algorithms.lean import without

with without("pandas", "sklearn"):
    from clary_runtimes.algorithms.lightgbm.estimator import LightGBM

Array = Any


class LightGBMHandler(TabularHandler):
    """Answers for a booster."""

    model: LightGBM

    def load(self) -> None:
        """Load the booster; raises ``UserError`` if there is none."""
        self.model = LightGBM.load(self.model_folder)
        self.width, self.categorical = self.model.booster.num_feature(), self.model.categorical
        self.predict(np.zeros((1, self.width)))  # the first prediction sets up buffers

    @property
    def labels(self) -> Sequence[Any]:
        return self.model.problem.labels

    def predict(self, rows: Any, how: None = None) -> Array:
        return self.model.predict(rows)


handler = LightGBMHandler
