"""A small HTTP/1.1 client for the servers behind the edge: control and the model servers.

Connections are kept open and pooled by address. It exists because a general client costs more than the servers it asks:
one call here is a write, a parse and a future.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

import httptools

from clary.core.sockets import Pinned

LARGEST_ANSWER = 64 << 20
"""Bytes of an answer with its headers; more than SageMaker lets a container answer, and than control ever does."""

Header = tuple[bytes, bytes]


class UpstreamError(Exception):
    """The server cannot be asked, or broke off its answer."""


class NotConnected(UpstreamError):
    """No connection could be made, so that the server has seen nothing of the request."""


class Answer(NamedTuple):
    """What the server said; header names are in lower case."""

    status: int
    headers: list[Header]
    body: bytes

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header called ``name``."""
        return next((value for key, value in self.headers if key == name), None)


class _Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.begun = False
        self._answer: asyncio.Future[Answer] | None = None
        self._size = 0
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an instance of asyncio's class under uvloop, but it does the same.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self._writable.set()
        self._fail(UpstreamError("the server closed the connection"))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self.begun = True
        self._size += len(data)
        if self._size > LARGEST_ANSWER:
            self._fail(UpstreamError(f"the server's answer has more than {LARGEST_ANSWER} bytes"))
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, AttributeError) as error:
            self._fail(UpstreamError(f"the server's answer is not HTTP: {error}"))
            self.close()

    def _fail(self, error: UpstreamError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def close(self) -> None:
        self.closed = True
        if self.transport is not None:
            self.transport.close()

    async def ask(self, head: bytes, body: bytes) -> Answer:
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[Header] = []
        self._parts: list[bytes] = []
        self._size = 0
        self.begun = False
        assert self.transport is not None
        if self.closed or self.transport.is_closing():
            raise UpstreamError("the server closed the connection")
        # One write for small bodies: two would be two packets and two wake-ups on the other side.
        if len(body) < 65_536:
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            self.transport.write(body)
            await self._writable.wait()
        return await self._answer

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        if not self._parser.should_keep_alive():
            self.close()
        assert self._answer is not None
        if not self._answer.done():
            self._answer.set_result(Answer(status, self._headers, b"".join(self._parts)))


class Pool:
    """Connections to any number of servers, named ``unix:/path`` or ``tcp:host:port``."""

    def __init__(self, most_idle: int = 64) -> None:
        self._idle: defaultdict[str, deque[_Connection]] = defaultdict(deque)
        self._most_idle = most_idle

    async def request(
        self,
        address: str,
        method: bytes,
        target: bytes,
        headers: Iterable[Header],
        body: bytes = b"",
        timeout: float = 60.0,
    ) -> Answer:
        """Send a request and wait for the whole answer.

        Raises ``NotConnected``, ``UpstreamError``, and ``TimeoutError`` after ``timeout`` seconds.
        """
        head = [method, b" ", target, b" HTTP/1.1\r\n"]
        for name, value in headers:
            head += (name, b": ", value, b"\r\n")
        head.append(b"content-length: %d\r\n\r\n" % len(body))
        async with asyncio.timeout(timeout):
            return await self._ask(address, b"".join(head), body)

    async def _ask(self, address: str, head: bytes, body: bytes) -> Answer:
        idle = self._idle[address]
        while idle:
            connection = idle.pop()
            if connection.closed:
                continue
            try:
                return await self._use(connection, address, head, body)
            except UpstreamError:
                # The server may close a connection that was idle just when it is used again; it has then seen nothing.
                if connection.begun:
                    raise
        return await self._use(await self._connect(address), address, head, body)

    async def _use(self, connection: _Connection, address: str, head: bytes, body: bytes) -> Answer:
        try:
            answer = await connection.ask(head, body)
        except BaseException:
            connection.close()
            raise
        idle = self._idle[address]
        if not connection.closed and len(idle) < self._most_idle:
            idle.append(connection)
        else:
            connection.close()
        return answer

    @staticmethod
    async def _connect(address: str) -> _Connection:
        loop = asyncio.get_running_loop()
        kind, _, place = address.partition(":")
        try:
            if kind == "unix":
                with Pinned(place) as name:
                    _, connection = await loop.create_unix_connection(_Connection, name)
            else:
                host, _, port = place.rpartition(":")
                _, connection = await loop.create_connection(_Connection, host, int(port))
        except OSError as error:
            raise NotConnected(f"{address}: {error}") from error
        return connection

    def forget(self, addresses: Mapping[str, object] | set[str]) -> None:
        """Close the idle connections to servers that are not among ``addresses``."""
        for address in [address for address in self._idle if address not in addresses]:
            for connection in self._idle.pop(address):
                connection.close()
