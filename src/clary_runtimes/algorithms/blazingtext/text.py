"""The text of a channel in one file of lines, as the engines read it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html#bt-inputoutput
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.recordio import MAGIC
from clary_runtimes.algorithms.data.source import Stream, no_data, refuse_foreign, streams
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

TEXT = "text/plain"
_FRAME = struct.Struct("<II")
SUPPORTED = (TEXT, content_types.JSONLINES, content_types.RECORDIO)
LABEL = "__label__"
PIECE = 1 << 20
LONGEST = 1000
"""Words of a line without labels; the next ones make the next line, since a corpus may be one single line."""


class Counts(NamedTuple):
    """What was written: lines, words with their labels, and lines left out since they have no label."""

    lines: int
    words: int
    left_out: int


def write_text(channel: Channel, path: Path, labelled: bool) -> Counts:
    """Write one pass over ``channel`` to ``path``: words between spaces, with labels among them if ``labelled``.

    Raises ``UserError`` for content types, files and rows that cannot be used, and for a channel without words or, if
    ``labelled``, without labels.
    """
    media = content_types.media_type(channel.content_type or TEXT)
    if media not in SUPPORTED:
        raise UserError(
            f"Content type {channel.content_type} is not supported for channel '{channel.name}': use"
            f" {' or '.join(SUPPORTED[:2])}"
        )
    if media != TEXT and not labelled:
        raise UserError(f"Channel '{channel.name}': {channel.content_type} is for mode 'supervised'; use {TEXT}")
    lines = words = left_out = 0
    with path.open("w", encoding="utf-8", buffering=PIECE) as out:
        for stream in streams(channel):
            for tokens in _tokens(stream, media, labelled):
                if labelled and not any(token.startswith(LABEL) for token in tokens):
                    left_out += 1
                    continue
                lines, words = lines + 1, words + len(tokens)
                out.write(" ".join(tokens) + "\n")
    if not lines:
        if not left_out:
            raise UserError(no_data(channel))
        raise UserError(
            f"Channel '{channel.name}': none of the {left_out} rows has a label; labels are words that begin with"
            f" {LABEL}, such as {LABEL}1"
        )
    return Counts(lines, words, left_out)


def _tokens(stream: Stream, media: str, labelled: bool) -> Iterator[list[str]]:
    """The words of each line that has any."""
    if media == content_types.RECORDIO:
        rows: Iterator[list[str]] = _of_records(stream)
    elif media == content_types.JSONLINES:
        rows = (_of_json(line, stream.name, row) for row, line in _lines(stream) if line.strip())
    elif labelled:
        rows = (_decoded(line, stream.name, row).split() for row, line in _lines(stream))
    else:
        rows = _of_corpus(stream)
    yield from (row for row in rows if row)


def _lines(stream: Stream) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(stream.file, start=1):
        if number == 1:
            refuse_foreign(line, stream.name)
        yield number, line


def _of_corpus(stream: Stream) -> Iterator[list[str]]:
    """Lines of at most ``LONGEST`` words, in the memory of one piece however long the file's own lines are."""
    row, rest = 1, b""
    while piece := stream.file.readline(PIECE):
        if row == 1 and not rest:
            refuse_foreign(piece, stream.name)
        ended, piece, rest = piece.endswith(b"\n"), rest + piece, b""
        if not ended and len(piece) >= PIECE:
            piece, space, rest = piece.rpartition(b" ")
            if not space:
                raise UserError(
                    f"{stream.name}: row {row} has a word of more than {PIECE} bytes; split words by spaces"
                )
        words = _decoded(piece, stream.name, row).split()
        yield from (words[start : start + LONGEST] for start in range(0, len(words), LONGEST))
        row += ended
    if rest:
        yield _decoded(rest, stream.name, row).split()


def _of_json(line: bytes | str, name: str, row: int) -> list[str]:
    try:
        document = json.loads(line)
    except ValueError as error:
        raise UserError(f"{name}: row {row} is not JSON: {error}; each line must be one object in UTF-8") from error
    if not isinstance(document, dict) or not isinstance(document.get("source"), str) or "label" not in document:
        raise UserError(f'{name}: row {row} is not an object such as {{"source": "some words", "label": 1}}')
    return _labelled(document["source"], document["label"], name, row)


def _of_records(stream: Stream) -> Iterator[list[str]]:
    """The records of an augmented manifest that is streamed: text and label by turns."""
    frames = enumerate(_frames(stream))
    for number, frame in frames:
        row = number // 2 + 1
        label = next(frames, None)
        if label is None:
            raise UserError(f"{stream.name}: row {row} has no label; AttributeNames must be source and label")
        text = _decoded(frame, stream.name, row)
        mark = _decoded(label[1], stream.name, row)
        try:
            yield _labelled(text, json.loads(mark), stream.name, row)
        except ValueError:
            yield _labelled(text, mark, stream.name, row)


def _frames(stream: Stream) -> Iterator[bytes]:
    number = 0
    while header := stream.file.read(_FRAME.size):
        number += 1
        magic, length = _FRAME.unpack(header) if len(header) == _FRAME.size else (0, 0)
        length &= (1 << 29) - 1  # the upper three bits mark parts of a split record
        padded = stream.file.read((length + 3) & ~3)
        if magic != MAGIC or len(padded) < length:
            raise UserError(
                f"{stream.name}: record {number} is not RecordIO, or cut short; set RecordWrapperType RecordIO"
            )
        yield padded[:length]


def _labelled(text: str, labels: Any, name: str, row: int) -> list[str]:
    found = []
    for label in labels if isinstance(labels, list) else [labels]:
        if isinstance(label, bool) or not isinstance(label, (int, str)) or not str(label).strip():
            raise UserError(f"{name}: row {row} has label {label!r}; a label is a whole number or a text")
        plain = "_".join(str(label).split())
        found.append(plain if plain.startswith(LABEL) else LABEL + plain)
    return found + text.split()


def _decoded(data: bytes, name: str, row: int) -> str:
    try:
        text = data.decode("utf-8-sig" if row == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{name}: row {row} is not UTF-8 text; save the file as UTF-8") from error
    return text.replace("\0", " ")
