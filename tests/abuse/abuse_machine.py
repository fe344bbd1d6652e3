"""Whether the machine stood still, its disk, or the process that asks: then it is not the server that is slow."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

PAUSE_S = 0.2
STALL_S = 1.0
"""What takes longer is not the usual turn."""


class Stalls:
    """The times when a small file could not be written at once, or this process did nothing at all, seen by a thread of
    its own while in a ``with`` statement."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "stalls"
        self._over = threading.Event()
        self._seen: list[tuple[float, float]] = []
        self._last = time.monotonic()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Stalls:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        with self._file.open("wb") as file:
            while not self._over.wait(PAUSE_S):
                os.pwrite(file.fileno(), b"x", 0)
                os.fsync(file.fileno())
                if (now := time.monotonic()) - self._last > STALL_S:
                    self._seen.append((self._last, now))
                self._last = now

    def within(self, began: float, ended: float) -> float:
        """How many seconds of that time, on the monotonic clock, nothing went on."""
        seen = [*self._seen, *([(self._last, ended)] if ended - self._last > STALL_S else [])]
        return sum(max(0.0, min(ended, until) - max(began, since)) for since, until in seen)
