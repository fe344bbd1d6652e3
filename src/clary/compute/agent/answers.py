"""What S3 answers in XML, read without a tree.

Reference: https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def elements(document: bytes) -> Iterator[tuple[str, str]]:
    """Names and texts of the elements, as they end. Raises ``ValueError``."""
    from pyexpat import ExpatError, ParserCreate

    found: list[tuple[str, str]] = []
    text: list[str] = []
    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: text.clear()
    parser.CharacterDataHandler = text.append

    def end(name: str) -> None:
        found.append((name.rpartition(" ")[2], "".join(text)))
        text.clear()

    parser.EndElementHandler = end
    try:
        parser.Parse(document, True)
    except ExpatError as error:
        raise ValueError(f"not XML: {error}") from error
    return iter(found)


def texts(document: bytes, name: str) -> list[str]:
    """The texts of the elements called ``name``."""
    return [text for each, text in elements(document) if each == name]


def read_list(document: bytes) -> tuple[list[tuple[str, int]], str]:
    """Keys and sizes of one page of a listing, and what to ask the next page with; empty at the last."""
    found: list[tuple[str, int]] = []
    key, size, token, encoded, truncated = "", 0, "", False, False
    for name, text in elements(document):
        if name == "Key":
            key = text
        elif name == "Size":
            size = int(text)
        elif name == "Contents":
            found.append((key, size))
        elif name == "NextContinuationToken":
            token = text
        elif name == "EncodingType":
            encoded = text == "url"
        elif name == "IsTruncated":
            truncated = text == "true"
    if encoded:
        found = [(_unquote(key), size) for key, size in found]
    return found, token if truncated else ""


def _unquote(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    first, *rest = text.replace("+", " ").encode().split(b"%")
    return b"".join([first, *(bytes([int(part[:2], 16)]) + part[2:] for part in rest)]).decode("utf-8", "replace")
