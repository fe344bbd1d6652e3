"""Inference with the built-in XGBoost algorithm."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from clary_runtimes.algorithms.data import content_types, recordio
from clary_runtimes.algorithms.data.delimited import parse_rows
from clary_runtimes.algorithms.data.libsvm import parse_libsvm
from clary_runtimes.algorithms.xgboost import outputs
from clary_runtimes.algorithms.xgboost.data import format_of
from clary_runtimes.contract.errors import UserError
from clary_runtimes.serving.request import Reply, RequestError

Array = Any


class XGBoostHandler:
    """Answers for the model, or the ensemble of models, in a folder.

    ``environ`` gives ``SAGEMAKER_BATCH``, ``SAGEMAKER_INFERENCE_OUTPUT``, ``SAGEMAKER_INFERENCE_ENSEMBLE`` and
    ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`` as the official container reads them.
    """

    inline_bytes = 2048
    """A few rows take less time than handing them to a thread."""

    def __init__(self, model_folder: Path, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.model_folder = model_folder
        self.batch = bool(environ.get("SAGEMAKER_BATCH"))
        self.ensemble = environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true") == "true"
        self.default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content_types.CSV)
        selected = environ.get("SAGEMAKER_INFERENCE_OUTPUT", "")
        self.selected = [key.strip().lower() for key in selected.split(",") if key.strip()]
        self.models: list[Any] = []
        self.objective = ""
        self.classes = 0
        self.width = 0

    def load(self) -> None:
        """Load the model files; raises ``UserError`` if there is none or one cannot be read."""
        self.models = _load(self.model_folder, self.ensemble)
        config = json.loads(self.models[0].save_config())["learner"]
        self.objective = config["objective"]["name"]
        self.classes = int(config["learner_model_param"].get("num_class") or 0)
        self.width = self.models[0].num_features()
        self.tree_model = config["gradient_booster"]["name"] == "gbtree"
        self.ends = [_last_round(model) for model in self.models]
        self.predict(np.zeros((1, self.width), dtype=np.float32))  # the first prediction sets up buffers

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Predict the rows of ``body``; raises ``RequestError`` with the container's statuses and messages."""
        if not body:
            return Reply(204, content_types.CSV, b"")
        rows, media = decode_rows(body, content_type)
        predictions = self.predict(self._fit(rows, media))
        answer = outputs.chosen_accept(accept, self.default_accept)
        if self.selected:
            return Reply(
                200,
                answer,
                outputs.encode_selected(predictions, self.selected, self.objective, self.classes, answer, self.batch),
            )
        return Reply(200, answer, outputs.encode(predictions, answer, self.batch))

    def predict(self, rows: Array) -> Array:
        """Predictions (rows,) or (rows, classes); several models vote on classes and average numbers."""
        found = [self._one(model, rows, end) for model, end in zip(self.models, self.ends, strict=True)]
        if len(found) == 1:
            return found[0]
        stacked = np.stack(found)
        if self.objective in ("multi:softmax", "binary:hinge"):
            votes = np.stack([(stacked == label).sum(axis=0) for label in range(max(2, self.classes))])
            return votes.argmax(axis=0).astype(np.float32)
        return stacked.mean(axis=0)

    def _one(self, model: Any, rows: Array, end: int) -> Array:
        if self.tree_model:
            # Spares the copy into a DMatrix: half the time of a small request.
            return model.inplace_predict(rows, iteration_range=(0, end), validate_features=False)
        return model.predict(xgboost.DMatrix(rows, nthread=1), iteration_range=(0, end), validate_features=False)

    def _fit(self, rows: Array, media: str) -> Array:
        width = rows.shape[1]
        if width == self.width:
            return rows
        if media == content_types.LIBSVM:
            if width < self.width:
                rows.resize(rows.shape[0], self.width)
                return rows
            reason = (
                f"Feature size of libsvm inference data {width} is larger than feature size of trained model "
                f"{self.width}."
            )
        else:
            short = "csv" if media == content_types.CSV else "recordio-protobuf"
            reason = (
                f"Feature size of {short} inference data {width} is not consistent with feature size of trained model "
                f"{self.width}."
            )
        raise RequestError(400, f"Unable to evaluate payload provided: {reason}")


def decode_rows(body: bytes, content_type: str | None) -> tuple[Array, str]:
    """The rows of a request and their format; raises ``RequestError`` 415 with the container's messages."""
    try:
        media = format_of(content_type)
    except UserError as error:
        raise RequestError(415, str(error)) from error
    readers = {content_types.CSV: "csv", content_types.LIBSVM: "libsvm", content_types.RECORDIO: "recordio-protobuf"}
    if media not in readers:
        raise RequestError(415, f"Content-type {content_type} is not supported.")
    try:
        if media == content_types.CSV:
            return parse_rows(body), media
        if media == content_types.LIBSVM:
            return parse_libsvm(body, labels=False)[0], media
        return recordio.read_table(body)[0], media
    except ValueError as error:  # UnicodeDecodeError, LibsvmError and RecordIOError are ones
        raise RequestError(
            415,
            f"Loading {readers[media]} data failed with Exception, please ensure data is in {readers[media]} format:\n"
            f" {type(error)}\n {error}",
        ) from error


def _load(folder: Path, ensemble: bool) -> list[Any]:
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    if not files:
        raise UserError(f"No model file in {folder}")
    models = []
    for file in files if ensemble else files[:1]:
        print(f"Loading the model from {file}", flush=True)
        with file.open("rb") as stream:
            pickled = stream.read(1) == b"\x80"
        if pickled:
            # Releases before 1.3 of the official container wrote pickles. A model is as trusted as its owner's code.
            model = pickle.loads(file.read_bytes())
        else:
            model = xgboost.Booster()
            try:
                model.load_model(str(file))
            except xgboost.core.XGBoostError as error:
                raise UserError(f"Model {file} cannot be loaded:\n{str(error).partition('Stack trace')[0]}") from error
        model.set_param({"nthread": 1})
        models.append(model)
    return models


def _last_round(model: Any) -> int:
    """How many rounds to use: those up to the best one where early stopping left its mark, else all (0)."""
    best = model.attr("best_iteration")
    return int(best) + 1 if best is not None and int(best) < model.num_boosted_rounds() else 0


handler = XGBoostHandler
