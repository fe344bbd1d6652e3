"""Who works on an invocation: the event loop itself, a thread, or a batch that shares one prediction."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from clary_runtimes.contract.errors import ALGORITHM_FAILED
from clary_runtimes.serving.batch import Invocation, answer_together
from clary_runtimes.serving.request import Batching, Handler, HeaderHandler, Reply, RequestError, RowHandler

TEXT = "text/plain; charset=utf-8"
_MOST_INLINE = 65_536
"""Bytes of the requests of a batch that the event loop answers itself."""


@dataclass(frozen=True)
class Limits:
    """What one server takes on: threads for predictions, seconds an invocation may last, bytes of its body."""

    threads: int
    timeout: float
    body_bytes: int


class Work:
    """Answers the invocations of one model. All of it but predictions in threads happens on the event loop."""

    def __init__(self, handler: Handler, limits: Limits, threads: ThreadPoolExecutor) -> None:
        self._handler = handler
        self._limits = limits
        self._threads = threads
        self._told = handler if isinstance(handler, HeaderHandler) else None
        self._rows = handler if isinstance(handler, RowHandler) and handler.batching is not None else None
        self._batching = (self._rows and self._rows.batching) or Batching(1)
        self._waiting: deque[Invocation] = deque()
        self._looking: asyncio.Handle | None = None
        self._delayed = False
        self._busy = 0
        """How many batches are in threads."""
        self._running: dict[object, float] = {}
        """What the threads work on, with when it began."""

    def submit(
        self,
        body: bytes,
        content_type: str | None,
        accept: str | None,
        done: Callable[[Reply], None],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer a request; ``done`` is called on the event loop, perhaps before this returns."""
        if len(body) > self._limits.body_bytes:
            done(failed(RequestError(413, f"The body is larger than {self._limits.body_bytes} bytes")))
        elif headers and self._told is not None and any(name in headers for name in self._told.headers):
            told = partial(self._told.invoke_with, headers=headers)
            self._in_thread(lambda: [_safely(told, body, content_type, accept)], [done])
        elif self._rows is not None:
            self._waiting.append(Invocation(body, content_type, accept, done))
            self._look()
        elif len(body) <= self._handler.inline_bytes:
            done(_safely(self._handler.invoke, body, content_type, accept))
        else:
            self._in_thread(lambda: [_safely(self._handler.invoke, body, content_type, accept)], [done])

    # Batches

    def _look(self) -> None:
        """Take what waits: in a moment, when all that has arrived with it is here too, or after the delay."""
        full = len(self._waiting) >= self._batching.requests
        if self._looking is not None and not (full and self._delayed):
            return
        loop = asyncio.get_running_loop()
        if self._looking is not None:
            self._looking.cancel()
        self._delayed = bool(self._batching.delay) and not full
        self._looking = (
            loop.call_later(self._batching.delay, self._take) if self._delayed else loop.call_soon(self._take)
        )

    def settle(self) -> None:
        """Take what waits now: whoever asks knows that nothing more comes at this moment."""
        if self._looking is not None and not self._delayed:
            self._looking.cancel()
            self._take()

    def _take(self) -> None:
        self._looking = None
        # What waits while all threads are busy is taken when one is done: the longer they take, the larger the batches.
        while self._waiting and self._busy < self._limits.threads:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._batching.requests))]
            self._start(batch)

    def _start(self, batch: Sequence[Invocation]) -> None:
        assert self._rows is not None
        handler = self._rows
        sizes = [len(each.body) for each in batch]
        if max(sizes) <= handler.inline_bytes and sum(sizes) <= _MOST_INLINE:
            for each, reply in zip(batch, answer_together(handler, batch, failed), strict=True):
                each.done(reply)
            return
        self._busy += 1
        self._in_thread(lambda: answer_together(handler, batch, failed), [each.done for each in batch], self._over)

    def _over(self) -> None:
        self._busy -= 1
        self._take()

    # Threads

    def _in_thread(
        self,
        work: Callable[[], list[Reply]],
        waiting: Sequence[Callable[[Reply], None]],
        over: Callable[[], None] = lambda: None,
    ) -> None:
        loop = asyncio.get_running_loop()
        late = False

        def give_up() -> None:
            nonlocal late
            late = True
            message = f"The model did not answer within {self._limits.timeout:g} seconds"
            for done in waiting:
                done(failed(RequestError(504, message)))
            self._look_at_threads()

        timer = loop.call_later(self._limits.timeout, give_up)

        def finish(replies: list[Reply]) -> None:
            timer.cancel()
            if not late:
                for done, reply in zip(waiting, replies, strict=True):
                    done(reply)
            over()

        def run() -> None:
            replies: list[Reply] = []
            if not late:  # else nobody waits for it any more
                self._running[run] = time.monotonic()
                try:
                    replies = work()
                except BaseException as error:  # noqa: BLE001 - user code may end its thread, and its sender must learn of it
                    replies = [failed(error)] * len(waiting)
                finally:
                    del self._running[run]
            loop.call_soon_threadsafe(finish, replies)

        self._threads.submit(run)

    def _look_at_threads(self) -> None:
        """End the process where every thread hangs: whoever started it starts it again. A thread cannot be ended."""
        running = list(self._running.values())
        if len(running) >= self._limits.threads and time.monotonic() - max(running) > 0.9 * self._limits.timeout:
            print(f"All {len(running)} threads hang in predictions; the server ends.", file=sys.stderr, flush=True)
            # What was answered just now goes out first.
            asyncio.get_running_loop().call_later(0.5, os._exit, ALGORITHM_FAILED)


def _safely(
    invoke: Callable[[bytes, str | None, str | None], Reply], body: bytes, content_type: str | None, accept: str | None
) -> Reply:
    try:
        return invoke(body, content_type, accept)
    except Exception as error:  # noqa: BLE001 - user code may raise anything, and its sender must learn of it
        return failed(error)


def failed(error: BaseException) -> Reply:
    """The answer to a request that could not be answered; what is no ``RequestError`` is printed to the log."""
    if isinstance(error, RequestError):
        return Reply(error.status, TEXT, error.message.encode())
    traceback.print_exception(error)
    return Reply(500, TEXT, (str(error) or type(error).__name__).encode())


class Loading:
    """A handler that is being made and loaded in the background."""

    def __init__(self, create: Callable[[], Handler], gave_up: Callable[[], None]) -> None:
        self._create, self._gave_up = create, gave_up
        self.handler: Handler | None = None
        self.error = ""

    def start(self) -> None:
        """Begin; ``gave_up`` is called if it does not succeed."""
        threading.Thread(target=self._load, name="load", daemon=True).start()

    def _load(self) -> None:
        try:
            handler = self._create()
            handler.load()
        except BaseException as error:  # noqa: BLE001 - user code may raise anything, SystemExit too
            self.error = f"{type(error).__name__}: {error}"
            traceback.print_exc()
            self._gave_up()
        else:
            self.handler = handler
