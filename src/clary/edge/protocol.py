"""The edge's HTTP protocol: uvicorn's, with two things done at less cost.

uvicorn writes head and body of an answer one after the other. That is two system calls here, two packets, and two times
that the client is woken; for the short answers of the API it is a good part of all the edge does.

An ``InvokeEndpoint`` of a few kilobytes is handed to the application whole and without ASGI, whose scope, events, task
and messages cost more than the signature's check.

What malformed and slow clients may do is in ``bounded``.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from clary.edge import stepped
from clary.edge.bounded import BoundedProtocol
from clary.wire.http import Request, Response

LARGEST_INVOCATION = 65_536
"""Bytes of a body that is not worth reading piece by piece."""

_HEAD = b"HTTP/1.1 "
_OTHER_PROTOCOLS = (b"x-amz-target", b"smithy-protocol")
"""Headers of requests whose operation the path does not tell."""


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

    def write_whole(self, data: bytes) -> None:
        """Write what is head and body."""
        self._flush()
        self._transport.write(data)

    def write_eof(self) -> None:
        """As the transport's own: what was written goes out first."""
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        """As the transport's own: what was written goes out first."""
        self._flush()
        self._transport.close()


class _Invocation:
    """What uvicorn's protocol knows of a request that is under way, for one that it does not run."""

    disconnected = False
    response_started = False
    response_complete = False
    waiting_for_100_continue = False

    def __init__(self, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.message_event = self

    def set(self) -> None:
        """As that of an event that nobody waits for."""


class EdgeProtocol(BoundedProtocol):
    """One connection of a client."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """A client has connected."""
        super().connection_made(_Gathered(transport, self.loop))

    def on_headers_complete(self) -> None:
        """The head of a request is here."""
        if self._is_invocation():
            self.cycle = _Invocation(self.parser.should_keep_alive())
            self.begin_body()
        else:
            super().on_headers_complete()

    def _is_invocation(self) -> bool:
        url = self.url
        if not (
            url.startswith(b"/endpoints/") and url.endswith(b"/invocations") and self.parser.get_method() == b"POST"
        ):
            return False
        if self.expect_100_continue or self.parser.should_upgrade() or self.parser.get_http_version() != "1.1":
            return False
        if self.cycle is not None and not self.cycle.response_complete:
            return False
        sized = signed = False
        for name, value in self.headers:
            if name == b"content-length":
                sized = len(value) <= 5 and int(value) <= LARGEST_INVOCATION
            elif name == b"authorization":
                signed = b"/sagemaker/aws4_request" in value
            elif name in _OTHER_PROTOCOLS:
                return False
        return sized and signed

    def on_message_complete(self) -> None:
        """A request is here as a whole."""
        cycle = self.cycle
        if type(cycle) is not _Invocation:
            super().on_message_complete()
            return
        self.end_message()
        headers: dict[str, str] = {}
        for raw_name, raw_value in self.headers:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        path = self.url.decode("latin-1")
        client = self.client[0] if self.client else ""
        request = Request("POST", path, "", headers, bytes(cycle.body), headers.get("host", ""), client)
        # Another request may have begun to wait behind this one when it is answered.
        stepped.run(self.config.app.invocation(request), partial(self._answer, cycle), partial(self._broken, cycle))

    def _answer(self, cycle: _Invocation, response: Response) -> None:
        cycle.response_complete = True
        if cycle.disconnected:
            return
        assert isinstance(response.body, bytes)
        parts = [STATUS_LINE[response.status]]
        for name, value in self.server_state.default_headers:
            parts += (name, b": ", value, b"\r\n")
        head = "".join([f"{name}: {value}\r\n" for name, value in response.headers.items()])
        parts.append(head.encode("latin-1"))
        if not cycle.keep_alive:
            parts.append(b"connection: close\r\n")
        parts.append(b"content-length: %d\r\n\r\n" % len(response.body))
        parts.append(response.body)
        self.transport.write_whole(b"".join(parts))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _broken(self, cycle: _Invocation, error: Exception) -> None:
        """The application answers every error itself, so this is a fault of its own."""
        self.logger.error("An invocation failed", exc_info=error)
        cycle.response_complete = True
        self.transport.close()
