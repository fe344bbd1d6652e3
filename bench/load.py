"""A load generator that replays HTTP requests which were signed beforehand, so that signing costs the clients nothing.

Every client is a connection. In a closed loop it sends its next request when it has the answer to the last one; at a
fixed rate, requests are sent when they are due. No request has a future, a task or a parser of its own, so that the
generator costs little beside what it measures.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httptools
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

T = TypeVar("T")
_ENOUGH = 64
"""Connections at a fixed rate: with as many requests under way, further ones wait, and their time counts as latency."""


@dataclass(frozen=True)
class Figures:
    """What a run gave: seconds for each request, in the order of their ends, and for all of them."""

    latencies: Sequence[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.latencies) / self.seconds

    def quantile(self, share: float) -> float:
        """The latency in milliseconds that this share of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    @property
    def median(self) -> float:
        """The median latency in milliseconds."""
        return statistics.median(self.latencies) * 1000


class _Client(asyncio.Protocol):
    """One connection; ``answered`` is called with it after each answer, ``failed`` once if there can be no more."""

    def __init__(self, answered: Callable[[_Client], None], failed: Callable[[Exception], None]) -> None:
        self.answered, self.failed = answered, failed
        self.closed = self.asked = False
        self.begun = 0.0
        self.request = b""
        self.kept: list[bytes] | None = None
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self._write = transport.write  # type: ignore[attr-defined]

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self.asked:
            self.failed(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except Exception as error:  # noqa: BLE001 - the event loop would only log it, and the run would never end
            self.failed(error)

    def on_body(self, body: bytes) -> None:
        if self.kept is not None:
            self.kept.append(body)

    def on_message_complete(self) -> None:
        self.asked = False
        status = self.parser.get_status_code()
        if not self.parser.should_keep_alive():
            self.closed = True
            self.transport.close()
        if status == 200:
            self.answered(self)
        else:
            self.failed(RuntimeError(f"the server answered {status} to {self.request[:200]!r}"))

    def ask(self, request: bytes, begun: float) -> None:
        self.asked, self.request, self.begun = True, request, begun
        self._write(request)


class _Run:
    """Requests on their way to one server."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self.loop.create_future()
        self.latencies: list[float] = []
        self.clients: list[_Client] = []
        self.connecting: set[asyncio.Task[None]] = set()

    def failed(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)

    def ended(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    async def connect(self, answered: Callable[[_Client], None]) -> _Client:
        def client() -> _Client:
            return _Client(answered, self.failed)

        if self.address.startswith("unix:"):
            _, made = await self.loop.create_unix_connection(client, self.address.removeprefix("unix:"))
        else:
            parts = urlsplit(self.address)
            _, made = await self.loop.create_connection(client, parts.hostname or "", parts.port or 80)
        self.clients.append(made)
        return made

    def again(self, client: _Client, use: Callable[[_Client], None]) -> None:
        """Use the client, or a new one in its place: a server that ends the connection makes its clients pay for it."""
        if not client.closed:
            use(client)
            return

        async def reconnect() -> None:
            try:
                use(await self.connect(client.answered))
            except OSError as error:
                self.failed(error)

        task = self.loop.create_task(reconnect())
        self.connecting.add(task)
        task.add_done_callback(self.connecting.discard)

    async def end(self, limit: float = 600) -> None:
        try:
            async with asyncio.timeout(limit):
                await self.over
        finally:
            for client in self.clients:
                client.asked = False
                client.transport.close()


async def fetch(address: str, request: bytes) -> bytes:
    """The body of the answer to one request."""
    run = _Run(address)
    client = await run.connect(lambda client: run.ended())
    client.kept = []
    client.ask(request, time.perf_counter())
    await run.end(60)
    return b"".join(client.kept)


async def replay(address: str, requests: Sequence[bytes], clients: int = 1, seconds: float | None = None) -> Figures:
    """Send every request once to ``http://host:port`` or ``unix:/path``, by so many clients.

    After ``seconds`` no further request is begun. Raises ``RuntimeError`` for an answer that is not 200: a figure of
    failures would mean nothing.
    """
    run = _Run(address)
    clock, latencies, waiting = time.perf_counter, run.latencies, iter(requests)
    busy = 0

    def answered(client: _Client) -> None:
        nonlocal busy
        latencies.append(clock() - client.begun)
        busy -= 1
        work(client)

    def work(client: _Client) -> None:
        nonlocal busy
        now = clock()
        if now < until and (request := next(waiting, None)) is not None:
            busy += 1
            if client.closed:
                run.again(client, lambda other: other.ask(request, now))
            else:
                client.ask(request, now)
        elif busy == 0:
            run.ended()

    made = [await run.connect(answered) for _ in range(clients)]
    started = clock()
    until = started + seconds if seconds is not None else float("inf")
    for client in made:
        work(client)
    await run.end(600 if seconds is None else seconds + 30)
    return Figures(latencies, clock() - started)


async def paced(address: str, requests: Sequence[bytes], rate: float) -> Figures:
    """Send every request once, ``rate`` of them a second, whether or not the ones before are answered.

    The latency of a request counts from the moment at which it was sent; of one for which no connection was free, from
    the moment at which it was due.
    """
    run = _Run(address)
    clock, latencies = time.perf_counter, run.latencies
    waiting: deque[tuple[bytes, float]] = deque()
    due: Iterator[tuple[int, bytes]] = enumerate(requests)

    def answered(client: _Client) -> None:
        latencies.append(clock() - client.begun)
        if len(latencies) == len(requests):
            run.ended()
        else:
            run.again(client, use)

    def use(client: _Client) -> None:
        if waiting:
            client.ask(*waiting.popleft())
        else:
            free.append(client)

    def tick() -> None:
        while (following := next(due, None)) is not None:
            number, request = following
            if free:
                free.pop().ask(request, clock())
            else:
                waiting.append((request, clock()))
            wait = started + (number + 1) / rate - clock()
            if wait > 0:
                run.loop.call_later(wait, tick)
                return

    free = [await run.connect(answered) for _ in range(_ENOUGH)]
    started = clock()
    tick()
    await run.end()
    return Figures(latencies, clock() - started)


def run(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work``, by the faster event loop where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    result: T = uvloop.run(work)
    return result


def http(method: str, url: str, headers: dict[str, str], body: bytes) -> bytes:
    """A request as bytes; ``url`` may be a path alone."""
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    fields = {"Host": parts.netloc or "model", **headers, "Content-Length": str(len(body))}
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return head.encode() + b"\r\n" + body


def signed(
    keys: tuple[str, str], service: str, region: str, method: str, url: str, headers: dict[str, str], body: bytes
) -> bytes:
    """The same with a signature, which is good for 15 minutes."""
    request = AWSRequest(method=method, url=url, headers=headers, data=body)
    SigV4Auth(Credentials(*keys), service, region).add_auth(request)
    return http(method, url, dict(request.headers.items()), body)
