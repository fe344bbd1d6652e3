"""Results as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import orjson

from clary.wire.timestamps import as_datetime, epoch_seconds, format_timestamp

_LATEST = 253402300799.0
"""The last second of the year 9999, behind which there are no times."""


def dump_json(value: Any) -> bytes:
    """JSON of plain values."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits and lone surrogates, which orjson refuses.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def plain_structure(shape: Any, value: Any) -> dict[str, Any]:
    """The members of ``shape`` that ``value`` has, as JSON's types; None and unknown members are left out."""
    return _structure_writer(shape)(value)


def plain(shape: Any, value: Any) -> Any:
    """One value as JSON's types."""
    return _writer(shape)(value)


_Write = Callable[[Any], Any]


@cache
def _structure_writer(shape: Any) -> Callable[[Any], dict[str, Any]]:
    """What writes a structure, worked out once: to look into the model for every row costs more than the rest."""
    members: dict[str, tuple[str, _Write]] = {}

    def write(value: Any) -> dict[str, Any]:
        # Not before it is needed: a structure may hold itself.
        if not members:
            for name, member in shape.members.items():
                members[name] = member.serialization.get("name", name), _writer(member)
        result: dict[str, Any] = {}
        for name, item in value.items():
            if item is not None and (member := members.get(name)) is not None:
                result[member[0]] = member[1](item)
        return result

    return write


@cache
def _writer(shape: Any) -> _Write:
    kind = shape.type_name
    if kind == "structure":
        return _as_is if shape.is_document_type else _structure_writer(shape)
    if kind == "list":
        return _list_writer(shape)
    if kind == "map":
        return _map_writer(shape)
    if kind == "timestamp":
        return _timestamp_writer(shape)
    return _SCALARS[kind]


def _as_is(value: Any) -> Any:
    return value


def _list_writer(shape: Any) -> _Write:
    write: _Write | None = None

    def write_list(value: Any) -> list[Any]:
        nonlocal write
        if write is None:
            write = _writer(shape.member)
        return [None if item is None else write(item) for item in value]

    return write_list


def _map_writer(shape: Any) -> _Write:
    write: _Write | None = None

    def write_map(value: Any) -> dict[str, Any]:
        nonlocal write
        if write is None:
            write = _writer(shape.value)
        return {str(key): write(item) for key, item in value.items() if item is not None}

    return write_map


def _timestamp_writer(shape: Any) -> _Write:
    style = shape.serialization.get("timestampFormat", "unixTimestamp")
    if style.lower() == "unixtimestamp":
        return _seconds
    return lambda value: format_timestamp(value, style)


def _seconds(value: Any) -> float:
    # Nearly all times are such numbers, and these few operations are what the rest comes to for them.
    if type(value) is float and 0.0 <= value < _LATEST:
        return round(value * 1_000_000) // 1000 / 1000
    return epoch_seconds(as_datetime(value))


def _string(value: Any) -> str:
    return value if type(value) is str else str(value)


def _float(value: Any) -> float | int | str:
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return special_float(value)
    return value if isinstance(value, int | float) else float(value)


def special_float(value: float) -> str:
    """The words for what JSON has no number for."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def encode_base64(value: Any) -> str:
    """A blob as text; text is taken as its UTF-8 bytes."""
    return base64.b64encode(value.encode("utf-8") if isinstance(value, str) else value).decode("ascii")


_SCALARS: dict[str, _Write] = {
    "string": _string,
    "character": _string,
    "char": _string,
    "integer": int,
    "long": int,
    "float": _float,
    "double": _float,
    "bigdecimal": _float,
    "boolean": bool,
    "blob": encode_base64,
}
