"""JSON bodies into the members of a shape, with the wording of AWS's ``SerializationException``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from clary.core.errors import SerializationException
from clary.wire.timestamps import from_epoch, parse_timestamp

MAX_DEPTH = 100

_FLOATS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


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
    return _structure_reader(shape)(value, depth)


def read_value(shape: Any, value: Any, depth: int = 0) -> Any:
    """One JSON value as the shape's type: ``datetime`` for timestamps, ``bytes`` for blobs, otherwise JSON's own types.

    Raises ``SerializationException`` if the value has another type.
    """
    return _reader(shape)(value, depth)


_Read = Callable[[Any, int], Any]
"""Takes a value and how deep it lies."""


@cache
def _structure_reader(shape: Any) -> Callable[[Any, int], dict[str, Any]]:
    """What reads a structure, worked out once: most of the time would go into looking at the model."""
    readers: list[tuple[str, str, _Read]] = []

    def read(value: Any, depth: int) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise SerializationException(_unexpected(value, "Unexpected field type"))
        _check_depth(depth)
        # Not before it is needed: a structure may hold itself.
        if not readers:
            readers.extend(
                (member.serialization.get("name", name), name, _reader(member))
                for name, member in shape.members.items()
            )
        members: dict[str, Any] = {}
        for called, name, read_member in readers:
            given = value.get(called)
            if given is not None:
                members[name] = read_member(given, depth + 1)
        return members

    return read


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep")


@cache
def _reader(shape: Any) -> _Read:
    kind = shape.type_name
    if kind == "structure":
        return _as_is if shape.is_document_type else _structure_reader(shape)
    if kind == "list":
        return _list_reader(shape)
    if kind == "map":
        return _map_reader(shape)
    if kind in _INTEGERS:
        return _integer_reader(*_INTEGERS[kind])
    if kind in ("float", "double", "bigdecimal"):
        return _float_reader("a Float" if kind == "float" else "a Double")
    return _SCALARS[kind]


def _as_is(value: Any, depth: int) -> Any:
    return value


def _list_reader(shape: Any) -> _Read:
    read: _Read | None = None

    def read_list(value: Any, depth: int) -> list[Any]:
        nonlocal read
        if not isinstance(value, list):
            raise SerializationException(
                _unexpected(value, "Expected list or null") if isinstance(value, dict) else "Expected list or null"
            )
        _check_depth(depth)
        if read is None:
            read = _reader(shape.member)
        return [None if item is None else read(item, depth + 1) for item in value]

    return read_list


def _map_reader(shape: Any) -> _Read:
    read: _Read | None = None

    def read_map(value: Any, depth: int) -> dict[str, Any]:
        nonlocal read
        if not isinstance(value, dict):
            raise SerializationException(
                _unexpected(value, "Expected map or null") if isinstance(value, list) else "Expected map or null"
            )
        _check_depth(depth)
        if read is None:
            read = _reader(shape.value)
        return {key: None if item is None else read(item, depth + 1) for key, item in value.items()}

    return read_map


def _string(value: Any, depth: int) -> str:
    if type(value) is not str:
        raise _cannot(value, "a String")
    return value


_INTEGERS = {"integer": (2**31, "an Integer"), "long": (2**63, "a Long")}


def _integer_reader(limit: int, wanted: str) -> _Read:
    def read(value: Any, depth: int) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int or not -limit <= value < limit:
            raise _cannot(value, wanted)
        return value

    return read


def _float_reader(wanted: str) -> _Read:
    def read(value: Any, depth: int) -> float:
        if type(value) is int or type(value) is float:
            return float(value)
        if type(value) is str and value in _FLOATS:
            return _FLOATS[value]
        raise _cannot(value, wanted)

    return read


def _boolean(value: Any, depth: int) -> bool:
    if type(value) is not bool:
        raise _cannot(value, "a Boolean")
    return value


def _blob(value: Any, depth: int) -> bytes:
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


def _timestamp(value: Any, depth: int) -> datetime:
    try:
        if type(value) is int or type(value) is float:
            return from_epoch(value)
        if type(value) is str:
            return parse_timestamp(value)
    except ValueError:
        raise SerializationException(f"Invalid timestamp: {str(value)[:64]}") from None
    raise _cannot(value, "a Timestamp")


_SCALARS: dict[str, _Read] = {
    "string": _string,
    "character": _string,
    "char": _string,
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
