"""Inference with PCA.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/PCA-in-formats.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.pca.estimator import PCA
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler

Array = Any


class PCAHandler(TableHandler):
    """Answers the ``projection`` of each row, the greatest component last."""

    outputs = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)
    title = "projections"
    model: PCA

    def load(self) -> None:
        """Load the components."""
        self.model = PCA.load(self.model_folder)

    @property
    def width(self) -> int:
        return len(self.model.v)

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row; there is no longer form of it."""
        return [{"projection": row} for row in self.model.transform(features).tolist()]


handler = PCAHandler
