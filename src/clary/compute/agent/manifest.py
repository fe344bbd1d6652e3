"""Manifests: JSON lists of the objects that make up a channel, and JSON lines of objects with what is known of them.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3DataSource.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/augmented-manifest.html
"""

from __future__ import annotations

from clary.compute.agent.documents import dumps, loads

REFERENCE = "-ref"
"""How the names of attributes end whose values are URIs of objects."""


class ManifestError(ValueError):
    """A manifest that cannot be used; ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def entries(text: str) -> list[tuple[str, str]]:
    """The objects that a manifest names, each as an S3 URI and its name in the channel's folder.

    Raises ``ManifestError`` if it is no manifest.
    """
    try:
        document = loads(text)
    except ValueError:
        raise _syntax(text) from None
    head = document[0] if isinstance(document, list) and document else None
    prefix = head.get("prefix") if isinstance(head, dict) else None
    if not isinstance(prefix, str):
        raise ManifestError(1, 'a manifest is a list like [{"prefix": "s3://bucket/folder/"}, "file-1", "file-2"]')
    if not prefix.startswith("s3://") or not prefix[5:].partition("/")[0]:
        raise ManifestError(_line_of(text, 0), f"the prefix {prefix!r} is not an S3 URI")
    found = []
    for number, name in enumerate(document[1:], start=1):
        if not isinstance(name, str):
            what = "every element after the first is the rest of a key, a string"
            raise ManifestError(_line_of(text, number), what)
        found.append((prefix + name, name))
    return found


def attributes(text: bytes, names: list[str], line: int) -> list[tuple[str, bytes]]:
    """The values of the attributes ``names`` of one line of an augmented manifest: for each either the URI of an object
    and nothing, or nothing and the text that is streamed. Raises ``ManifestError``."""
    try:
        document = loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise ManifestError(line, "it is not UTF-8 text") from None
    except ValueError:
        raise ManifestError(line, "it is not JSON") from None
    if not isinstance(document, dict):
        raise ManifestError(line, "it is not a JSON object")
    found = []
    for name in names:
        if name not in document:
            raise ManifestError(line, f"there is no attribute {name!r}, which AttributeNames asks for")
        value = document[name]
        if not name.endswith(REFERENCE):
            found.append(("", (value if isinstance(value, str) else dumps(value)).encode()))
        elif isinstance(value, str) and value.startswith("s3://") and value[5:].partition("/")[2]:
            found.append((value, b""))
        else:
            raise ManifestError(line, f"the value of the attribute {name!r} is not the S3 URI of an object")
    return found


def _syntax(text: str) -> ManifestError:
    import json  # only here: it takes long to import, and knows the place

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return ManifestError(error.lineno, f"it is not JSON ({error.msg})")
    return ManifestError(1, "it is not JSON")


def _line_of(text: str, element: int) -> int:
    """The line on which an element of the list ``text`` begins."""
    import json

    decoder, place = json.JSONDecoder(), text.index("[") + 1
    while True:
        while text[place] in " \t\r\n,":
            place += 1
        if not element:
            return text.count("\n", 0, place) + 1
        place, element = decoder.raw_decode(text, place)[1], element - 1
