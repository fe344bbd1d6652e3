"""All connections of clients together: how many there may be, how slow each, and how much memory they may hold.

A connection costs little, so that slow ones are no harm by themselves. What harms is what has no end: heads that never
come whole, bodies that stand still, answers that nobody reads. Each second all connections are looked at, which costs
the requests themselves nothing but the notice of when something was received.
"""

from __future__ import annotations

import asyncio
import resource
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from clary.core.errors import ServiceUnavailable

HEAD_SECONDS = 20.0
"""How long the head of a request may take from its first byte to its last, and a new connection until it has one."""
BODY_SECONDS = 20.0
"""Within so long at least ``LEAST_BODY`` bytes of a body must come; S3 waits as long before ``RequestTimeout``."""
LEAST_BODY = 1024
ANSWER_SECONDS = 60.0
"""How long an answer that waits to be read may stand still; as long as a client waits for one by default."""
LINGER_SECONDS = 30.0
"""How long the rest of a body is still taken after its request was answered: closed at once, the connection would take
the answer with it."""
MOST_CONNECTIONS = 8192
"""More than that are not kept; the one that has been idle for longest makes room for a new one."""
SPARE_FILES = 256
"""Open files that connections leave to all else: the object store, model servers, logs."""
MOST_HELD = 256 << 20
"""Bytes of bodies that are in memory at one time, each as long as its request; ten of the largest payloads."""
SMALL_BODY = 65_536
"""Bytes of a body that is not counted: the protocol below holds as much anyway."""
WAIT_SECONDS = 20.0
"""How long a request waits until there is room for its body. AWS's clients try again after a 503."""
MOST_UNREAD = 256 << 20
"""Bytes of answers that wait in memory to be read, each of which is larger than ``SMALL_BODY``."""

_EVERY_SECONDS = 1.0


class Client(Protocol):
    """A connection, as it is watched over."""

    def check(self, now: float) -> None:
        """End what takes too long."""

    def unread(self) -> int:
        """Bytes of answers that the client has not taken."""

    def idle_since(self) -> float | None:
        """Since when it has had no request under way; None if it has."""

    def drop(self) -> None:
        """End it at once."""


class Crowd:
    """The connections there are, and the memory that their requests share."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self._most = _raise_limit()
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def add(self, client: Client) -> None:
        """A client has connected; if there are too many, another has to go, or this one."""
        if len(self._clients) >= self._most:
            idle = [(since, number, each) for number, each in enumerate(self._clients) if (since := each.idle_since())]
            # Who is in the middle of a request is not sent away for somebody who may have none.
            victim = min(idle)[2] if idle else client
            self._clients.discard(victim)
            victim.drop()
            if victim is client:
                return
        self._clients.add(client)

    def remove(self, client: Client) -> None:
        """A client has gone."""
        self._clients.discard(client)

    async def watch(self) -> None:
        """Look after all connections, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_EVERY_SECONDS)
            now = loop.time()
            for client in list(self._clients):
                client.check(now)

    def check_unread(self, size: int) -> None:
        """Raise ``ServiceUnavailable`` if there is no room for an answer of so many bytes."""
        if size > SMALL_BODY and size + sum(client.unread() for client in self._clients) > MOST_UNREAD:
            raise ServiceUnavailable("Too many answers wait to be read. Please reduce your request rate.")

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Room for a body of so many bytes, in the order in which it is asked for.

        Raises ``ServiceUnavailable`` if there is none for too long.
        """
        if size <= SMALL_BODY:
            yield
            return
        await self._take(size)
        try:
            yield
        finally:
            self._held -= size
            self._admit()

    async def _take(self, size: int) -> None:
        if not self._waiting and self._held + size <= MOST_HELD:
            self._held += size
            return
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, admitted))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await admitted
        except BaseException as error:
            if admitted.done() and not admitted.cancelled():
                self._held -= size
            admitted.cancel()
            self._admit()
            if isinstance(error, TimeoutError):
                raise ServiceUnavailable("Too many large requests at once. Please reduce your request rate.") from None
            raise

    def _admit(self) -> None:
        """Let in those who wait, as far as there is room."""
        while self._waiting:
            size, admitted = self._waiting[0]
            if not admitted.done():
                if self._held + size > MOST_HELD:
                    return
                self._held += size
                admitted.set_result(None)
            self._waiting.popleft()


def _raise_limit() -> int:
    """Allow this process as many open files as it may have; how many of them connections may take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(64, min(MOST_CONNECTIONS, soft - SPARE_FILES))
