"""Inference with K-Means.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/km-in-formats.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary_runtimes.algorithms.kmeans.estimator import KMeans
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler

Array = Any


class KMeansHandler(TableHandler):
    """Answers ``closest_cluster`` and ``distance_to_cluster`` (Euclidean) for each row."""

    model: KMeans

    def load(self) -> None:
        """Load the centres."""
        self.model = KMeans.load(self.model_folder)

    @property
    def width(self) -> int:
        return int(self.model.centers.shape[1])

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row; there is no longer form of it."""
        which, distances = self.model.assign(features)
        return [
            {"closest_cluster": float(number), "distance_to_cluster": distance}
            for number, distance in zip(which.tolist(), distances.tolist(), strict=True)
        ]


handler = KMeansHandler
