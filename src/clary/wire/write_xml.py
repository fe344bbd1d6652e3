"""Results as XML."""

from __future__ import annotations

import re
from typing import Any

from clary.wire.timestamps import format_timestamp
from clary.wire.write_json import encode_base64, special_float

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

_SPECIAL = re.compile('[&<>"\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff\r]')
_NAMES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_LOST = "\ufffd"


def escape(text: str) -> str:
    """Text for an element or an attribute. A carriage return survives as a reference; what XML cannot hold at all is
    replaced."""
    return _SPECIAL.sub(_replace, text) if _SPECIAL.search(text) else text


def _replace(match: re.Match[str]) -> str:
    character = match[0]
    if character in _NAMES:
        return _NAMES[character]
    return "&#13;" if character == "\r" else "\x7f" if character == "\x7f" else _LOST


def write_structure(output: list[str], shape: Any, value: Any) -> None:
    """Append the members of ``shape`` that ``value`` has and that belong into the body; None and unknown members are
    left out."""
    for name, member in shape.members.items():
        item = value.get(name)
        serialization = member.serialization
        if item is not None and "location" not in serialization and not serialization.get("xmlAttribute"):
            write_element(output, member, item, serialization.get("name", name))


def write_element(output: list[str], shape: Any, value: Any, name: str, namespace: str | None = None) -> None:
    """Append one element (a flattened list or map: several) with the value."""
    kind = shape.type_name
    serialization = shape.serialization
    if kind == "list":
        member = shape.member
        if serialization.get("flattened"):
            name = member.serialization.get("name", name)
            for item in value:
                if item is not None:
                    write_element(output, member, item, name)
            return
        output.append(_opening(shape, name, None, namespace))
        item_name = member.serialization.get("name", "member")
        for item in value:
            if item is not None:
                write_element(output, member, item, item_name)
        output.append(f"</{name}>")
        return
    if kind == "map":
        _write_map(output, shape, value, name)
        return
    if kind == "structure":
        output.append(_opening(shape, name, value, namespace))
        write_structure(output, shape, value)
        output.append(f"</{name}>")
        return
    output.append(f"{_opening(shape, name, None, namespace)}{escape(text_of(shape, value))}</{name}>")


def _write_map(output: list[str], shape: Any, value: Any, name: str) -> None:
    flattened = shape.serialization.get("flattened")
    entry = name if flattened else "entry"
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    if not flattened:
        output.append(f"<{name}>")
    for key, item in value.items():
        if item is None:
            continue
        output.append(f"<{entry}>")
        write_element(output, shape.key, key, key_name)
        write_element(output, shape.value, item, value_name)
        output.append(f"</{entry}>")
    if not flattened:
        output.append(f"</{name}>")


def _opening(shape: Any, name: str, value: Any, namespace: str | None) -> str:
    attributes = f' xmlns="{escape(namespace)}"' if namespace else ""
    declared = shape.serialization.get("xmlNamespace")
    if declared:
        prefix, uri = (declared.get("prefix"), declared["uri"]) if isinstance(declared, dict) else (None, declared)
        if prefix:
            attributes += f' xmlns:{prefix}="{escape(uri)}"'
        elif not namespace:
            attributes += f' xmlns="{escape(uri)}"'
    if value is not None:
        for member_name, member in shape.members.items():
            if member.serialization.get("xmlAttribute") and (item := value.get(member_name)) is not None:
                attributes += f' {member.serialization.get("name", member_name)}="{escape(text_of(member, item))}"'
    return f"<{name}{attributes}>"


def text_of(shape: Any, value: Any, timestamp_format: str = "iso8601") -> str:
    """A scalar as text, for XML, headers and query strings."""
    kind = shape.type_name
    if kind == "boolean":
        return "true" if value else "false"
    if kind == "timestamp":
        return format_timestamp(value, shape.serialization.get("timestampFormat", timestamp_format))
    if kind == "blob":
        return encode_base64(value)
    if kind in ("integer", "long"):
        return str(int(value))
    if kind in ("float", "double", "bigdecimal"):
        number = float(value)
        return special_float(number) if number != number or number in (float("inf"), float("-inf")) else repr(number)
    return str(value)
