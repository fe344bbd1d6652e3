"""A connection to the model server: HTTP as uvicorn speaks it, or frames where the client begins with their preface."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from clary_runtimes.serving import frames
from clary_runtimes.serving.application import Application
from clary_runtimes.serving.request import Reply
from clary_runtimes.serving.work import failed


class ServingProtocol(HttpToolsProtocol):  # type: ignore[misc]
    """A connection of either kind."""

    _begun = False

    def data_received(self, data: bytes) -> None:
        """The first bytes tell what the client speaks."""
        if not self._begun:
            self._begun = True
            if data.startswith(frames.PREFACE):
                spoken = FramesProtocol(self.config.app, self.transport, self.connections)
                self.connections.discard(self)
                self.transport.set_protocol(spoken)
                spoken.data_received(data[len(frames.PREFACE) :])
                return
        super().data_received(data)


class FramesProtocol(asyncio.Protocol):
    """A connection that carries any number of invocations at once."""

    def __init__(self, application: Application, transport: asyncio.Transport, connections: set[Any]) -> None:
        self._application = application
        self._transport = transport
        self._connections = connections
        self._splitter = frames.Splitter(application.limits.body_bytes + 2 * 65_536)
        self._loop = asyncio.get_running_loop()
        self._under_way = 0
        self._said: list[bytes] = []
        self._leaving = False
        self._gathering: set[asyncio.Task[None]] = set()
        connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Requests, and perhaps a part of one."""
        try:
            for frame in self._splitter.feed(data):
                number, content_type, accept, body = frames.read_request(frame)
                self._under_way += 1
                self._application.submit(body, _text(content_type), _text(accept), partial(self._answer, number))
            self._application.settle()
            self._flush()
        except (frames.FrameError, ValueError) as error:
            failed(error)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone; what it asked for is of no use any more."""
        self._connections.discard(self)

    def shutdown(self) -> None:
        """Close the connection when all that is under way is answered; uvicorn calls this when it is told to stop."""
        self._leaving = True
        if not self._under_way:
            self._transport.close()

    def _answer(self, number: int, reply: Reply) -> None:
        if isinstance(reply.body, Iterator):
            gathering = self._loop.create_task(self._gather(number, reply.status, reply.content_type, reply.body))
            self._gathering.add(gathering)
            gathering.add_done_callback(self._gathering.discard)
            return
        if not self._said:
            # All that is answered at this moment goes out together.
            self._loop.call_soon(self._flush)
        self._said.append(frames.reply(number, reply.status, reply.content_type.encode("latin-1"), reply.body))

    async def _gather(self, number: int, status: int, content_type: str, pieces: Iterator[bytes]) -> None:
        """The whole of an answer that comes in pieces."""
        try:
            body = await self._loop.run_in_executor(self._application.threads, b"".join, pieces)
        except Exception as error:  # noqa: BLE001 - user code may raise anything, and its sender must learn of it
            self._answer(number, failed(error))
        else:
            self._answer(number, Reply(status, content_type, body))

    def _flush(self) -> None:
        if not self._said:
            return
        said, self._said = self._said, []
        self._under_way -= len(said)
        if not self._transport.is_closing():
            self._transport.write(b"".join(said))
        if self._leaving and not self._under_way:
            self._transport.close()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
