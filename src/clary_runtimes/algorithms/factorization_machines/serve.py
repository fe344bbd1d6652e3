"""Inference with Factorization Machines.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/fm-in-formats.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from clary_runtimes.algorithms.data import content_types, recordio
from clary_runtimes.algorithms.factorization_machines.estimator import FactorizationMachine
from clary_runtimes.algorithms.factorization_machines.hyperparameters import BINARY
from clary_runtimes.algorithms.table_handler import Prediction, TableHandler
from clary_runtimes.serving.request import Decoded, RequestError

Array = Any

INPUTS = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)


class FactorizationMachinesHandler(TableHandler):
    """Answers ``score``, and ``predicted_label`` of a classifier. Sparse rows are never made dense."""

    outputs = INPUTS
    model: FactorizationMachine

    def load(self) -> None:
        """Load the parameters."""
        self.model = FactorizationMachine.load(self.model_folder)

    @property
    def width(self) -> int:
        return self.model.width

    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """The documented record of each row; there is no longer form of it."""
        scores = self.model.predict(features).tolist()
        if self.model.predictor_type == BINARY:
            return [{"score": score, "predicted_label": int(score >= 0.5)} for score in scores]
        return [{"score": score} for score in scores]

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """The rows of a request as CSR, and what the answer is in; raises ``RequestError`` 415, 406 or 400."""
        asked = content_types.media_type(accept if accept and accept != "*/*" else self.default_accept)
        media = content_types.media_type(content_type or content_types.JSON)
        if media not in INPUTS:
            raise RequestError(
                415, f"Content-type {media} is not supported. Supported content types: {', '.join(INPUTS)}"
            )
        if asked not in self.outputs:
            raise RequestError(
                406, f"Accept type {asked} is not supported. Supported accept types: {', '.join(self.outputs)}"
            )
        try:
            return Decoded(_rows(body, media, self.width), False, asked)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
            raise RequestError(400, f"Unable to decode payload as {media}: {error}") from error


def _rows(body: bytes, media: str, width: int) -> Array:
    """The rows of a request as CSR (rows, ``width``), float32; raises ``ValueError`` saying what is wrong with them."""
    values, keys, ends = [], [], [0]
    for number, (found, places) in enumerate(
        _records(body) if media == content_types.RECORDIO else _instances(body, media)
    ):
        row = np.asarray(found, dtype=np.float64)
        columns = np.arange(len(row)) if places is None else np.asarray(places, dtype=np.int64)
        if row.ndim != 1 or row.shape != columns.shape:
            raise ValueError(f"row {number + 1} must be one list of numbers, with as many keys as values if it has any")
        if places is None and len(row) != width:
            raise ValueError(f"row {number + 1} has {len(row)} features where the model has {width}")
        if len(columns) and not 0 <= columns.min() <= columns.max() < width:
            raise ValueError(f"row {number + 1} has a key outside 0 to {width - 1}")
        if not np.isfinite(row).all():
            raise ValueError(f"row {number + 1} has a value that is missing or not a finite number")
        values.append(row)
        keys.append(columns)
        ends.append(ends[-1] + len(row))
    if not values:
        raise ValueError("there is no row")
    data = np.concatenate(values).astype(np.float32)
    return csr_matrix((data, np.concatenate(keys), np.array(ends)), shape=(len(values), width))


def _records(body: bytes) -> Iterator[tuple[Any, Any]]:
    for record in recordio.read_records(body):
        tensor = record.features["values"]
        yield tensor.values, tensor.keys


def _instances(body: bytes, media: str) -> Iterator[tuple[Any, Any]]:
    if media == content_types.JSONLINES:
        instances = [json.loads(line) for line in body.splitlines() if line.strip()]
    else:
        instances = json.loads(body)["instances"]
    for instance in instances:
        features = instance
        if isinstance(instance, dict):
            features = instance["data"]["features"] if "data" in instance else instance["features"]
        if isinstance(features, list):
            yield features, None
        else:
            yield features["values"], features.get("keys") or None


handler = FactorizationMachinesHandler
