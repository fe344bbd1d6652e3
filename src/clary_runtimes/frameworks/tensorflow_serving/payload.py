"""What clients may send, as requests of TensorFlow Serving's REST API.

Reference: https://sagemaker.readthedocs.io/en/stable/frameworks/tensorflow/deploying_tensorflow_serving.html#other-input-formats
"""

from __future__ import annotations

import csv
import re
from typing import Any

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.json_text import loads
from clary_runtimes.frameworks.tensorflow_serving.target import refusal

_KEYS = {"instances", "inputs", "examples"}
_JSON = (content_types.JSON, content_types.JSONLINES, "application/jsons")
_VALUE = re.compile(r'\s*["\d+.-]')
"""How CSV begins whose fields are numbers and quoted strings; the fields of any other are strings as they stand."""


def document(body: bytes, content_type: str | None) -> dict[str, Any]:
    """The request of the REST API that a body stands for. Raises ``RequestError``: 415 for another type, 400 for what
    is not of its type."""
    media = content_types.media_type(content_type or content_types.JSON)
    if media in _JSON:
        return _of_json(_text(body))
    if media == content_types.CSV:
        return {"instances": _of_csv(_text(body))}
    raise refusal(f"Unsupported Media Type: {content_type}", 415)


def rest_document(body: bytes) -> dict[str, Any]:
    """A request that is one of the REST API already. Raises ``RequestError`` 400."""
    if not body:
        raise refusal("JSON Parse error: The document is empty")
    try:
        found = loads(_text(body))
    except ValueError as error:
        raise _no_json(error) from error
    if not isinstance(found, dict):
        raise refusal("The request is not a JSON object")
    return found


def _of_json(text: str) -> dict[str, Any]:
    try:
        value = loads(text)
    except ValueError as error:
        try:
            return {"instances": [loads(line) for line in _lines(text)]}
        except ValueError:
            raise _no_json(error) from error
    if isinstance(value, dict) and _KEYS & value.keys():
        return value
    # A list of lists has an instance in each; anything else is one.
    return {"instances": value if isinstance(value, list) and value and isinstance(value[0], list) else [value]}


def _of_csv(text: str) -> list[Any]:
    values = _VALUE.match(text) is not None
    rows = []
    for line in _lines(text):
        try:
            fields = loads(f"[{line}]") if values else next(csv.reader([line]))
        except ValueError as error:
            raise _no_json(error) from error
        rows.append(fields[0] if len(fields) == 1 else fields)
    return rows


def _no_json(error: ValueError) -> Exception:
    return refusal(f"JSON Parse error: {error}")


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal(f"The body is not UTF-8: {error}") from error
