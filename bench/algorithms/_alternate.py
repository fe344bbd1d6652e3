"""Times of two that do the same, measured in turns: what else the machine does meanwhile hits both alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.algorithms import ROUNDS


def alternately(*works: Callable[[], Any]) -> tuple[list[Any], list[float]]:
    """What each of ``works`` gives, and the seconds of its best round."""
    found: list[Any] = [None] * len(works)
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for number, work in enumerate(works):
            started = time.perf_counter()
            found[number] = work()
            best[number] = min(best[number], time.perf_counter() - started)
    return found, best
