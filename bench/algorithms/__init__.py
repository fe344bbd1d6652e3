"""The built-in algorithms beside the libraries that one would pick instead, in one run.

    ./dev bench algorithms [--only kmeans]

Each module here measures one algorithm. It runs in the environment of the algorithm's image, to which the other library
is added, and has

- ``IMAGE``: the file in ``src/clary/images``; ``BESIDE``: requirements of the other library, if the image has it not;
- ``measure()``, which gives ``Row`` after ``Row``. Libraries are imported within it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

ROUNDS = 3
"""Every time is the best of so many."""


class Row(NamedTuple):
    """One comparison: the quality of both by ``metric``, and their seconds."""

    data: str
    ours: str
    """What of ours: the hyperparameters."""
    library: str
    metric: str
    our_quality: float
    their_quality: float
    our_seconds: float
    their_seconds: float


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What ``work`` gives, and the seconds of its best round."""
    best, found = float("inf"), None
    for _ in range(ROUNDS):
        started = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - started)
    return found, best
