"""JSON of the REST API to tensors and back.

Reference: https://www.tensorflow.org/tfx/serving/api_rest#predict_api and #json_mapping there
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from clary_runtimes.frameworks.tensorflow_serving.target import refusal

Array = Any
Kinds = Mapping[str, Any]
"""The type of each input by its name, as NumPy calls it; ``object`` for strings."""

_TAKEN = {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}
"""By the kind of a tensor: the kinds of JSON values that it takes."""
_AS_BYTES = "_bytes"
"""How the names of outputs end whose strings are written as base64."""


def from_rows(rows: Any, kinds: Kinds) -> dict[str, Array]:
    """``instances``: a list with a value, or an object of named values, for each. Raises ``RequestError`` 400."""
    if not isinstance(rows, list) or not rows:
        raise refusal("Expecting 'instances' to be a list with at least one value")
    if not _has_names(rows[0]):
        return {_only(kinds, "instances is a plain list, but expecting list of objects"): _tensor(rows, kinds)}
    columns: dict[str, list[Any]] = {name: [] for name in kinds}
    for number, row in enumerate(rows):
        if not _has_names(row):
            raise refusal(f"Expecting object but got list at item {number} of input list")
        place = f"Failed to process element: {number}"
        for name in row:
            if name not in columns:
                raise refusal(
                    f"{place} key: {name} of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have "
                    f"named input: {name}"
                )
        if len(row) < len(columns):
            raise refusal(f"{place} of 'instances' list. JSON object must only have keys: {','.join(sorted(columns))}")
        for name, values in columns.items():
            values.append(row[name])
    return {name: _tensor(values, {name: kinds[name]}) for name, values in columns.items()}


def from_columns(given: Any, kinds: Kinds) -> dict[str, Array]:
    """``inputs``: one tensor, or an object of named ones. Raises ``RequestError`` 400."""
    if not _has_names(given):
        return {_only(kinds, "inputs is a plain value/list, but expecting an object"): _tensor(given, kinds)}
    for name in kinds:
        if name not in given:
            raise refusal(f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(given[name], {name: kinds[name]}) for name in kinds}


def to_rows(outputs: Mapping[str, Array]) -> bytes:
    """``predictions``: a value for each instance, or an object where there are several outputs. Raises ``RequestError``
    400 where the outputs have no row for each."""
    sizes = {name: array.shape[0] if array.ndim else None for name, array in outputs.items()}
    if None in sizes.values() or len(set(sizes.values())) > 1:
        raise refusal(f"The outputs have no common batch size ({sizes}): use the columnar format, 'inputs'")
    columns = {name: _writable(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        [rows] = columns.values()
    else:
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return dumps({"predictions": rows}, outputs)


def to_columns(outputs: Mapping[str, Array]) -> bytes:
    """``outputs``: the one tensor, or an object of named ones."""
    columns = {name: _writable(name, array) for name, array in outputs.items()}
    if len(columns) == 1:
        [only] = columns.values()
        return dumps({"outputs": only}, outputs)
    return dumps({"outputs": columns}, outputs)


def dumps(document: Any, arrays: Mapping[str, Array]) -> bytes:
    """JSON of a document with parts of ``arrays`` in it; ``NaN`` and ``Infinity`` as TensorFlow Serving writes them."""
    if all(array.dtype.kind not in "fV" or np.isfinite(array).all() for array in arrays.values()):
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(document, default=_plain).encode()


def decoded(value: Any) -> bytes | None:
    """The bytes of ``{"b64": …}``; None for anything else. Raises ``RequestError`` 400."""
    if not isinstance(value, dict) or len(value) != 1 or not isinstance(value.get("b64"), str):
        return None
    try:
        return base64.b64decode(value["b64"], validate=True)
    except binascii.Error as error:
        raise refusal(f"Unable to base64 decode: {error}") from error


def _has_names(value: Any) -> bool:
    return isinstance(value, dict) and decoded(value) is None


def _only(kinds: Kinds, complaint: str) -> str:
    if len(kinds) > 1:
        raise refusal(f"{complaint} as multiple input tensors required: {','.join(sorted(kinds))}")
    [name] = kinds
    return name


def _tensor(value: Any, kinds: Kinds) -> Array:
    """The value as the one tensor of ``kinds``."""
    [(name, kind)] = kinds.items()
    dtype = np.dtype(kind)
    try:
        if dtype.kind == "O":
            found = np.array(_strings(value), dtype=object)
            if any(isinstance(each, list) for each in found.flat):
                raise ValueError("lists of different lengths")
            return found
        found = np.array(value)
        if found.size and found.dtype.kind not in _TAKEN.get(dtype.kind, ""):
            raise ValueError(f"a JSON value is not of the expected type {dtype}")
        with np.errstate(over="raise"):
            return found.astype(dtype) if dtype.kind == "f" else np.array(value, dtype)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise refusal(f"Failed to process input {name}: {error}") from error


def _strings(value: Any) -> Any:
    if isinstance(value, list):
        return [_strings(each) for each in value]
    if isinstance(value, str):
        return value.encode()
    raw = decoded(value)
    if raw is None:
        raise ValueError("a JSON value is not of the expected type string")
    return raw


def _writable(name: str, array: Array) -> Any:
    """What ``dumps`` takes of a tensor."""
    if array.dtype.kind == "O":
        return _texts(array.tolist(), as_bytes=name.endswith(_AS_BYTES))
    if array.dtype.kind == "V":  # bfloat16
        return array.astype(np.float32)
    return array


def _plain(part: Array) -> Any:
    """A part of a tensor as Python's own values."""
    # Through text, so that 0.1 as float32 does not become 0.10000000149.
    return part.astype(str).astype(float).tolist() if part.dtype.kind == "f" else part.tolist()


def _texts(value: Any, as_bytes: bool) -> Any:
    if isinstance(value, list):
        return [_texts(each, as_bytes) for each in value]
    return {"b64": base64.b64encode(value).decode()} if as_bytes else value.decode("utf-8", "replace")
