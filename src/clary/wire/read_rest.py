"""The REST protocols: members in the path, the query string, headers and the body.

Reference: https://smithy.io/2.0/spec/http-bindings.html
"""

from __future__ import annotations

import base64
import binascii
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote, unquote_plus

from clary.core.errors import SerializationException, UnknownOperationException
from clary.wire import read_json, read_xml
from clary.wire.catalog import Service
from clary.wire.http import Request
from clary.wire.matching import labels, path_pattern
from clary.wire.timestamps import from_epoch

_compiled = lru_cache(maxsize=4096)(lambda template: (path_pattern(template), tuple(labels(template))))


def read_rest(service: Service, operation: Any, request: Request, path: str, xml: bool) -> dict[str, Any]:
    """The members of the operation's input; a payload that is a blob is the request's body as it stands."""
    shape = operation.input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    uri = _labels(operation.http["requestUri"], path)
    query: dict[str, list[str]] | None = None
    payload = shape.serialization.get("payload")
    in_body = False
    for name, member in shape.members.items():
        serialization = member.serialization
        location = serialization.get("location")
        key = serialization.get("name", name)
        if location == "uri":
            if key in uri:
                params[name] = read_xml.read_text(member, uri[key])
        elif location == "querystring":
            if query is None:
                query = _query(request.query)
            if member.type_name == "map":
                params[name] = _query_map(member, query, shape)
            elif key in query:
                params[name] = _query_value(member, query[key])
        elif location == "header":
            value = request.headers.get(key.lower())
            if value is not None:
                params[name] = _header(member, value)
        elif location == "headers":
            prefix = key.lower()
            start = len(prefix)
            params[name] = {
                header[start:]: value
                for header, value in request.headers.items()
                if header.startswith(prefix) and len(header) > start
            }
        elif name != payload:
            in_body = True
    if payload is not None:
        value = _payload(shape.members[payload], request.body, xml)
        if value is not None:
            params[payload] = value
    elif in_body and request.body:
        params.update(_body(shape, request.body, xml))
    return params


def _payload(shape: Any, body: bytes, xml: bool) -> Any:
    if shape.type_name == "blob" or shape.serialization.get("eventstream"):
        return body
    if shape.type_name == "string":
        try:
            return body.decode("utf-8") if body else None
        except UnicodeDecodeError:
            raise SerializationException("The body is not valid UTF-8") from None
    if xml:
        root = read_xml.load_xml(body)
        return None if root is None else read_xml.read_structure(shape, root)
    value = read_json.load_json(body) if body else None
    return None if value is None else read_json.read_value(shape, value)


def _body(shape: Any, body: bytes, xml: bool) -> dict[str, Any]:
    if xml:
        root = read_xml.load_xml(body)
        return {} if root is None else read_xml.read_structure(shape, root)
    value = read_json.load_json(body)
    return {} if value is None else read_json.read_structure(_body_only(shape), value)


class _BodyOnly:
    """A structure without the members that travel outside the body."""

    def __init__(self, shape: Any) -> None:
        self.members = {
            name: member for name, member in shape.members.items() if "location" not in member.serialization
        }


@cache
def _body_only(shape: Any) -> _BodyOnly:
    """The same for a shape each time, since what reads it is kept by it."""
    return _BodyOnly(shape)


def _labels(template: str, path: str) -> dict[str, str]:
    pattern, names = _compiled(template.partition("?")[0])
    match = pattern.match(path)
    if match is None:
        raise UnknownOperationException(f"The path {path[:256]} does not fit the operation")
    # A plus sign in a path is a plus sign.
    return {name: unquote(value) for name, value in zip(names, match.groups(), strict=True)}


def _query(query: str) -> dict[str, list[str]]:
    values: dict[str, list[str]] = {}
    for part in query.split("&"):
        if part:
            key, _, value = part.partition("=")
            values.setdefault(unquote_plus(key), []).append(unquote_plus(value))
    return values


def _query_value(shape: Any, values: list[str]) -> Any:
    if shape.type_name == "list":
        return [read_xml.read_text(shape.member, value) for value in values]
    return read_xml.read_text(shape, values[0])


def _query_map(shape: Any, query: dict[str, list[str]], parent: Any) -> dict[str, Any]:
    """A map takes the query parameters that no other member takes."""
    taken = {
        member.serialization.get("name", name)
        for name, member in parent.members.items()
        if member.serialization.get("location") == "querystring" and member.type_name != "map"
    }
    if shape.value.type_name == "list":
        return {key: values for key, values in query.items() if key not in taken}
    return {key: values[0] for key, values in query.items() if key not in taken}


def _header(shape: Any, value: str) -> Any:
    if shape.type_name == "list":
        if shape.member.type_name == "timestamp":
            parts = value.split(",")
            # An RFC 822 date contains a comma itself.
            if len(parts) % 2 == 0 and not any(part.strip()[:1].isdigit() for part in parts[::2]):
                parts = [f"{parts[index]},{parts[index + 1]}" for index in range(0, len(parts), 2)]
            return [read_xml.read_text(shape.member, part.strip()) for part in parts]
        return [read_xml.read_text(shape.member, part) for part in split_header_list(value)]
    if shape.serialization.get("jsonvalue"):
        try:
            return read_json.load_json(base64.b64decode(value, validate=True))
        except (binascii.Error, ValueError):
            raise SerializationException("A header is not base64-encoded JSON") from None
    if shape.type_name == "timestamp" and value.isascii() and value.isdigit() and len(value) < 13:
        return from_epoch(int(value))
    return read_xml.read_text(shape, value)


def split_header_list(value: str) -> list[str]:
    """The items of a comma-separated header; an item in double quotes may hold commas, and quotes behind a
    backslash."""
    items: list[str] = []
    item: list[str] = []
    quoted = was_quoted = False
    position, end = 0, len(value)
    while position < end:
        character = value[position]
        if quoted:
            if character == "\\" and value[position + 1 : position + 2] in ('"', "\\"):
                item.append(value[position + 1])
                position += 1
            elif character == '"':
                quoted = False
            else:
                item.append(character)
        elif character == '"' and not "".join(item).strip():
            item.clear()
            quoted = was_quoted = True
        elif character == ",":
            items.append("".join(item) if was_quoted else "".join(item).strip())
            item.clear()
            was_quoted = False
        else:
            item.append(character)
        position += 1
    items.append("".join(item) if was_quoted else "".join(item).strip())
    return items
