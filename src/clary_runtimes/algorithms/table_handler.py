"""Requests and answers that Amazon's own algorithms of tables have in common.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html
"""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types, recordio
from clary_runtimes.algorithms.data.delimited import parse_rows
from clary_runtimes.algorithms.data.json_text import loads
from clary_runtimes.serving.request import Batching, Decoded, Reply, RequestError, in_steps

Array = Any
Prediction = Mapping[str, float | list[float]]

INPUTS = (content_types.CSV, content_types.JSON, content_types.JSONLINES, content_types.RECORDIO)


class TableHandler(ABC):
    """Answers rows of numbers with one record each. ``SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT`` is what it answers in
    where the request does not say."""

    inline_bytes = 16384
    """The work for a few hundred rows takes less time than handing it to a thread."""
    batching: Batching | None = Batching(requests=64)
    """Every row is predicted by itself."""
    outputs: tuple[str, ...] = (
        content_types.JSON, content_types.JSONLINES, content_types.RECORDIO, content_types.CSV,
    )  # fmt: skip
    precision: Any = np.float32
    """What ``predict`` gets numbers of."""
    title = "predictions"
    """The name of the list in an answer in JSON."""

    def __init__(self, model_folder: Path, environ: Mapping[str, str] | None = None) -> None:
        environ = os.environ if environ is None else environ
        self.model_folder = model_folder
        self.default_accept = environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", content_types.JSON)

    @abstractmethod
    def load(self) -> None:
        """Load the artifact; raises ``UserError`` if there is none."""

    @property
    @abstractmethod
    def width(self) -> int:
        """The number of features of the model."""

    @abstractmethod
    def predict(self, features: Array, verbose: bool) -> Sequence[Prediction]:
        """One record for each row of ``features`` (rows, columns), in ``precision``."""

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer the rows of ``body``; raises ``RequestError`` 415, 406 or 400."""
        return in_steps(self, body, content_type, accept)

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """The rows of a request, (rows, ``width``), whether they are predicted verbosely, and what the answer is in."""
        asked, parameters = content_types.split(accept if accept and accept != "*/*" else self.default_accept)
        asked = content_types.media_type(asked)
        features = rows_of(body, content_type or content_types.CSV, self.width, self.precision)
        if asked not in self.outputs:
            raise RequestError(
                406, f"Accept type {asked} is not supported. Supported accept types: {', '.join(self.outputs)}"
            )
        return Decoded(features, parameters.get("verbose") == "true", asked)

    def encode(self, predictions: Sequence[Prediction], answer: str) -> Reply:
        """Records in the format that was asked for."""
        return Reply(200, answer, encode(predictions, answer, self.title))


def rows_of(body: bytes, content_type: str, width: int, precision: Any = np.float32) -> Array:
    """The rows of a request, (rows, ``width``), in ``precision``.

    Raises ``RequestError`` 415 for a content type that is not supported, and 400 for rows that cannot be used.
    """
    media = content_types.media_type(content_type)
    if media not in INPUTS:
        raise RequestError(415, f"Content-type {media} is not supported. Supported content types: {', '.join(INPUTS)}")
    try:
        if media == content_types.CSV:
            label_size = int(content_types.split(content_type)[1].get("label_size", "0"))
            rows = parse_rows(body)[:, label_size:]
        elif media == content_types.RECORDIO:
            rows = _records(body, width)
        else:
            rows = _instances(body, media, width)
        return _checked(rows, width, precision)
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise RequestError(400, f"Unable to decode payload as {media}: {error}") from error


def encode(predictions: Sequence[Prediction], accept: str, title: str = "predictions") -> bytes:
    """Records in one of the documented formats of answers, in the order of the rows."""
    if accept == content_types.JSON:
        return json.dumps({title: list(predictions)}).encode()
    if accept == content_types.JSONLINES:
        return "".join(json.dumps(prediction) + "\n" for prediction in predictions).encode()
    lists = [
        {name: value if isinstance(value, list) else [value] for name, value in prediction.items()}
        for prediction in predictions
    ]
    if accept == content_types.RECORDIO:
        return recordio.write_labels(lists)
    lines = (",".join(str(value) for values in row.values() for value in values) for row in lists)
    return "".join(line + "\n" for line in lines).encode()


def _records(body: bytes, width: int) -> Array:
    rows = recordio.read_table(body)[0]
    if rows.shape[1] < width and any(
        record.features["values"].keys is not None for record in recordio.read_records(body)
    ):
        rows = np.pad(rows, ((0, 0), (0, width - rows.shape[1])))
    return rows


def _instances(body: bytes, media: str, width: int) -> Array:
    if media == content_types.JSONLINES:
        instances = [loads(line) for line in body.splitlines() if line.strip()]
    else:
        instances = loads(body)["instances"]
    rows = [_instance(instance, width) for instance in instances]
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise ValueError(f"the rows have different numbers of features: {sorted(lengths)}")
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1)


def _instance(instance: Any, width: int) -> Any:
    """The numbers of one instance: a list, ``{"features": …}`` or ``{"data": {"features": …}}``, dense or sparse."""
    if isinstance(instance, list):
        return instance
    features = instance["data"]["features"] if "data" in instance else instance["features"]
    if isinstance(features, list):
        return features
    values = features["values"]
    if not features.get("keys"):
        return values
    row = np.zeros(width)
    row[features["keys"]] = values
    return row


def _checked(rows: Array, width: int, precision: Any) -> Array:
    if not len(rows):
        raise ValueError("there is no row")
    if rows.shape[1] != width:
        raise ValueError(f"a row has {rows.shape[1]} features where the model has {width}")
    with np.errstate(over="ignore"):
        rows = rows.astype(precision)
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        bits = np.dtype(precision).itemsize * 8
        raise ValueError(f"row {row + 1}, feature {column + 1} is missing or not a finite number of {bits} bits")
    return rows
