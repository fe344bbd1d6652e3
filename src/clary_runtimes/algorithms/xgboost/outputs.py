"""The forms in which the XGBoost server answers.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-inference.html, and for ``SAGEMAKER_INFERENCE_OUTPUT``
https://docs.aws.amazon.com/sagemaker/latest/dg/autopilot-automate-model-development-container-output.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary_runtimes.algorithms.data import content_types, recordio
from clary_runtimes.serving.request import RequestError

Array = Any

ACCEPTS = (content_types.JSON, content_types.JSONLINES, content_types.RECORDIO, content_types.CSV)

_REGRESSION = ("predicted_score",)
_LABELS = ("predicted_label", "labels", "raw_score", "raw_scores")
_PROBABILITIES = ("predicted_label", "labels", "probability", "probabilities", "raw_score", "raw_scores")

SELECTABLE: Mapping[str, tuple[str, ...]] = {
    "reg:squarederror": _REGRESSION,
    "reg:logistic": _REGRESSION,
    "reg:gamma": _REGRESSION,
    "reg:absoluteerror": _REGRESSION,
    "reg:tweedie": _REGRESSION,
    "binary:logistic": _PROBABILITIES,
    "binary:logitraw": _LABELS,
    "binary:hinge": _LABELS,
    "multi:softmax": _LABELS,
    "multi:softprob": _PROBABILITIES,
}


def chosen_accept(accept: str | None, default: str) -> str:
    """The content type to answer in; raises ``RequestError`` (406) for one that there is no form for."""
    media = content_types.media_type(accept) if accept else "*/*"
    if media == "*/*":
        return default
    if media not in ACCEPTS:
        raise RequestError(
            406, f"Accept type {media} is not supported. Please use supported accept types: {list(ACCEPTS)}."
        )
    return media


def encode(predictions: Array, accept: str, batch: bool) -> bytes:
    """Predictions (rows,) or (rows, classes) as ``accept``; ``batch`` is the form of batch transform: a line a row."""
    values = predictions.tolist()
    if batch:
        return ("\n".join(map(str, values)) + "\n").encode()
    if accept == content_types.CSV:
        lines = (",".join(map(str, value)) if isinstance(value, list) else str(value) for value in values)
        return ("\n".join(lines) + "\n").encode()
    scored = [{"score": value} for value in values]
    if accept == content_types.JSON:
        return json.dumps({"predictions": scored}).encode()
    if accept == content_types.JSONLINES:
        return "".join(json.dumps(score) + "\n" for score in scored).encode()
    return recordio.write_labels([{"score": _list(value)} for value in values])


def encode_selected(
    predictions: Array, keys: Sequence[str], objective: str, classes: int, accept: str, batch: bool
) -> bytes:
    """The content that ``SAGEMAKER_INFERENCE_OUTPUT`` selects, as ``accept``; keys without meaning here are NaN.

    Raises ``RequestError`` (500, as the container) for an objective that has no selectable content.
    """
    if objective not in SELECTABLE:
        raise RequestError(500, f"Objective `{objective}` unsupported for selectable inference predictions.")
    allowed = SELECTABLE[objective]
    rows = [
        {key: _content(key, value, objective, classes) if key in allowed else float("nan") for key in keys}
        for value in predictions.tolist()
    ]
    if accept == content_types.JSON:
        return json.dumps({"predictions": rows}).encode()
    if accept == content_types.JSONLINES:
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    if accept == content_types.RECORDIO:
        return recordio.write_labels([{key: _list(value) for key, value in row.items()} for row in rows])
    lines = (
        ",".join(f'"{value}"' if isinstance(value, list) else str(value) for value in row.values()) for row in rows
    )
    return ("\n".join(lines) + ("\n" if batch else "")).encode()


def _content(key: str, value: Any, objective: str, classes: int) -> Any:
    several = isinstance(value, list)
    content: dict[str, Callable[[], Any]] = {
        "predicted_score": lambda: value,
        "predicted_label": lambda: _label(value, objective),
        "labels": lambda: list(range(classes)) if objective.startswith("multi:") else [0, 1],
        "probability": lambda: max(value) if several else value,
        "probabilities": lambda: value if several else [1.0 - value, value],
        "raw_score": lambda: max(value) if several else value,
        "raw_scores": lambda: value if several else [1.0 - value, value],
    }
    return content[key]()


def _label(value: Any, objective: str) -> Any:
    if isinstance(value, list):
        return value.index(max(value))
    if objective == "binary:logistic":
        return int(value > 0.5)
    if objective == "binary:logitraw":
        return int(value > 0)
    return value


def _list(value: Any) -> list[float]:
    return value if isinstance(value, list) else [value]
