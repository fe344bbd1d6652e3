"""A request to S3 and its answer, with bodies that stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


async def no_body() -> AsyncIterator[bytes]:
    """The body of a request without one."""
    return
    yield b""


def _no_trailers() -> dict[str, str]:
    return {}


@dataclass
class S3Request:
    """A request whose signature has been checked.

    ``path`` and ``query`` are as sent, percent-encoded, the query without its question mark; ``headers`` have
    lower-case names and text in Latin-1. ``body`` gives the payload, free of aws-chunked framing, and raises if it
    breaks off or its signature is wrong; ``trailers`` may be called once ``body`` has ended. ``principal`` is
    handed on to the authorisation untouched.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: AsyncIterator[bytes] = field(default_factory=no_body)
    account: str = ""
    region: str = "us-east-1"
    request_id: str = ""
    trailers: Callable[[], dict[str, str]] = _no_trailers
    principal: Any = None
    client: str = ""
    """The address that the request came from."""
    virtual_bucket: str = ""
    """The bucket if the host name carries it; then ``path`` is the key alone."""

    def __post_init__(self) -> None:
        pairs = parse_qsl(self.query, keep_blank_values=True, errors="replace")
        self.parameters: dict[str, str] = dict(reversed(pairs))


class CountedBody:
    """A body that knows how much of it has been read, and whether that is all."""

    def __init__(self, body: AsyncIterator[bytes]) -> None:
        self._body = body
        self.ended = False
        """Read to its end, or broken off: there is nothing more to read."""

    def __aiter__(self) -> CountedBody:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._body)
        except BaseException:
            self.ended = True
            raise

    async def skip(self, limit: int) -> bool:
        """Reads on, at most ``limit`` bytes, to the end; whether that was reached."""
        try:
            while limit > 0 and not self.ended:
                limit -= len(await anext(self))
        except StopAsyncIteration:
            return True
        return self.ended


@dataclass
class S3Response:
    """An answer; whoever sends it iterates a streamed ``body`` to its end or calls its ``aclose``."""

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | AsyncGenerator[bytes, None] = b""
    failure: tuple[str, str] | None = None
    """The code and the message of the error that this is the answer of."""

    def add(self, name: str, value: str) -> None:
        self.headers.append((name, value))
