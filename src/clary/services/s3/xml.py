"""S3's XML: written from nested dictionaries, read with a hardened parser.

The service model's general serializer is not used here: S3 answers stream, listings are hot, and many of its
documents differ from the model (names of roots, owners, encoded keys).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias
from xml.etree import ElementTree

from .errors import MalformedXML

Value: TypeAlias = "str | int | bool | Mapping[str, Value] | Sequence[Mapping[str, Value]] | Sequence[str] | None"

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SPECIAL = re.compile('[&<>"\x00-\x1f\x7f\ufffe\uffff]')
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "\n", "\t": "\t"}


def write(root: str, content: Value, *, namespace: bool = True) -> bytes:
    """The document of ``content`` under ``root``: lists repeat their element, ``None`` leaves it out.

    A member ``@xsi:type`` becomes the attribute of that name.
    """
    pieces = [_HEAD]
    _element(pieces, root, content, f' xmlns="{NAMESPACE}"' if namespace else "")
    return "".join(pieces).encode("utf-8", "surrogateescape")


def _element(pieces: list[str], name: str, content: Value, attributes: str = "") -> None:
    if content is None:
        return
    if isinstance(content, Mapping):
        if "@xsi:type" in content:
            attributes += f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="{content["@xsi:type"]}"'
            content = {child: value for child, value in content.items() if child != "@xsi:type"}
        pieces.append(f"<{name}{attributes}>")
        for child, value in content.items():
            _element(pieces, child, value)
        pieces.append(f"</{name}>")
    elif isinstance(content, str):
        pieces.append(f"<{name}{attributes}>{escape(content)}</{name}>")
    elif isinstance(content, bool):
        pieces.append(f"<{name}{attributes}>{'true' if content else 'false'}</{name}>")
    elif isinstance(content, int):
        pieces.append(f"<{name}{attributes}>{content}</{name}>")
    else:
        for item in content:
            _element(pieces, name, item)


def escape(text: str) -> str:
    """``text`` as XML character data; control characters as references, as S3 writes them."""
    return _SPECIAL.sub(lambda match: _NAMED.get(match[0]) or f"&#x{ord(match[0]):x};", text)


class Node:
    """An element that has been read; names are without their namespaces."""

    def __init__(self, element: ElementTree.Element) -> None:
        self._element = element
        self.name = element.tag.rpartition("}")[2]

    @property
    def text(self) -> str:
        return self._element.text or ""

    def all(self, name: str) -> list[Node]:
        """The children of that name."""
        return [node for node in self.children if node.name == name]

    @property
    def children(self) -> list[Node]:
        return [Node(child) for child in self._element]

    def find(self, name: str) -> Node | None:
        return next(iter(self.all(name)), None)

    def value(self, name: str) -> str | None:
        """The text of the first child of that name."""
        node = self.find(name)
        return None if node is None else node.text

    def required(self, name: str) -> str:
        """As ``value``. Raises ``MalformedXML`` if there is no such child."""
        value = self.value(name)
        if value is None:
            raise MalformedXML
        return value


def read(document: bytes, root: str) -> Node:
    """The root of ``document``, which must be named ``root``. Raises ``MalformedXML``."""
    try:
        text = document.decode("utf-8-sig")
        # No S3 document has a type declaration; without one there are no entities to expand without bounds.
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise MalformedXML
        node = Node(ElementTree.fromstring(text))
    except (ElementTree.ParseError, ValueError):
        raise MalformedXML from None
    if node.name != root:
        raise MalformedXML
    return node
