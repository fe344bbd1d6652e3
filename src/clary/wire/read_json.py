"""JSON bodies into the members of a shape, with the wording of AWS's ``SerializationException``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from clary.core.errors import SerializationException
from clary.wire.timestamps import from_epoch, parse_timestamp

MAX_DEPTH = 100

_FLOATS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_INTEGER_LIMITS = {"integer": 2**31, "long": 2**63}


def load_json(body: bytes) -> Any:
    """The value of a JSON body; an empty body is an empty object.

    Raises ``SerializationException``.
    """
    if not body or body.isspace():
        return {}
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise SerializationException(f"The body is not valid JSON: {error.msg}") from None


def read_structure(shape: Any, value: Any, depth: int = 0) -> dict[str, Any]:
    """The known members of ``value``, an object of JSON, as Python values; members that the shape lacks are left
    out."""
    if not isinstance(value, dict):
        raise SerializationException(_unexpected(value, "Unexpected field type"))
    if depth > MAX_DEPTH:
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep")
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        given = value.get(member.serialization.get("name", name))
        if given is not None:
            members[name] = read_value(member, given, depth + 1)
    return members


def read_value(shape: Any, value: Any, depth: int = 0) -> Any:
    """One JSON value as the shape's type: ``datetime`` for timestamps, ``bytes`` for blobs, otherwise JSON's own types.

    Raises ``SerializationException`` if the value has another type.
    """
    return _READERS[shape.type_name](shape, value, depth)


def _structure(shape: Any, value: Any, depth: int) -> Any:
    if shape.is_document_type:
        return value
    return read_structure(shape, value, depth)


def _list(shape: Any, value: Any, depth: int) -> list[Any]:
    if not isinstance(value, list):
        raise SerializationException(
            _unexpected(value, "Expected list or null") if isinstance(value, dict) else "Expected list or null"
        )
    if depth > MAX_DEPTH:
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep")
    member = shape.member
    read = _READERS[member.type_name]
    return [None if item is None else read(member, item, depth + 1) for item in value]


def _map(shape: Any, value: Any, depth: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SerializationException(
            _unexpected(value, "Expected map or null") if isinstance(value, list) else "Expected map or null"
        )
    if depth > MAX_DEPTH:
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep")
    member = shape.value
    read = _READERS[member.type_name]
    return {key: None if item is None else read(member, item, depth + 1) for key, item in value.items()}


def _string(shape: Any, value: Any, depth: int) -> str:
    if type(value) is not str:
        raise _cannot(value, "a String")
    return value


def _integer(shape: Any, value: Any, depth: int) -> int:
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int:
        raise _cannot(value, "an Integer" if shape.type_name == "integer" else "a Long")
    limit = _INTEGER_LIMITS[shape.type_name]
    if not -limit <= value < limit:
        raise _cannot(value, "an Integer" if shape.type_name == "integer" else "a Long")
    return value


def _float(shape: Any, value: Any, depth: int) -> float:
    if type(value) is int or type(value) is float:
        return float(value)
    if type(value) is str and value in _FLOATS:
        return _FLOATS[value]
    raise _cannot(value, "a Float" if shape.type_name == "float" else "a Double")


def _boolean(shape: Any, value: Any, depth: int) -> bool:
    if type(value) is not bool:
        raise _cannot(value, "a Boolean")
    return value


def _blob(shape: Any, value: Any, depth: int) -> bytes:
    if type(value) is not str:
        raise _cannot(value, "a Blob")
    return decode_base64(value)


def decode_base64(text: str) -> bytes:
    """The bytes of a blob that travels as text.

    Raises ``SerializationException``.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SerializationException("Invalid base64 encoding of a blob") from None


def _timestamp(shape: Any, value: Any, depth: int) -> datetime:
    try:
        if type(value) is int or type(value) is float:
            return from_epoch(value)
        if type(value) is str:
            return parse_timestamp(value)
    except ValueError:
        raise SerializationException(f"Invalid timestamp: {str(value)[:64]}") from None
    raise _cannot(value, "a Timestamp")


_READERS: dict[str, Callable[[Any, Any, int], Any]] = {
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


def _cannot(value: Any, wanted: str) -> SerializationException:
    return SerializationException(_unexpected(value, f"{_token(value)} can not be converted to {wanted}"))


def _unexpected(value: Any, otherwise: str) -> str:
    # The full stop is in one of AWS's two messages and not in the other.
    if isinstance(value, list):
        return "Start of list found where not expected"
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    return otherwise


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, int):
        return "NUMBER_VALUE"
    if isinstance(value, float):
        return "NUMBER_VALUE" if value.is_integer() else "DECIMAL_VALUE"
    return "STRING_VALUE"
