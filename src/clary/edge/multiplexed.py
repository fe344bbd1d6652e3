"""A connection to a model server that carries any number of invocations at once.

All that is asked at one moment goes out in one write, and what is answered at one moment comes in one read; on the way
to a model of a few microseconds that is most of the cost. ``clary_runtimes.serving.frames`` has the format.
"""

from __future__ import annotations

import asyncio
import re
from typing import cast

from clary.edge.answer import Answer, UpstreamError
from clary_runtimes.serving import frames

_NO_HEADER = re.compile(rb"[^\t\x20-\x7e\x80-\xff]")


class Multiplexed(asyncio.Protocol):
    """The client's side of it. ``largest`` is the most bytes that an answer may have."""

    def __init__(self, largest: int) -> None:
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._splitter = frames.Splitter(largest)
        self._waiting: dict[int, tuple[asyncio.Future[Answer], asyncio.TimerHandle]] = {}
        self._number = 0
        self._said: list[bytes] = []
        self._leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server is there."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(frames.PREFACE)

    def connection_lost(self, exc: Exception | None) -> None:
        """What was asked may have been seen by the server, so it is not asked again."""
        self._fail(UpstreamError("the server closed the connection"))

    def ask(
        self, content_type: bytes | None, accept: bytes | None, body: bytes, seconds: float
    ) -> asyncio.Future[Answer]:
        """Send an invocation. The answer raises ``UpstreamError``, and ``TimeoutError`` after so many seconds."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        if self.closed:
            answer.set_exception(UpstreamError("the server closed the connection"))
            return answer
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        self._waiting[number] = (answer, self._loop.call_later(seconds, self._give_up, number))
        frame = frames.request(number, content_type, accept, body)
        if len(self._waiting) == 1 and not self._said:
            self._transport.write(frame)
            return answer
        # Whoever has company goes out with it, a moment later.
        if not self._said:
            self._loop.call_soon(self._flush)
        self._said.append(frame)
        return answer

    def close(self) -> None:
        """End the connection once everything is answered."""
        self._leaving = True
        if not self._waiting and not self.closed:
            self.closed = True
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Answers, and perhaps a part of one."""
        try:
            for frame in self._splitter.feed(data):
                number, status, content_type, body = frames.read_reply(frame)
                answer, timer = self._waiting.pop(number, (None, None))
                if answer is None or timer is None:  # too late
                    continue
                timer.cancel()
                if answer.done():
                    continue
                if _NO_HEADER.search(content_type):
                    # It goes into the head of the client's answer, which it must not end.
                    answer.set_exception(UpstreamError("the server's answer has a content type that is none"))
                else:
                    answer.set_result(Answer(status, [(b"content-type", content_type)], body))
        except (frames.FrameError, ValueError) as error:
            self._fail(UpstreamError(f"the server's answer is no frame: {error}"))
            self._transport.close()
        if self._leaving:
            self.close()

    def _flush(self) -> None:
        said, self._said = self._said, []
        if not self.closed:
            self._transport.write(b"".join(said))

    def _give_up(self, number: int) -> None:
        answer, _ = self._waiting.pop(number)
        if not answer.done():
            answer.set_exception(TimeoutError())

    def _fail(self, error: UpstreamError) -> None:
        self.closed = True
        waiting, self._waiting = self._waiting, {}
        for answer, timer in waiting.values():
            timer.cancel()
            if not answer.done():
                answer.set_exception(error)
