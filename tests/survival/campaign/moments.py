"""Moments of the work that faults are aimed at: a job's first step, a part of an upload, a deployment."""

from __future__ import annotations

import threading
from collections import Counter


class Moments:
    """Counts how often each moment was reached."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changed = threading.Condition()

    def reached(self, moment: str) -> None:
        """It is now."""
        with self._changed:
            self._counts[moment] += 1
            self._changed.notify_all()

    def await_next(self, moment: str, seconds: float) -> bool:
        """Wait until it is reached again; false if that takes too long."""
        with self._changed:
            before = self._counts[moment]
            return self._changed.wait_for(lambda: self._counts[moment] > before, seconds)
