"""The default decoding of requests and encoding of answers for scripts that do not do it themselves."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.delimited import parse_rows
from clary_runtimes.algorithms.data.json_text import loads
from clary_runtimes.serving.request import RequestError

Array = Any

_PLAIN = (np.dtype(np.float64), np.dtype(np.int64))
"""What is written in the same digits by Python and by NumPy."""
TEXTS = (content_types.JSON, content_types.CSV)
"""Requests of these types reach the script as ``str``, all others as ``bytes``."""


def decode(body: bytes, content_type: str) -> Array:
    """The rows of a request as an array of at least two dimensions; text formats become float32.

    Raises ``RequestError``: 415 for a type without default decoding, 400 for a body that is not of its type.
    """
    media = content_types.media_type(content_type)
    try:
        if media == content_types.CSV:
            return parse_rows(body).astype(np.float32)
        if media == content_types.JSON:
            return np.atleast_2d(np.array(loads(body), dtype=np.float32))
        if media == content_types.JSONLINES:
            rows = [loads(line) for line in body.splitlines() if line.strip()]
            return np.atleast_2d(np.array(rows, dtype=np.float32))
        if media == content_types.NPY:
            # A pickle inside the request would be somebody's code.
            return np.atleast_2d(np.load(io.BytesIO(body), allow_pickle=False))
    except (ValueError, TypeError) as error:
        raise RequestError(400, f"Unable to decode the payload as {media}: {error}") from error
    raise RequestError(415, unsupported(content_type))


def encode(prediction: Any, accept: str) -> tuple[bytes, str]:
    """A prediction as ``accept``, and the content type of that; raises ``RequestError`` 406 for an unknown type."""
    media = content_types.media_type(accept)
    if media == content_types.JSON:
        return json.dumps(prediction, default=_plain).encode(), media
    if media == content_types.CSV:
        if isinstance(prediction, np.ndarray) and prediction.dtype in _PLAIN and prediction.ndim == 1:
            # As below, without a call of NumPy for each row.
            return "".join(f"{value}\n" for value in prediction.tolist()).encode(), media
        stream = io.StringIO()
        np.savetxt(stream, np.atleast_1d(prediction), delimiter=",", fmt="%s")
        return stream.getvalue().encode(), media
    if media == content_types.NPY:
        buffer = io.BytesIO()
        np.save(buffer, prediction, allow_pickle=False)
        return buffer.getvalue(), media
    if media == content_types.JSONLINES:
        rows = prediction.tolist() if hasattr(prediction, "tolist") else list(prediction)
        return "".join(json.dumps(row, default=_plain) + "\n" for row in rows).encode(), media
    raise RequestError(406, unsupported(accept))


def unsupported(content_type: str) -> str:
    """The official toolkit's message."""
    return (
        f"Content type {content_type} is not supported by this framework.\n\n"
        "Please implement input_fn to to deserialize the request data or an output_fn to\n"
        "serialize the response. For more information, see the SageMaker Python SDK README."
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
