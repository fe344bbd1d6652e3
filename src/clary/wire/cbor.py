"""The protocol smithy-rpc-v2-cbor: bodies into the members of a shape, and back.

Reference: https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import cbor2

from clary.core.errors import SerializationException
from clary.wire import read_json
from clary.wire.timestamps import as_datetime

NAME = "rpc-v2-cbor"
"""As the header ``smithy-protocol`` names it."""
HEADERS = {"content-type": "application/cbor", "smithy-protocol": NAME}
MAX_DEPTH = read_json.MAX_DEPTH


def load(body: bytes) -> Any:
    """The value of a body; an empty body is an empty map. Raises ``SerializationException``."""
    if not body:
        return {}
    try:
        return cbor2.loads(body)
    except (cbor2.CBORDecodeError, RecursionError, ValueError, OverflowError, TypeError) as error:
        # The first line is enough: it quotes none of what was sent.
        raise SerializationException(f"The body is not valid CBOR: {str(error).partition(chr(10))[0][:200]}") from None


def read_structure(shape: Any, value: Any, depth: int = 0) -> dict[str, Any]:
    """The known members of ``value``, a map, as Python values; members that the shape lacks are left out.

    Raises ``SerializationException`` for values of another type.
    """
    if not isinstance(value, dict):
        raise SerializationException(f"Expected a map, found {type(value).__name__}")
    if depth > MAX_DEPTH:
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep")
    found = {name: value.get(member.serialization.get("name", name)) for name, member in shape.members.items()}
    return {name: _read(shape.members[name], given, depth + 1) for name, given in found.items() if given is not None}


def _read(shape: Any, value: Any, depth: int) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return read_structure(shape, value, depth)
    if depth > MAX_DEPTH:
        raise SerializationException(f"The body is nested more than {MAX_DEPTH} levels deep")
    if kind == "list":
        if not isinstance(value, list):
            raise SerializationException(f"Expected a list, found {type(value).__name__}")
        return [None if item is None else _read(shape.member, item, depth + 1) for item in value]
    if kind == "map":
        if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
            raise SerializationException("Expected a map with keys that are text")
        return {key: _read(shape.value, item, depth + 1) for key, item in value.items() if item is not None}
    if kind == "blob":
        if not isinstance(value, bytes):
            raise SerializationException(f"Expected bytes, found {type(value).__name__}")
        return value
    if kind == "timestamp":
        if not isinstance(value, datetime):
            raise SerializationException(f"Expected a timestamp, found {type(value).__name__}")
        return value.astimezone(UTC)
    return read_json.read_value(shape, value, depth)


def dump_structure(shape: Any, value: dict[str, Any]) -> bytes:
    """The members of ``shape`` that ``value`` has; None and unknown members are left out."""
    return cbor2.dumps(_write(shape, value), datetime_as_timestamp=True)


def _write(shape: Any, value: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        members = shape.members
        return {
            members[name].serialization.get("name", name): _write(members[name], item)
            for name, item in value.items()
            if item is not None and name in members
        }
    if kind == "list":
        return [None if item is None else _write(shape.member, item) for item in value]
    if kind == "map":
        return {str(key): _write(shape.value, item) for key, item in value.items() if item is not None}
    if kind == "timestamp":
        return as_datetime(value)
    if kind == "blob":
        return value.encode() if isinstance(value, str) else bytes(value)
    if kind in ("float", "double"):
        return float(value)
    if kind in ("integer", "long"):
        return int(value)
    return bool(value) if kind == "boolean" else str(value)
