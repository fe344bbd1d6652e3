"""Requests and answers: rows of CSV in, probabilities or predictions in JSON out.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/InputOutput-LightGBM.html and the sample notebooks there
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.delimited import parse_rows
from clary_runtimes.algorithms.jumpstart.numbers import check_categories
from clary_runtimes.contract.errors import UserError
from clary_runtimes.serving.request import Batching, Decoded, Reply, RequestError, in_steps

Array = Any


class TabularHandler(ABC):
    """Answers ``probabilities`` of classes, or the ``prediction`` of a regression, for each row."""

    inline_bytes = 2048
    """A few rows take less time than handing them to a thread."""
    batching: Batching | None = Batching(requests=64)

    def __init__(self, model_folder: Path) -> None:
        self.model_folder = model_folder
        self.width = 0
        self.categorical: tuple[int, ...] = ()

    @abstractmethod
    def load(self) -> None:
        """Load the model; raises ``UserError`` if there is none."""

    @property
    @abstractmethod
    def labels(self) -> Sequence[Any]:
        """The labels of the classes in the order of their probabilities; empty for a regression."""

    @abstractmethod
    def predict(self, rows: Any, how: None = None) -> Array:
        """Predictions (rows,), probabilities of the second class (rows,), or of all classes (rows, classes)."""

    def parse(self, body: bytes) -> Any:
        """The rows of a request; raises ``ValueError`` or ``UserError`` for what cannot be used."""
        rows = parse_rows(body)
        if rows.shape[1] != self.width:
            raise ValueError(f"a row has {rows.shape[1]} features where the model has {self.width}")
        check_categories(rows, self.categorical, "the request")
        return rows

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer the rows of ``body``; raises ``RequestError`` 415, 406 or 400."""
        return in_steps(self, body, content_type, accept)

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """The rows of a request, and whether the answer is to have the labels too; raises as ``invoke``."""
        media = content_types.media_type(content_type or content_types.CSV)
        if media != content_types.CSV:
            raise RequestError(415, f"Content-type {media} is not supported: use {content_types.CSV}")
        verbose = _is_verbose(accept)
        try:
            return Decoded(self.parse(body), None, verbose)
        except (ValueError, UserError) as error:  # UnicodeDecodeError is a ValueError
            raise RequestError(400, f"Unable to decode payload as {media}: {error}") from error

    def encode(self, predictions: Array, answer: bool) -> Reply:
        """Predictions in JSON; with ``answer`` the labels too."""
        content: dict[str, Any] = {"prediction" if not self.labels else "probabilities": predictions.tolist()}
        if answer and self.labels:
            numbers = predictions.argmax(axis=1) if predictions.ndim == 2 else (predictions > 0.5).astype(np.int64)
            content["labels"] = list(self.labels)
            content["predicted_label"] = [self.labels[number] for number in numbers.tolist()]
        return Reply(200, content_types.JSON, json.dumps(content).encode())


def _is_verbose(accept: str | None) -> bool:
    """Whether the answer is to have the labels too; raises ``RequestError`` 406 for a type that is not JSON."""
    if not accept:
        return False
    media = content_types.media_type(accept)
    if media not in (content_types.JSON, "*/*"):
        raise RequestError(
            406,
            f"Accept type {media} is not supported. Supported accept types: {content_types.JSON}, "
            f"{content_types.JSON};verbose",
        )
    return "verbose" in (part.strip().lower() for part in accept.split(";")[1:])
