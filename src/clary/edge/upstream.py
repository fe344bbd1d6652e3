"""A small HTTP/1.1 client for the servers behind the edge: control and the model servers.

Connections are kept open and pooled by address. It exists because a general client costs more than the servers it asks:
one call here is a write, a parse and a future.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar, cast

import httptools

from clary.core.sockets import Pinned

LARGEST_ANSWER = 64 << 20
"""Bytes of an answer with its headers; more than SageMaker lets a container answer, and than control ever does."""

MOST_WAITING = 1 << 20
"""Bytes of a streamed answer that wait to be read before the server has to."""

Header = tuple[bytes, bytes]
C = TypeVar("C", bound="_Connection")


class UpstreamError(Exception):
    """The server cannot be asked, or broke off its answer."""


class NotConnected(UpstreamError):
    """No connection could be made, so that the server has seen nothing of the request."""


class Answer(NamedTuple):
    """What the server said; header names are in lower case."""

    status: int
    headers: list[Header]
    body: bytes
    stream: Stream | None = None
    """What reads the body as it comes, where it was asked for so and is no error's."""

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


class Stream(_Connection):
    """A connection for one answer that is read piece by piece; the server waits where nobody reads.

    It is an asynchronous iterator of the pieces, which raises ``UpstreamError`` if the answer breaks off, and
    ``TimeoutError`` if a piece takes longer than ``seconds``. ``aclose`` ends it, however far it was read.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pieces: asyncio.Queue[bytes | UpstreamError | None] = asyncio.Queue()
        self._waiting = 0
        self._whole = False
        self.seconds = 60.0
        self.when_over: Callable[[], None] = lambda: None
        """Called once, when it has ended."""

    def on_headers_complete(self) -> None:
        """Called by the parser: whoever waits for the answer gets its head."""
        status = self._parser.get_status_code()
        if status >= 200 and self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(status, self._headers, b"", self))

    def on_body(self, body: bytes) -> None:
        self._pieces.put_nowait(body)
        self._waiting += len(body)
        self._size = 0  # the whole may be as long as it likes
        if self._waiting > MOST_WAITING and self.transport is not None:
            self.transport.pause_reading()

    def on_message_complete(self) -> None:
        self._whole = True
        self._pieces.put_nowait(None)

    def _fail(self, error: UpstreamError) -> None:
        super()._fail(error)
        if not self._whole:
            self._pieces.put_nowait(error)

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> bytes:
        async with asyncio.timeout(self.seconds):
            piece = await self._pieces.get()
        if piece is None:
            raise StopAsyncIteration
        if isinstance(piece, UpstreamError):
            raise piece
        self._waiting -= len(piece)
        if self._waiting <= MOST_WAITING and self.transport is not None and not self.closed:
            self.transport.resume_reading()
        return piece

    async def aclose(self) -> None:
        """End the connection."""
        self.close()
        over, self.when_over = self.when_over, lambda: None
        over()


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
        async with asyncio.timeout(timeout):
            return await self._ask(address, _head(method, target, headers, body), body)

    async def stream(
        self,
        address: str,
        method: bytes,
        target: bytes,
        headers: Iterable[Header],
        body: bytes = b"",
        timeout: float = 60.0,
    ) -> Answer:
        """Send a request over a connection of its own, and give the head of the answer with what reads its body; the
        body of an error is read here.

        Raises as ``request``; ``timeout`` is for the head, and for each piece.
        """
        async with asyncio.timeout(timeout):
            connection = await self._connect(address, Stream)
            try:
                answer = await connection.ask(_head(method, target, headers, body), body)
                if answer.status < 400:
                    connection.seconds = timeout
                    return answer
                return Answer(answer.status, answer.headers, b"".join([piece async for piece in connection]))
            except BaseException:
                connection.close()
                raise

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
        return await self._use(await self._connect(address, _Connection), address, head, body)

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
    async def _connect(address: str, kind_of: type[C]) -> C:
        loop = asyncio.get_running_loop()
        kind, _, place = address.partition(":")
        try:
            if kind == "unix":
                with Pinned(place) as name:
                    _, connection = await loop.create_unix_connection(kind_of, name)
            else:
                host, _, port = place.rpartition(":")
                _, connection = await loop.create_connection(kind_of, host, int(port))
        except OSError as error:
            raise NotConnected(f"{address}: {error}") from error
        return connection

    def forget(self, addresses: Mapping[str, object] | set[str]) -> None:
        """Close the idle connections to servers that are not among ``addresses``."""
        for address in [address for address in self._idle if address not in addresses]:
            for connection in self._idle.pop(address):
                connection.close()


def _head(method: bytes, target: bytes, headers: Iterable[Header], body: bytes) -> bytes:
    head = [method, b" ", target, b" HTTP/1.1\r\n"]
    for name, value in headers:
        head += (name, b": ", value, b"\r\n")
    head.append(b"content-length: %d\r\n\r\n" % len(body))
    return b"".join(head)
