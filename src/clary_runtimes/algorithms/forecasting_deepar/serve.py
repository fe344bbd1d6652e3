"""Inference with DeepAR.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar-in-formats.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.forecasting_deepar.estimator import DeepAR
from clary_runtimes.algorithms.forecasting_deepar.series import Series, parse
from clary_runtimes.contract.errors import UserError
from clary_runtimes.serving.request import Reply, RequestError

Array = Any

TYPES = (content_types.JSON, content_types.JSONLINES)
OUTPUTS = ("mean", "quantiles", "samples")
MOST_SAMPLES = 10000


class Configuration(NamedTuple):
    """What an answer has in it. ``quantiles`` are as they were written, since answers repeat them."""

    num_samples: int = 100
    output_types: tuple[str, ...] = ("mean", "quantiles")
    quantiles: tuple[str, ...] = ("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9")


class DeepARHandler:
    """Answers each series with its forecast; ``DEEPAR_INFERENCE_CONFIG`` is for requests without configuration."""

    inline_bytes = 0
    """Sample paths take too long for the event loop."""
    model: DeepAR
    configuration: Configuration

    def __init__(self, model_folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.model_folder = model_folder
        self.environ = os.environ if environ is None else environ

    def load(self) -> None:
        """Load the model; raises ``UserError`` if there is none or ``DEEPAR_INFERENCE_CONFIG`` cannot be used."""
        try:
            self.configuration = configured(json.loads(self.environ.get("DEEPAR_INFERENCE_CONFIG") or "{}"))
        except ValueError as error:
            raise UserError(f"DEEPAR_INFERENCE_CONFIG cannot be used: {error}") from error
        torch.set_num_threads(1)  # requests are answered side by side
        self.model = DeepAR.load(self.model_folder)

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer the series of ``body``; raises ``RequestError`` 415, 406 or 400."""
        media = content_types.media_type(content_type or content_types.JSON)
        if media not in TYPES:
            raise RequestError(415, f"Content-type {media} is not supported. Supported: {', '.join(TYPES)}")
        asked = content_types.media_type(accept) if accept and "*" not in accept else media
        if asked not in TYPES:
            raise RequestError(406, f"Accept type {asked} is not supported. Supported: {', '.join(TYPES)}")
        try:
            records, configuration = self._lines(body) if media == content_types.JSONLINES else self._document(body)
            series = [self._series(record, number) for number, record in enumerate(records, start=1)]
        except (ValueError, TypeError, KeyError) as error:
            raise RequestError(400, f"Unable to decode payload as {media}: {error}") from error
        samples = self.model.sample(series, configuration.num_samples)
        answers = [_answer(paths, configuration) for paths in samples]
        if asked == content_types.JSON:
            return Reply(200, asked, json.dumps({"predictions": answers}).encode())
        return Reply(200, asked, "".join(json.dumps(answer) + "\n" for answer in answers).encode())

    def _document(self, body: bytes) -> tuple[list[Any], Configuration]:
        document = json.loads(body)
        if not isinstance(document, dict) or not isinstance(document.get("instances"), list):
            raise ValueError("it has no list of instances")
        if not document["instances"]:
            raise ValueError("instances has no time series in it")
        given = document.get("configuration")
        return document["instances"], self.configuration if given is None else configured(given)

    def _lines(self, body: bytes) -> tuple[list[Any], Configuration]:
        records = [json.loads(line) for line in body.splitlines() if line.strip()]
        if not records:
            raise ValueError("there is no line")
        return records, self.configuration

    def _series(self, record: Any, number: int) -> Series:
        model = self.model
        groups, features = len(model.cardinality), len(model.shift)
        try:
            found = parse(record, grouped=groups > 0, featured=features > 0)
            if len(found.cat) != groups:
                raise ValueError(f"cat has {len(found.cat)} entries, and the model needs {groups}")
            for group, most in zip(found.cat, model.cardinality, strict=True):
                if group >= most:
                    raise ValueError(f"cat has {group}, and the model knows 0 to {most - 1} there")
            if len(found.dynamic) != features:
                raise ValueError(f"dynamic_feat has {len(found.dynamic)} lists, and the model needs {features}")
            needed = len(found.target) + model.prediction_length
            if features and found.dynamic.shape[1] != needed:
                raise ValueError(
                    f"dynamic_feat has {found.dynamic.shape[1]} values; it must have those of target and"
                    f" prediction_length ({model.prediction_length}) more, {needed}"
                )
        except ValueError as error:
            raise ValueError(f"instance {number}: {error}") from error
        return found


def configured(given: Any) -> Configuration:
    """The configuration that an object of a request means; raises ``ValueError`` if it means none."""
    if not isinstance(given, dict):
        raise ValueError("configuration is not an object")
    usual = Configuration()
    samples = given.get("num_samples", usual.num_samples)
    if isinstance(samples, bool) or not isinstance(samples, int) or not 1 <= samples <= MOST_SAMPLES:
        raise ValueError(f"num_samples is {samples!r}; it must be a whole number from 1 to {MOST_SAMPLES}")
    outputs, quantiles = (given.get(name, getattr(usual, name)) for name in ("output_types", "quantiles"))
    if not _is_list(outputs) or not outputs or not set(map(str, outputs)) <= set(OUTPUTS):
        raise ValueError(f"output_types is {outputs!r}; it must be a list of some of {', '.join(OUTPUTS)}")
    if not _is_list(quantiles) or not all(0 < float(quantile) < 1 for quantile in quantiles):
        raise ValueError(f"quantiles is {quantiles!r}; it must be a list of numbers between 0 and 1")
    return Configuration(samples, tuple(map(str, outputs)), tuple(map(str, quantiles)))


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _answer(paths: Array, configuration: Configuration) -> dict[str, Any]:
    """The record of one series, whose sample paths are (paths, points)."""
    found: dict[str, Any] = {}
    if "quantiles" in configuration.output_types:
        levels = configuration.quantiles
        rows = np.quantile(paths, [float(level) for level in levels], axis=0).tolist()
        found["quantiles"] = dict(zip(levels, rows, strict=True))
    if "samples" in configuration.output_types:
        found["samples"] = paths.tolist()
    if "mean" in configuration.output_types:
        found["mean"] = paths.mean(axis=0).tolist()
    return found


handler = DeepARHandler
