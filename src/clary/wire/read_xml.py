"""XML bodies into the members of a shape.

Documents with a DTD are refused before anything in them is expanded, and depth is limited, so that a small body cannot
become large.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from clary.core.errors import SerializationException
from clary.wire.errors import MalformedXML
from clary.wire.read_json import decode_base64
from clary.wire.timestamps import parse_timestamp

MAX_DEPTH = 64
MAX_ELEMENTS = 200_000

_MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


class _Scanner:
    """Feeds expat's events to a tree builder, within limits."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        self._elements = 0
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.ordered_attributes = False
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        self._parser = parser

    def read(self, body: bytes) -> Element:
        self._parser.Parse(body, True)
        root: Element = self._builder.close()
        return root

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise MalformedXML(_MALFORMED)
        self._builder.start(tag.rpartition("}")[2], attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag.rpartition("}")[2])

    def _refuse(self, *_: object) -> None:
        raise MalformedXML(_MALFORMED)


def load_xml(body: bytes) -> Element | None:
    """The root element of an XML body, its tags without namespaces; None for an empty body.

    Raises ``MalformedXML``.
    """
    if not body or body.isspace():
        return None
    try:
        return _Scanner().read(body)
    except (expat.ExpatError, ValueError, AssertionError, LookupError):
        raise MalformedXML(_MALFORMED) from None


class _Node(NamedTuple):
    """The children of an element by tag."""

    element: Element
    children: dict[str, list[Element]]


def read_structure(shape: Any, element: Element) -> dict[str, Any]:
    """The members of ``shape`` that ``element`` holds in its body and attributes."""
    children: dict[str, list[Element]] = {}
    for child in element:
        children.setdefault(child.tag, []).append(child)
    node = _Node(element, children)
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        serialization = member.serialization
        if "location" in serialization:
            continue
        if serialization.get("xmlAttribute"):
            value = _attribute(element, serialization.get("name", name))
            if value is not None:
                members[name] = value
            continue
        key = serialization.get("name", name)
        if member.type_name == "list" and serialization.get("flattened"):
            # A flattened list goes by the name of its items where that is given.
            key = key if key in node.children else member.member.serialization.get("name", key)
        found = node.children.get(key)
        if found:
            members[name] = _read(member, found)
    return members


def _attribute(element: Element, name: str) -> str | None:
    local = name.rpartition(":")[2]
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == local), None)


def _read(shape: Any, found: list[Element]) -> Any:
    kind = shape.type_name
    flattened = shape.serialization.get("flattened")
    if kind == "list":
        items: Iterable[Element] = found if flattened else found[0]
        return [_read(shape.member, [item]) for item in items]
    if kind == "map":
        return _read_map(shape, found if flattened else list(found[0]))
    element = found[0]
    if kind == "structure":
        return read_structure(shape, element)
    if len(element):
        raise MalformedXML(_MALFORMED)
    return read_text(shape, element.text or "")


def _read_map(shape: Any, entries: list[Element]) -> dict[str, Any]:
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    result = {}
    for entry in entries:
        key, value = entry.find(key_name), entry.find(value_name)
        if key is None or value is None:
            raise MalformedXML(_MALFORMED)
        result[key.text or ""] = _read(shape.value, [value])
    return result


def read_text(shape: Any, text: str, timestamp_format: str | None = None) -> Any:
    """A scalar that travels as text (in XML, a query string or a header) as the shape's type.

    Raises ``SerializationException``.
    """
    kind = shape.type_name
    if kind in ("string", "character", "char"):
        return text
    try:
        if kind in ("integer", "long"):
            if len(text) > 24:
                raise ValueError(text)
            number = int(text)
            if not -(2**63) <= number < 2**63 or (kind == "integer" and not -(2**31) <= number < 2**31):
                raise ValueError(text)
            return number
        if kind in ("float", "double", "bigdecimal"):
            if len(text) > 512:
                raise ValueError(text)
            return float(text)
        if kind == "boolean":
            return {"true": True, "false": False, "1": True, "0": False}[text.strip().lower()]
        if kind == "timestamp":
            return _time(text)
    except (ValueError, KeyError):
        raise SerializationException(f"The value {text[:64]!r} is not a valid {kind}") from None
    if kind == "blob":
        return decode_base64("".join(text.split()))
    raise SerializationException(f"A {kind} cannot be read from text")


def _time(text: str) -> datetime:
    return parse_timestamp(text)
