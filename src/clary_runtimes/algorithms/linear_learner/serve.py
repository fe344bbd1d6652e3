"""Inference with the Linear Learner.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/LL-in-formats.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types, recordio
from clary_runtimes.algorithms.data.delimited import parse_rows
from clary_runtimes.algorithms.linear_learner.model import LinearModel
from clary_runtimes.serving.request import Reply, RequestError

Array = Any

INPUTS = (content_types.CSV, content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)
OUTPUTS = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO, content_types.CSV)


class LinearLearnerHandler:
    """Answers for the model in a folder."""

    inline_bytes = 16384
    """A matrix product of a few hundred rows takes less time than handing it to a thread."""

    def __init__(self, model_folder: Path, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.model_folder = model_folder
        self.default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content_types.JSON)
        self.model: LinearModel | None = None

    def load(self) -> None:
        """Load the artifact; raises ``UserError`` if there is none."""
        self.model = LinearModel.load(self.model_folder)

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Predict the rows of ``body``; raises ``RequestError`` 415, 406 or 400."""
        assert self.model is not None
        media = content_types.media_type(content_type or content_types.CSV)
        if media not in INPUTS:
            raise RequestError(
                415, f"Content-type {media} is not supported. Supported content types: {', '.join(INPUTS)}"
            )
        answer = content_types.media_type(accept) if accept else "*/*"
        if answer == "*/*":
            answer = self.default_accept
        if answer not in OUTPUTS:
            raise RequestError(
                406, f"Accept type {answer} is not supported. Supported accept types: {', '.join(OUTPUTS)}"
            )
        try:
            rows = _rows(body, media, self.model.feature_dim)
        except (ValueError, TypeError, KeyError) as error:
            raise RequestError(400, f"Unable to decode payload as {media}: {error}") from error
        scores = self.model.scores(rows)
        return Reply(200, answer, encode(scores, self.model.labels(scores), answer))


def encode(scores: Array, labels: Array | None, accept: str) -> bytes:
    """Scores (rows,) or (rows, classes) and labels (rows,) or None in one of the documented response formats."""
    values = scores.tolist()
    if accept == content_types.CSV:
        fields = [[f'"{value}"' if isinstance(value, list) else str(value)] for value in values]
        if labels is not None:
            fields = [[*field, str(label)] for field, label in zip(fields, labels.tolist(), strict=True)]
        return ("\n".join(",".join(field) for field in fields) + "\n").encode()
    if accept == content_types.RECORDIO:
        rows = [{"score": value if isinstance(value, list) else [value]} for value in values]
        if labels is not None:
            for row, label in zip(rows, labels.tolist(), strict=True):
                row["predicted_label"] = [label]
        return recordio.write_labels(rows)
    if labels is None:
        predictions = [{"score": value} for value in values]
    else:
        predictions = [
            {"score": value, "predicted_label": label} for value, label in zip(values, labels.tolist(), strict=True)
        ]
    if accept == content_types.JSONLINES:
        return "".join(json.dumps(prediction) + "\n" for prediction in predictions).encode()
    return json.dumps({"predictions": predictions}).encode()


def _rows(body: bytes, media: str, width: int) -> Array:
    if media == content_types.CSV:
        rows = parse_rows(body)
    elif media == content_types.RECORDIO:
        rows = recordio.read_table(body)[0]
        if rows.shape[1] < width and any(
            record.features["values"].keys is not None for record in recordio.read_records(body)
        ):
            rows = np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
    else:
        if media == content_types.JSONLINES:
            instances = [json.loads(line) for line in body.splitlines() if line.strip()]
        else:
            instances = json.loads(body)["instances"]
        rows = np.array([_instance(instance, width) for instance in instances], dtype=np.float64)
        if rows.ndim != 2:
            raise ValueError("every instance must be one list of numbers")
    if not len(rows):
        raise ValueError("there is no row")
    if rows.shape[1] != width:
        raise ValueError(f"a row has {rows.shape[1]} features where the model has {width}")
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(f"row {row + 1}, feature {column + 1} is missing or not a finite number")
    return rows


def _instance(instance: Any, width: int) -> Any:
    """The numbers of one instance: ``{"features": …}`` or ``{"data": {"features": …}}``, dense or sparse."""
    if isinstance(instance, list):
        return instance
    features = instance["data"]["features"] if "data" in instance else instance["features"]
    if isinstance(features, list):
        return features
    values = features["values"]
    if "keys" not in features:
        return values
    row = np.zeros(width)
    row[features["keys"]] = values
    return row


handler = LinearLearnerHandler
