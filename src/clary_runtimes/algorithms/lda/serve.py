"""Inference with Latent Dirichlet Allocation.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lda.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.lda.estimator import LDA
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler
from clary_runtimes.serving.request import RequestError

Array = Any


class LDAHandler(TableHandler):
    """Answers the ``topic_mixture`` of each document."""

    inline_bytes = 0
    """Inference of a document takes too long for the event loop."""
    batching = None
    outputs = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)
    model: LDA

    def load(self) -> None:
        """Load the topics."""
        self.model = LDA.load(self.model_folder)

    @property
    def width(self) -> int:
        return self.model.width

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row; there is no longer form of it. Raises ``RequestError`` 400 for what is no
        count."""
        if features.min() < 0:
            raise RequestError(400, "The counts of words must be 0 or more")
        return [{"topic_mixture": mixture} for mixture in self.model.transform(features).tolist()]


handler = LDAHandler
