"""Results as JSON."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import orjson

from clary.wire.timestamps import as_datetime, epoch_seconds, format_timestamp


def dump_json(value: Any) -> bytes:
    """JSON of plain values."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # Integers beyond 64 bits and lone surrogates, which orjson refuses.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def plain_structure(shape: Any, value: Any) -> dict[str, Any]:
    """The members of ``shape`` that ``value`` has, as JSON's types; None and unknown members are left out."""
    result: dict[str, Any] = {}
    members = shape.members
    for name, item in value.items():
        if item is not None and (member := members.get(name)) is not None:
            result[member.serialization.get("name", name)] = _WRITERS[member.type_name](member, item)
    return result


def plain(shape: Any, value: Any) -> Any:
    """One value as JSON's types."""
    return _WRITERS[shape.type_name](shape, value)


def _structure(shape: Any, value: Any) -> Any:
    return value if shape.is_document_type else plain_structure(shape, value)


def _list(shape: Any, value: Any) -> list[Any]:
    member = shape.member
    write = _WRITERS[member.type_name]
    return [None if item is None else write(member, item) for item in value]


def _map(shape: Any, value: Any) -> dict[str, Any]:
    member = shape.value
    write = _WRITERS[member.type_name]
    return {str(key): write(member, item) for key, item in value.items() if item is not None}


def _string(shape: Any, value: Any) -> str:
    return value if type(value) is str else str(value)


def _integer(shape: Any, value: Any) -> int:
    return int(value)


def _float(shape: Any, value: Any) -> float | int | str:
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return special_float(value)
    return value if isinstance(value, int | float) else float(value)


def special_float(value: float) -> str:
    """The words for what JSON has no number for."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _boolean(shape: Any, value: Any) -> bool:
    return bool(value)


def _blob(shape: Any, value: Any) -> str:
    return encode_base64(value)


def encode_base64(value: Any) -> str:
    """A blob as text; text is taken as its UTF-8 bytes."""
    return base64.b64encode(value.encode("utf-8") if isinstance(value, str) else value).decode("ascii")


def _timestamp(shape: Any, value: Any) -> float | str:
    style = shape.serialization.get("timestampFormat", "unixTimestamp")
    return epoch_seconds(as_datetime(value)) if style.lower() == "unixtimestamp" else format_timestamp(value, style)


_WRITERS: dict[str, Callable[[Any, Any], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "char": _string,
    "integer": _integer,
    "long": _integer,
    "float": _float,
    "double": _float,
    "bigdecimal": _float,
    "boolean": _boolean,
    "blob": _blob,
    "timestamp": _timestamp,
}
