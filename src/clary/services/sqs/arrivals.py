"""Who waits for messages, and how they learn that some have come.

A long poll keeps a thread of this process and one of the edge's places, so only so many may wait at once; the next one
that comes then takes the place of the one that has waited longest, which is answered as if its time were over.
"""

from __future__ import annotations

import threading
import time
from collections import deque

MOST_WAITING = 32
"""Half of the requests that the edge lets through at once, so that long polls never shut out everybody else."""


class _Waiter:
    """One long poll."""

    def __init__(self) -> None:
        self.woken = threading.Event()
        self.displaced = False


class Arrivals:
    """The long polls of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, set[_Waiter]] = {}
        self._order: deque[_Waiter] = deque()
        self._counts: dict[str, int] = {}
        self._arrived = 0
        self._closed = False

    def count(self, arn: str) -> int:
        """A number that is another one after something has arrived in the queue; to be asked before looking there."""
        with self._lock:
            return self._counts.get(arn, 0)

    def wait(self, arn: str, count: int, seconds: float) -> bool:
        """Wait until something has arrived since ``count``, at most for ``seconds``; false if the poll shall end now,
        because others want its place or the process ends."""
        waiter = _Waiter()
        with self._lock:
            if self._closed:
                return False
            if self._counts.get(arn, 0) != count:
                return True
            if len(self._order) >= MOST_WAITING:
                longest = self._order.popleft()
                longest.displaced = True
                longest.woken.set()
            self._order.append(waiter)
            self._waiting.setdefault(arn, set()).add(waiter)
        try:
            waiter.woken.wait(seconds)
        finally:
            with self._lock:
                self._leave(arn, waiter)
        return not waiter.displaced

    def _leave(self, arn: str, waiter: _Waiter) -> None:
        others = self._waiting[arn]
        others.discard(waiter)
        if not others:
            del self._waiting[arn]
        if not waiter.displaced:
            self._order.remove(waiter)

    def tell(self, arn: str) -> None:
        """Something has arrived in the queue, or can be received there again."""
        with self._lock:
            self._arrived += 1
            self._counts[arn] = self._arrived
            for waiter in self._waiting.get(arn, ()):
                waiter.woken.set()

    def close(self) -> None:
        """End all long polls, for the process is about to end."""
        with self._lock:
            self._closed = True
            for waiter in self._order:
                waiter.displaced = True
                waiter.woken.set()
            self._order.clear()


ARRIVALS = Arrivals()
"""Those of this process."""


def deadline(seconds: float) -> float:
    """The moment after so many seconds, by a clock that nobody sets."""
    return time.monotonic() + seconds


def left(until: float) -> float:
    """The seconds until that moment."""
    return until - time.monotonic()
