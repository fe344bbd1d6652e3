"""Form fields of the query protocol (``Tags.member.1.Key=a``) into the members of a shape.

Reference: https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from clary.core.errors import SerializationException
from clary.wire.errors import MalformedQueryString
from clary.wire.read_xml import read_text

MAX_FIELDS = 20_000
MAX_DEPTH = 32

# A node is the text of a field and the fields below it.
_Tree = dict[str, Any]
_TEXT = ""


def load_form(*forms: str) -> _Tree:
    """The fields of the query string and of the body as a tree, split at the dots of their names; the first of equal
    fields counts.

    Raises ``MalformedQueryString``.
    """
    tree: _Tree = {}
    count = 0
    for form in forms:
        for field in form.split("&"):
            if not field:
                continue
            count += 1
            if count > MAX_FIELDS:
                raise MalformedQueryString(f"The request has more than {MAX_FIELDS} parameters")
            key, _, value = field.partition("=")
            parts = unquote_plus(key).split(".")
            if len(parts) > MAX_DEPTH:
                raise MalformedQueryString("The query string is nested too deeply")
            node = tree
            for part in parts:
                # The empty name holds a node's own text, so empty parts get a name that no shape has.
                node = node.setdefault(part or ".", {})
            node.setdefault(_TEXT, unquote_plus(value))
    return tree


def read_structure(shape: Any, tree: _Tree) -> dict[str, Any]:
    """The members of ``shape`` among the fields.

    Raises ``SerializationException`` if a field cannot be read as its member's type.
    """
    members: dict[str, Any] = {}
    for name, member in shape.members.items():
        key = member.serialization.get("queryName") or member.serialization.get("name", name)
        node = tree.get(key)
        if member.type_name == "list" and member.serialization.get("flattened"):
            node = tree.get(member.member.serialization.get("name", key), node)
        if node is not None and (value := _read(member, node)) is not None:
            members[name] = value
    return members


def _read(shape: Any, node: _Tree) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return read_structure(shape, node)
    if kind == "list":
        return _read_list(shape, node)
    if kind == "map":
        return _read_map(shape, node)
    text = node.get(_TEXT)
    return None if text is None else read_text(shape, text)


def _read_list(shape: Any, node: _Tree) -> list[Any] | None:
    items = node
    if not shape.serialization.get("flattened"):
        items = node.get(shape.member.serialization.get("name", "member"), {})
        if not items and "member" in node:
            items = node["member"]
    numbered = _numbered(items)
    if not numbered:
        # "Name=" is an empty list; nothing at all below the name is no list.
        return [] if node.get(_TEXT) == "" else None
    return [_read(shape.member, item) for item in numbered]


def _read_map(shape: Any, node: _Tree) -> dict[str, Any] | None:
    entries = node if shape.serialization.get("flattened") else node.get("entry", {})
    numbered = _numbered(entries)
    if not numbered:
        return {} if node.get(_TEXT) == "" else None
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    result = {}
    for entry in numbered:
        key = entry.get(key_name, {}).get(_TEXT)
        if key is None:
            raise SerializationException("A map entry lacks its key")
        result[key] = _read(shape.value, entry[value_name]) if value_name in entry else None
    return result


def _numbered(node: _Tree) -> list[_Tree]:
    """The children that are numbers, in their order."""
    numbers = [name for name in node if name.isascii() and name.isdigit() and len(name) < 10]
    return [node[name] for name in sorted(numbers, key=int)]
