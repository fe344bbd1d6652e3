"""Reading a form that uploads a file: its fields whole, the file as a stream.

Reference: RFC 7578; https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .errors import MalformedPOSTRequest, MaxPostPreDataLengthExceededError

_MOST_FIELDS = 20 * 1024
"""Bytes of all fields before the file, as in S3."""


@dataclass
class Form:
    """The fields by lower-case name, and the file behind them."""

    fields: dict[str, str]
    filename: str
    file: AsyncIterator[bytes]


async def read(body: AsyncIterator[bytes], content_type: str) -> Form:
    """Reads the fields up to the file; what comes after the file is dropped.

    Raises ``MalformedPOSTRequest`` or ``MaxPostPreDataLengthExceeded``.
    """
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise MalformedPOSTRequest
    parts = _Parts(boundary)
    async for chunk in body:
        parts.feed(chunk)
        if parts.has_file:
            break
    if not parts.has_file:
        raise MalformedPOSTRequest("POST requires exactly one file upload per request.")
    return Form(parts.fields, parts.filename, _file(parts, body))


async def _file(parts: _Parts, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while True:
        while parts.content:
            yield parts.content.popleft()
        if parts.file_ended:
            break
        try:
            parts.feed(await anext(body))
        except StopAsyncIteration:
            raise MalformedPOSTRequest from None
    async for _ in body:
        pass  # the connection can be used again once all has been read


class _Parts:
    """What the parser has found so far."""

    def __init__(self, boundary: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.filename = ""
        self.content: deque[bytes] = deque()
        self.has_file = self.file_ended = False
        self._size = 0
        self._value = bytearray()
        self._header = self._header_value = b""
        self._headers: dict[str, bytes] = {}
        self._name = ""
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_header_field": self._field,
                "on_header_value": self._field_value,
                "on_header_end": self._field_end,
                "on_headers_finished": self._headers_end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedPOSTRequest from error
        if self._size > _MOST_FIELDS:
            raise MaxPostPreDataLengthExceededError

    def _begin(self) -> None:
        self._headers, self._value = {}, bytearray()

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _field_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _field_end(self) -> None:
        self._headers[self._header.decode("latin-1").lower()] = self._header_value
        self._header = self._header_value = b""

    def _headers_end(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise MalformedPOSTRequest
        self._name = options[b"name"].decode("utf-8", "replace").lower()
        if self._name == "file" and not self.has_file:
            self.has_file = True
            self.filename = options.get(b"filename", b"").decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file" and self.has_file:
            if not self.file_ended:
                self.content.append(data[start:end])
        elif not self.has_file:
            self._size += end - start
            if self._size <= _MOST_FIELDS:
                self._value += data[start:end]

    def _end(self) -> None:
        if self.has_file:
            self.file_ended = True
        else:
            # Of a field that is there twice the first counts, as the one a policy has been made for.
            self.fields.setdefault(self._name, self._value.decode("utf-8", "replace"))
