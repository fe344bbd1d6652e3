"""Bodies of requests: read whole up to a limit, or streamed while their hash, chunks and signatures are checked."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from clary.core.errors import RequestTooLarge
from clary.wire.errors import ContentHashMismatch, IncompleteBody
from clary.wire.sigv4 import ChunkedDecoder, Verified

_BATCH = 512 * 1024
"""Bytes hashed at a time: enough that handing them to a thread costs nothing beside it."""
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def whole(receive: Receive, most: int) -> bytes:
    """The body. Raises ``RequestTooLarge`` for more than ``most`` bytes, ``IncompleteBody`` if it breaks off."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        if len(body) > most:
            raise RequestTooLarge(f"The request body has more than {most} bytes.")
        return body
    parts, size = [], 0
    while True:
        if message["type"] != "http.request":
            raise IncompleteBody("The request body terminated unexpectedly")
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise RequestTooLarge(f"The request body has more than {most} bytes.")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()


def announced(headers: Mapping[str, str], most: int) -> int:
    """How many bytes a body will have, or at most has where its head does not say. Raises ``RequestTooLarge``."""
    length = headers.get("content-length")
    if length is None:
        return most if "transfer-encoding" in headers else 0
    if len(length) > 18 or int(length) > most:
        raise RequestTooLarge(f"The request body has more than {most} bytes.")
    return int(length)


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises ``IncompleteBody`` if it breaks off."""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise IncompleteBody("The request body terminated unexpectedly")
        if part := message.get("body", b""):
            yield part
        if not message.get("more_body"):
            return


class CheckedBody:
    """A streamed body, checked against what its request's signature promised while it passes."""

    def __init__(self, receive: Receive, verified: Verified | None, headers: MutableMapping[str, str]) -> None:
        self._receive = receive
        self._expected = verified.expected_sha256 if verified is not None else None
        self._decoder: ChunkedDecoder | None = None
        if verified is not None and verified.streaming is not None:
            length = headers.get("x-amz-decoded-content-length", "")
            announced = headers.get("x-amz-trailer")
            self._decoder = verified.decoder(
                int(length) if length.isascii() and length.isdigit() else None,
                tuple(announced.split(",")) if announced is not None else None,
            )

    def trailers(self) -> dict[str, str]:
        """The trailers of an aws-chunked body, once it has ended."""
        return self._decoder.trailers if self._decoder is not None else {}

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The payload. Raises an error of the wire layer if it is not what was signed."""
        if self._decoder is not None:
            async for piece in pieces(self._receive):
                for data in self._decoder.feed(piece):
                    yield data
            self._decoder.finish()
            return
        digest = _Sha256() if self._expected is not None else None
        async for piece in pieces(self._receive):
            if digest is not None:
                await digest.update(piece)
            yield piece
        if digest is not None and (computed := await digest.finish()) != self._expected:
            raise ContentHashMismatch(
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                ClientComputedContentSHA256=self._expected,
                S3ComputedContentSHA256=computed,
            )


class _Sha256:
    """The hash of a stream, computed in a thread while the next bytes arrive; a short stream's at once."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._waiting: list[bytes] = []
        self._size = 0
        self._running: asyncio.Future[None] | None = None

    async def update(self, piece: bytes) -> None:
        self._waiting.append(piece)
        self._size += len(piece)
        if self._size >= _BATCH:
            if self._running is not None:
                await self._running
            batch, self._waiting, self._size = self._waiting, [], 0
            self._running = asyncio.get_running_loop().run_in_executor(None, self._take, batch)

    async def finish(self) -> str:
        """The hash in hexadecimal."""
        if self._running is not None:
            await self._running
        self._take(self._waiting)
        return self._hash.hexdigest()

    def _take(self, batch: list[bytes]) -> None:
        for piece in batch:
            self._hash.update(piece)
