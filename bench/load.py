"""A load generator that replays HTTP requests which were signed beforehand, so that signing costs the clients nothing.

Every client is a connection that sends its next request when it has the answer to the last one.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httptools
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


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
    def __init__(self) -> None:
        self.done: asyncio.Future[int] | None = None
        self.closed = False
        self.kept: list[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if self.done is not None and not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        if self.kept is not None:
            self.kept.append(body)

    def on_message_complete(self) -> None:
        assert self.done is not None
        if not self._parser.should_keep_alive():
            self.closed = True
            self.transport.close()
        self.done.set_result(self._parser.get_status_code())

    def ask(self, request: bytes) -> asyncio.Future[int]:
        self.done = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(request)  # type: ignore[attr-defined]
        return self.done


async def _connect(address: str) -> _Client:
    loop = asyncio.get_running_loop()
    if address.startswith("unix:"):
        _, client = await loop.create_unix_connection(_Client, address.removeprefix("unix:"))
    else:
        parts = urlsplit(address)
        _, client = await loop.create_connection(_Client, parts.hostname or "", parts.port or 80)
    return client


async def fetch(address: str, request: bytes) -> bytes:
    """The body of the answer to one request."""
    client = await _connect(address)
    client.kept = []
    status = await client.ask(request)
    client.transport.close()
    if status != 200:
        raise RuntimeError(f"{address} answered {status} to {request[:200]!r}")
    return b"".join(client.kept)


async def replay(address: str, requests: Sequence[bytes], clients: int = 1, seconds: float | None = None) -> Figures:
    """Send every request once to ``http://host:port`` or ``unix:/path``, by so many clients.

    After ``seconds`` no further request is begun. Raises ``RuntimeError`` for an answer that is not 200: a figure of
    failures would mean nothing.
    """
    waiting = iter(requests)
    latencies: list[float] = []

    async def work() -> None:
        client = await _connect(address)
        for request in waiting:
            begun = time.perf_counter()
            if seconds is not None and begun - started > seconds:
                break
            if client.closed:
                # A server that ends the connection after each answer makes its clients pay for a new one.
                client = await _connect(address)
            status = await client.ask(request)
            latencies.append(time.perf_counter() - begun)
            if status != 200:
                raise RuntimeError(f"{address} answered {status} to {request[:200]!r}")

        client.transport.close()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(clients)))
    return Figures(latencies, time.perf_counter() - started)


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
