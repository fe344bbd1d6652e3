"""Inference with k-NN.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/kNN-inference-formats.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.knn.estimator import KNN
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler

Array = Any

QUICK = 1 << 21
"""Numbers in an index that is searched in less time than it takes to hand a request to a thread."""


class KNNHandler(TableHandler):
    """Answers ``predicted_label`` for each row, and in verbose mode ``labels`` and ``distances`` of its neighbors."""

    outputs = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)
    model: KNN

    def load(self) -> None:
        """Load the index."""
        self.model = KNN.load(self.model_folder)
        if self.model.index.ntotal * self.model.index.d > QUICK:
            self.inline_bytes = 0

    @property
    def width(self) -> int:
        return self.model.width

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row."""
        distances, labels = self.model.neighbors(features)
        decided = self.model.decide(labels).tolist()
        if not verbose:
            return [{"predicted_label": label} for label in decided]
        return [
            {"predicted_label": label, "distances": away, "labels": near}
            for label, away, near in zip(decided, distances.tolist(), labels.tolist(), strict=True)
        ]


handler = KNNHandler
