"""Inference with the built-in XGBoost algorithm."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.lean import do_without, without
from clary_runtimes.serving.request import Batching, Decoded, Reply, RequestError, in_steps

with without("pandas", "sklearn"):
    from clary_runtimes.algorithms.xgboost import outputs
    from clary_runtimes.algorithms.xgboost.estimator import XGBoost
    from clary_runtimes.algorithms.xgboost.payload import decode_rows

Array = Any


class XGBoostHandler:
    """Answers for the model, or the ensemble of models, in a folder.

    ``environ`` gives ``SAGEMAKER_BATCH``, ``SAGEMAKER_INFERENCE_OUTPUT``, ``SAGEMAKER_INFERENCE_ENSEMBLE`` and
    ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`` as the official container reads them.
    """

    inline_bytes = 32768
    """A hundred rows take less time than handing them to a thread."""
    batching: Batching | None = Batching(requests=64)

    def __init__(self, model_folder: Path, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.model_folder = model_folder
        self.batch = bool(environ.get("SAGEMAKER_BATCH"))
        self.ensemble = environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
        self.default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content_types.CSV)
        selected = environ.get("SAGEMAKER_INFERENCE_OUTPUT", "")
        self.selected = [key.strip().lower() for key in selected.split(",") if key.strip()]
        self.model: XGBoost

    def load(self) -> None:
        """Load the model files; raises ``UserError`` if there is none or one cannot be read."""
        self.model = XGBoost.load(self.model_folder, ensemble=self.ensemble, threads=1)
        # Each prediction looks whether its rows are a series of pandas, and would import it for that.
        do_without("pandas")
        # The first prediction sets up buffers.
        self.model.predict(np.zeros((1, self.model.width), dtype=np.float32))

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Predict the rows of ``body``; raises ``RequestError`` with the container's statuses and messages."""
        return in_steps(self, body, content_type, accept)

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """The rows of a request, with as many columns as the model has; raises as ``invoke``."""
        if not body:
            return Decoded([], None)
        rows, media = decode_rows(body, content_type)
        return Decoded(_fit(rows, media, self.model.width), None, outputs.chosen_accept(accept, self.default_accept))

    def predict(self, rows: Array, how: None) -> Array:
        """Predictions as the model gives them; none for no request."""
        return rows if isinstance(rows, list) else self.model.predict(rows)

    def encode(self, predictions: Array, answer: str | None) -> Reply:
        """Predictions in the form that was asked for."""
        if answer is None:
            return Reply(204, content_types.CSV, b"")
        model = self.model
        if self.selected:
            content = outputs.encode_selected(
                predictions, self.selected, model.objective, model.classes, answer, self.batch
            )
            return Reply(200, answer, content)
        return Reply(200, answer, outputs.encode(predictions, answer, self.batch))


def _fit(rows: Array, media: str, wanted: int) -> Array:
    """``rows`` with as many columns as the model wants; raises ``RequestError`` if they are others."""
    width = rows.shape[1]
    if width == wanted:
        return rows
    if media == content_types.LIBSVM:
        if width < wanted:
            rows.resize(rows.shape[0], wanted)
            return rows
        reason = f"Feature size of libsvm inference data {width} is larger than feature size of trained model {wanted}."
    else:
        short = "csv" if media == content_types.CSV else "recordio-protobuf"
        reason = (
            f"Feature size of {short} inference data {width} is not consistent with feature size of trained model "
            f"{wanted}."
        )
    raise RequestError(400, f"Unable to evaluate payload provided: {reason}")


handler = XGBoostHandler
