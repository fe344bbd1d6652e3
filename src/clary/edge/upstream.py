"""A small HTTP/1.1 client for the servers behind the edge: control and the model servers.

Connections are kept open and pooled by address. It exists because a general client costs more than the servers it asks:
one call here is a write, a parse and a future.
"""

from __future__ import annotations

import asyncio
import select
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar, cast

import httptools

from clary.core.sockets import Pinned
from clary.edge.answer import Answer, Header, Incomplete, NotConnected, UpstreamError
from clary.edge.multiplexed import Multiplexed

LARGEST_ANSWER = 64 << 20
"""Bytes of an answer with its headers; more than SageMaker lets a container answer, and than control ever does."""

MOST_WAITING = 1 << 20
"""Bytes of a streamed answer that wait to be read before the server has to."""

LARGEST_FRAME = 65_536
"""Bytes of a request that goes with others over one connection: larger ones would hold those up."""

_ALONE = (b"x-amzn-sagemaker-custom-attributes", b"traceparent")
"""Headers that go with their request alone: frames have no room for them."""

C = TypeVar("C", bound=asyncio.Protocol)


class _Connection(asyncio.Protocol):
    """One connection, with at most one request under way."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.closed = False
        self.begun = False
        self.unread = False
        """Whether the server closed it without having read the last request."""
        self._answer: asyncio.Future[Answer] | None = None
        self._size = 0
        self._status = 0
        self._until_end = False
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an instance of asyncio's class under uvloop, but it does the same.
        self.transport = cast(asyncio.Transport, transport)
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def is_stale(self) -> bool:
        """Whether the server has closed it, or sent what nobody asked for, which the event loop may not know yet."""
        return self.closed or bool(self._poll.poll(0))

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        # Of a server that has read the request, and died, there is only the end.
        self.unread = isinstance(exc, (ConnectionResetError, BrokenPipeError))
        self._writable.set()
        if self._until_end and exc is None:
            self._finish(self._status)
        else:
            self._fail(self._error("the server closed the connection"))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self.begun = True
        self._size += len(data)
        if self._size > LARGEST_ANSWER:
            self._fail(self._error(f"the server's answer has more than {LARGEST_ANSWER} bytes"))
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, AttributeError) as error:
            self._fail(self._error(f"the server's answer is not HTTP: {error}"))
            self.close()

    def _fail(self, error: Exception) -> None:
        self._writable.set()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _error(self, message: str) -> UpstreamError:
        return Incomplete(message, self._status) if self._status else UpstreamError(message)

    def close(self) -> None:
        self.closed = True
        if self.transport is not None:
            self.transport.close()

    async def ask(self, head: bytes, body: bytes, until: float) -> Answer:
        """Send a request and wait until the loop's time ``until``; raises ``UpstreamError`` and ``TimeoutError``."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        # A timer of the loop costs a fraction of ``asyncio.timeout``, and asks for no task.
        timer = loop.call_at(until, self._fail, TimeoutError())
        try:
            return await self._ask(head, body)
        finally:
            timer.cancel()

    async def _ask(self, head: bytes, body: bytes) -> Answer:
        assert self._answer is not None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[Header] = []
        self._parts: list[bytes] = []
        self._size = 0
        self._status = 0
        self._until_end = False
        self.begun = False
        assert self.transport is not None
        if self.closed or self.transport.is_closing():
            self.unread = True
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

    def on_headers_complete(self) -> None:
        """Called by the parser: from here on it is known how the answer ends."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            self._until_end = status not in (204, 304) and not any(
                name in (b"content-length", b"transfer-encoding") for name, _ in self._headers
            )

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200:
            self._until_end = False
            self._finish(status)

    def _finish(self, status: int) -> None:
        """The answer is whole."""
        if not self.closed and not self._parser.should_keep_alive():
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
        super().on_headers_complete()
        status = self._parser.get_status_code()
        if status >= 200 and self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(status, self._headers, b"", self))

    def on_body(self, body: bytes) -> None:
        self._pieces.put_nowait(body)
        self._waiting += len(body)
        self._size = 0  # the whole may be as long as it likes
        if self._waiting > MOST_WAITING and self.transport is not None:
            self.transport.pause_reading()

    def _finish(self, status: int) -> None:
        self._whole = True
        self._pieces.put_nowait(None)

    def _fail(self, error: Exception) -> None:
        super()._fail(error)
        if not self._whole and isinstance(error, UpstreamError):
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
    """Connections to any number of servers, named ``unix:/path``, ``tcp:host:port``, or ``frames:/path`` for one that
    takes many invocations over one connection."""

    def __init__(self, most_idle: int = 64) -> None:
        self._idle: defaultdict[str, deque[_Connection]] = defaultdict(deque)
        self._most_idle = most_idle
        self._shared: dict[str, asyncio.Future[Multiplexed]] = {}

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
        until = asyncio.get_running_loop().time() + timeout
        head = _head(method, target, headers, body)
        idle = self._idle[address]
        while idle:
            connection = idle.pop()
            if connection.is_stale():
                connection.close()
                continue
            try:
                return await self._use(connection, address, head, body, until)
            except UpstreamError:
                # The server may close a connection that was idle just when it is used again; it has then seen nothing.
                if connection.begun or not connection.unread:
                    raise
        return await self._use(await _connect(address, _Connection, until), address, head, body, until)

    async def invoke(self, address: str, headers: Sequence[Header], body: bytes, timeout: float) -> Answer:
        """Send an invocation to a model server, and raise, as ``request`` does."""
        kind = accept = None
        alone = False
        for name, value in headers:
            if name == b"content-type":
                kind = value
            elif name == b"accept":
                accept = value
            elif name in _ALONE:
                alone = True
        if alone or not address.startswith("frames:") or len(body) > LARGEST_FRAME:
            return await self.request(address, b"POST", b"/invocations", headers, body, timeout)
        shared = self._shared.get(address)
        if shared is None or (shared.done() and (shared.exception() or shared.result().closed)):
            loop = asyncio.get_running_loop()
            made = _connect(address, lambda: Multiplexed(LARGEST_ANSWER), loop.time() + timeout)
            shared = self._shared[address] = loop.create_task(made)
        connection = shared.result() if shared.done() else await asyncio.shield(shared)
        return await connection.ask(kind, accept, body, timeout)

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
        until = asyncio.get_running_loop().time() + timeout
        connection = await _connect(address, Stream, until)
        connection.seconds = timeout
        try:
            answer = await connection.ask(_head(method, target, headers, body), body, until)
            if answer.status < 400:
                return answer
            return Answer(answer.status, answer.headers, b"".join([piece async for piece in connection]))
        except BaseException:
            connection.close()
            raise

    async def _use(self, connection: _Connection, address: str, head: bytes, body: bytes, until: float) -> Answer:
        try:
            answer = await connection.ask(head, body, until)
        except BaseException:
            connection.close()
            raise
        idle = self._idle[address]
        if not connection.closed and len(idle) < self._most_idle:
            idle.append(connection)
        else:
            connection.close()
        return answer

    def forget(self, addresses: Mapping[str, object] | set[str]) -> None:
        """Close the idle connections to servers that are not among ``addresses``."""
        for address in [address for address in self._idle if address not in addresses]:
            for connection in self._idle.pop(address):
                connection.close()
        for address in [address for address in self._shared if address not in addresses]:
            shared = self._shared.pop(address)
            shared.add_done_callback(lambda made: None if made.exception() else made.result().close())


async def _connect(address: str, kind_of: Callable[[], C], until: float) -> C:
    """A connection; raises ``NotConnected``, and ``TimeoutError`` at the loop's time ``until``."""
    loop = asyncio.get_running_loop()
    kind, _, place = address.partition(":")
    if kind != "tcp":
        try:
            with Pinned(place) as name:
                return (await loop.create_unix_connection(kind_of, name))[1]
        except OSError as error:
            raise NotConnected(f"{address}: {error}") from error
    host, _, port = place.rpartition(":")
    # A task of its own: whoever waits here need not be one.
    opening = loop.create_task(loop.create_connection(kind_of, host, int(port)))
    timer = loop.call_at(until, opening.cancel)
    try:
        return (await opening)[1]
    except OSError as error:
        raise NotConnected(f"{address}: {error}") from error
    except asyncio.CancelledError:
        if loop.time() < until:
            raise
        raise TimeoutError from None
    finally:
        timer.cancel()


def _head(method: bytes, target: bytes, headers: Iterable[Header], body: bytes) -> bytes:
    head = [method, b" ", target, b" HTTP/1.1\r\n"]
    for name, value in headers:
        head += (name, b": ", value, b"\r\n")
    head.append(b"content-length: %d\r\n\r\n" % len(body))
    return b"".join(head)
