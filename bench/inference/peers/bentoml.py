"""BentoML with adaptive batching."""

from __future__ import annotations

import bentoml
import numpy as np

from bench.inference.peers._predict import predictor


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": False}, traffic={"timeout": 60})
class Model:
    """Answers rows with predictions."""

    def __init__(self) -> None:
        self.model = predictor()

    @bentoml.api(batchable=True, max_batch_size=6400, max_latency_ms=1000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        """Predictions for the rows of one request or of several."""
        return self.model(rows.astype(np.float32))
