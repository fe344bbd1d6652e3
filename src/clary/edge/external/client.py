"""A small HTTP/1.1 client that streams both ways: bodies of any size pass in constant memory.

It exists beside the client for the servers behind the edge because those take whole bodies. Nothing is written while
the server does not read, nothing is read while nobody takes it, and a body that turns out wrong ends the connection, so
that the server, which was told its length, drops what it has.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import httptools

from clary.edge.answer import Header, NotConnected, UpstreamError

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 60.0
"""How long the server may neither take nor give a byte while it is its turn."""
ANSWER_SECONDS = 600.0
"""How long it may think before it answers: joining the parts of an upload can take minutes."""
MOST_WAITING = 1 << 20
"""Bytes of an answer that wait to be taken before the server has to."""
MOST_IDLE = 64
"""Connections that are kept for later requests."""

Body = bytes | AsyncIterator[bytes]


class Answer(NamedTuple):
    """What the server said; header names are in lower case. A body that is not here yet is iterated to its end or
    closed with ``aclose``; it raises ``UpstreamError`` where it breaks off."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | AsyncGenerator[bytes, None]

    def header(self, name: str) -> str:
        """The value of a header, empty if there is none."""
        return next((value for key, value in self.headers if key == name), "")


class _Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self.closed = False
        self.begun = False
        """Whether anything of an answer has come."""
        self._writable = asyncio.Event()
        self._writable.set()
        self._head: asyncio.Future[None] | None = None
        self._arrived = asyncio.Event()
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._until_end = False
        self._error: UpstreamError | None = None

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an instance of asyncio's class under uvloop, but it does the same.
        self.transport = cast(asyncio.Transport, transport)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self._until_end and exc is None:
            self._end()
        else:
            self._fail(UpstreamError("the server closed the connection"))
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self.begun = True
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, AttributeError) as error:
            self._fail(UpstreamError(f"the server's answer is not HTTP: {error}"))
            self.abort()

    # What the parser calls.

    def on_message_begin(self) -> None:
        self.headers: list[tuple[str, str]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            return
        self.status = status
        named = {name: value.lower() for name, value in self.headers}
        self.reusable = named.get("connection") != "close" and self._parser.get_http_version() == "1.1"
        if self._bodiless:
            self.ended = True
        elif status not in (204, 304):
            self._until_end = "content-length" not in named and "transfer-encoding" not in named
        if self._head is not None and not self._head.done():
            self._head.set_result(None)

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._waiting += len(body)
        if self._waiting > MOST_WAITING:
            self.transport.pause_reading()
        self._arrived.set()

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= 200:
            self._end()

    def _end(self) -> None:
        self.ended = True
        self._until_end = False
        self._arrived.set()

    def _fail(self, error: UpstreamError) -> None:
        if self._head is not None and not self._head.done():
            self._head.set_exception(error)
        self._error = error
        self._arrived.set()

    # What the client calls.

    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent what nobody asked for, which the event loop may not know yet."""
        return self.closed or self.transport.is_closing() or bool(self._poll.poll(0))

    def abort(self) -> None:
        """End it at once, with what was not written yet."""
        self.closed = True
        if self._head is not None and not self._head.cancel() and not self._head.cancelled():
            self._head.exception()  # nobody else may ask for it, which the event loop would complain of
        self.transport.abort()

    async def ask(self, head: bytes, body: Body, bodiless: bool) -> None:
        """Send a request, and wait for the head of its answer, which may come before all has been sent.

        Raises ``UpstreamError``, ``TimeoutError``, and what ``body`` raises. ``bodiless`` answers have a head alone.
        """
        self._parser = httptools.HttpResponseParser(self)
        self._head = asyncio.get_running_loop().create_future()
        self._bodiless = bodiless
        self.headers, self.status, self.begun, self.ended, self.reusable = [], 0, False, False, False
        self._until_end, self._error = False, None
        sent = True
        if isinstance(body, bytes):
            self.transport.write(head + body)
        else:
            self.transport.write(head)
            sent = await self._send(body)
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._head
        # The rest of a request that nobody wanted would be taken for the next one.
        self.reusable = self.reusable and sent

    async def _send(self, body: AsyncIterator[bytes]) -> bool:
        """Whether all of the body was sent, and not only what came before the answer."""
        assert self._head is not None
        async for piece in body:
            if self._head.done():
                return False
            self.transport.write(piece)
            if not self._writable.is_set():
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._writable.wait()
        return True

    def rest(self) -> None:
        """Wait for the next request. Reading goes on, which may have paused over the end of the last answer: else the
        answer to that request would never be seen, nor that the server has closed the connection."""
        self.transport.resume_reading()

    def taken(self) -> bytes:
        """What has come of the body."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        return data

    async def more(self) -> bytes:
        """The next bytes of the body, none at its end. Raises ``UpstreamError`` and ``TimeoutError``."""
        while not self._pieces:
            if self.ended:
                return b""
            if self._error is not None:
                raise self._error
            self._arrived.clear()
            if not self.transport.is_closing():
                self.transport.resume_reading()
            async with asyncio.timeout(IDLE_SECONDS):
                await self._arrived.wait()
        data = self.taken()
        if not self.ended and not self.transport.is_closing():
            self.transport.resume_reading()
        return data


class Client:
    """Connections to one server at ``url``, kept open between requests."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._idle: deque[_Connection] = deque()
        self._context: ssl.SSLContext | None = None

    async def request(self, method: str, target: str, headers: Iterable[Header], body: Body, length: int) -> Answer:
        """Send a request whose body has ``length`` bytes, and give the head of its answer.

        Raises ``NotConnected``, ``UpstreamError``, ``TimeoutError``, and what ``body`` raises.
        """
        head = [f"{method} {target} HTTP/1.1\r\n".encode("ascii")]
        for name, value in headers:
            head += (name, b": ", value, b"\r\n")
        if length or method in ("PUT", "POST"):
            head.append(b"content-length: %d\r\n" % length)
        head.append(b"\r\n")
        text, bodiless = b"".join(head), method == "HEAD"
        while self._idle:
            connection = self._idle.pop()
            if connection.is_stale():
                connection.abort()
                continue
            try:
                return await self._use(connection, text, body, bodiless)
            except UpstreamError:
                # The server may close a connection that was idle just when it is used again; it has then seen nothing.
                if connection.begun or not isinstance(body, bytes):
                    raise
        return await self._use(await self._connect(), text, body, bodiless)

    async def _use(self, connection: _Connection, head: bytes, body: Body, bodiless: bool) -> Answer:
        try:
            await connection.ask(head, body, bodiless)
        except BaseException:
            connection.abort()
            raise
        if connection.ended:
            data = connection.taken()
            self._over(connection)
            return Answer(connection.status, connection.headers, data)
        return Answer(connection.status, connection.headers, self._pieces(connection))

    async def _pieces(self, connection: _Connection) -> AsyncGenerator[bytes, None]:
        try:
            while piece := await connection.more():
                yield piece
        finally:
            if connection.ended:
                self._over(connection)
            else:
                connection.abort()

    def _over(self, connection: _Connection) -> None:
        if connection.reusable and not connection.closed and len(self._idle) < MOST_IDLE:
            connection.rest()
            self._idle.append(connection)
        else:
            connection.abort()

    async def _connect(self) -> _Connection:
        if self._secure and self._context is None:
            self._context = ssl.create_default_context()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return (
                    await loop.create_connection(
                        _Connection,
                        self._host,
                        self._port,
                        ssl=self._context,
                        server_hostname=self._host if self._secure else None,
                    )
                )[1]
        except (OSError, TimeoutError) as error:
            raise NotConnected(f"{self._host}:{self._port}: {error or type(error).__name__}") from error

    def close(self) -> None:
        """Close the connections that are idle."""
        while self._idle:
            self._idle.pop().abort()
