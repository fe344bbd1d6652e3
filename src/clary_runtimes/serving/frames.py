"""Invocations over one connection that carries many of them at once.

HTTP asks for a connection for each request under way, and for two system calls and two wake-ups on either side of it.
Here whatever is to be said at one moment goes into one write. A server that speaks this says so with the header
``clary-frames: 1`` of its answer to ``/ping``; a client then begins a connection to the same socket with ``PREFACE``.

A frame is its length without these four bytes, and then, all numbers big-endian:

* from the client: number of the request (4 bytes), lengths of content type and of accept (2 each), these two, the body;
* from the server: number of the request (4 bytes), status (2), length of the content type (2), this, the body.

A length of 65,535 says that there is no such text. This module is standard library only: both sides use it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEADER = b"clary-frames"
PREFACE = b"CLARY FRAMES 1\r\n"
LARGEST = 1 << 30
"""Bytes of a frame."""

_LENGTH = struct.Struct("!I")
_REQUEST = struct.Struct("!IIHH")
_REPLY = struct.Struct("!IIHH")
_NONE = 0xFFFF


class FrameError(ValueError):
    """What was received is no frame."""


def request(number: int, content_type: bytes | None, accept: bytes | None, body: bytes) -> bytes:
    """A request as a frame; the texts have less than 65,535 bytes."""
    kind, wanted = content_type or b"", accept or b""
    head = _REQUEST.pack(
        8 + len(kind) + len(wanted) + len(body),
        number,
        _NONE if content_type is None else len(kind),
        _NONE if accept is None else len(wanted),
    )
    return b"".join((head, kind, wanted, body))


def reply(number: int, status: int, content_type: bytes, body: bytes) -> bytes:
    """An answer as a frame."""
    return b"".join(
        (_REPLY.pack(8 + len(content_type) + len(body), number, status, len(content_type)), content_type, body)
    )


def read_request(frame: bytes) -> tuple[int, bytes | None, bytes | None, bytes]:
    """Number, content type, accept and body of a frame without its length."""
    number, kind, wanted = struct.unpack_from("!IHH", frame)
    begin, content_type, accept = 8, None, None
    if kind != _NONE:
        content_type, begin = frame[begin : begin + kind], begin + kind
    if wanted != _NONE:
        accept, begin = frame[begin : begin + wanted], begin + wanted
    return number, content_type, accept, frame[begin:]


def read_reply(frame: bytes) -> tuple[int, int, bytes, bytes]:
    """Number, status, content type and body of a frame without its length."""
    number, status, kind = struct.unpack_from("!IHH", frame)
    return number, status, frame[8 : 8 + kind], frame[8 + kind :]


class Splitter:
    """Cuts what is received into frames."""

    def __init__(self, largest: int = LARGEST) -> None:
        self._largest = largest
        self._parts: list[bytes] = []
        self._missing = 0
        """Bytes that the frame which has begun still lacks; its parts are put together once they are all here."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now, without their lengths. Raises ``FrameError``."""
        if self._missing > len(data):
            self._parts.append(data)
            self._missing -= len(data)
            return
        if self._parts:
            data = b"".join((*self._parts, data))
            self._parts.clear()
            self._missing = 0
        begin, end = 0, len(data)
        while end - begin >= 4:
            (length,) = _LENGTH.unpack_from(data, begin)
            if not 8 <= length <= self._largest:
                raise FrameError(f"a frame of {length} bytes")
            if end - begin - 4 < length:
                self._missing = length - (end - begin - 4)
                break
            yield data[begin + 4 : begin + 4 + length]
            begin += 4 + length
        if begin < end:
            self._parts.append(data[begin:] if begin else data)
            if not self._missing:
                self._missing = 1  # of the length itself
