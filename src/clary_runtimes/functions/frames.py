"""What the two processes of an environment say to each other over pipes: a letter, and bytes that belong to it."""

from __future__ import annotations

import os

EVENT, READY, RESULT, ERROR, FAULT = b"e", b"i", b"r", b"x", b"f"
"""An event for the function (a head and a body); the function has been imported, or that was tried; what it answered;
how it failed; why it could not be imported."""
_HEAD = 5
_PIECE = 1 << 16


def write(descriptor: int, kind: bytes, *parts: bytes) -> None:
    """Write a frame, waiting until it is taken. Raises ``OSError`` if nobody reads any more."""
    body = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    data = memoryview(kind + len(body).to_bytes(4, "big") + body)
    while data:
        data = data[os.write(descriptor, data[:_PIECE]) :]


class Reader:
    """Frames as they arrive at a descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._said = bytearray()
        self.ended = False
        """Whether nobody writes any more."""

    def take(self) -> tuple[bytes, list[bytes]] | None:
        """Read once, which waits if nothing is there; a frame, if one has arrived whole."""
        data = os.read(self._descriptor, _PIECE)
        self.ended = not data
        self._said += data
        return self.whole()

    def whole(self) -> tuple[bytes, list[bytes]] | None:
        """A frame that has been read already, if there is one."""
        said = self._said
        if len(said) < _HEAD:
            return None
        end = _HEAD + int.from_bytes(said[1:_HEAD], "big")
        if len(said) < end:
            return None
        kind, body = bytes(said[:1]), bytes(said[_HEAD:end])
        del said[:end]
        parts = []
        while body:
            size = 4 + int.from_bytes(body[:4], "big")
            parts.append(body[4:size])
            body = body[size:]
        return kind, parts
