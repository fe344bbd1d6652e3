"""Tags: their form on objects and buckets.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import InvalidRequest, InvalidTag
from .xml import Node


def check_tags(tags: Sequence[tuple[str, str]], *, maximum: int) -> None:
    """Raises ``InvalidTag`` for a key or value that may not be, ``InvalidRequest`` for too many tags (``maximum``)."""
    if len(tags) > maximum:
        kind = "Object" if maximum == 10 else "Bucket"
        raise InvalidRequest(f"{kind} tags cannot be greater than {maximum}")
    for key, value in tags:
        if not 1 <= len(key) <= 128 or key.lower().startswith("aws:"):
            raise InvalidTag("The TagKey you have provided is invalid", TagKey=key)
        if len(value) > 256:
            raise InvalidTag("The TagValue you have provided is invalid", TagKey=key, TagValue=value)
    if len({key for key, _ in tags}) < len(tags):
        raise InvalidTag("Cannot provide multiple Tags with the same key")


def read_tags(document: Node, *, maximum: int) -> list[tuple[str, str]]:
    """The tags in a ``Tagging`` document, in the order of keys. Raises as ``check_tags``, and ``MalformedXML``."""
    found = document.find("TagSet")
    tags = [(tag.required("Key"), tag.required("Value")) for tag in (found.all("Tag") if found else [])]
    check_tags(tags, maximum=maximum)
    return sorted(tags)


def tagging(tags: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The content of a ``Tagging`` document."""
    return {"TagSet": {"Tag": [{"Key": key, "Value": value} for key, value in tags]}}
