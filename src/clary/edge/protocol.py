"""The edge's HTTP protocol: uvicorn's, with the head and the body of an answer in one packet.

uvicorn writes them one after the other. That is two system calls here, two packets, and two times that the client is
woken; for the short answers of the API it is a good part of all the edge does.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "


class _Gathered:
    """A transport that keeps the head of an answer until the body follows, or until nothing has for a moment."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""
        self._later: asyncio.Handle | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """As the transport's own."""
        if self._head:
            self._flush(data)
        elif data.startswith(_HEAD):
            self._head = data
            self._later = self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def _flush(self, data: bytes = b"") -> None:
        head, self._head = self._head, b""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if head:
            self._transport.write(head + data if len(data) < 65_536 else head)
        if data and (not head or len(data) >= 65_536):
            self._transport.write(data)

    def close(self) -> None:
        """As the transport's own: what was written goes out first."""
        self._flush()
        self._transport.close()


class EdgeProtocol(HttpToolsProtocol):  # type: ignore[misc]
    """One connection of a client."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client has connected."""
        super().connection_made(_Gathered(transport, self.loop))
