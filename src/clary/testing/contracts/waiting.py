"""Wait for conditions, never for time to pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from clary.compute.placement.base import Observation, Placement

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout: float = 20, what: str = "the condition") -> T:
    """What ``condition`` returns once that is true; it is asked again every few milliseconds for ``timeout`` seconds.

    Raises ``AssertionError`` after that.
    """
    until = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < until, f"{what} did not come true within {timeout} s"
        time.sleep(0.005)


def wait_for_end(placement: Placement, id: str, timeout: float = 20) -> Observation:
    """The observation of a job that has said how it ended."""

    def ended() -> Observation | None:
        seen = placement.observe(id)
        assert not seen.lost, f"the agent died: {seen.events}"
        return seen if seen.terminal else None

    seen = wait_for(ended, timeout, f"the end of {id}")
    assert seen is not None
    return seen


def log_text(placement: Placement, id: str) -> str:
    """The job's log without its times."""
    lines = placement.log(id).read_text("utf-8").splitlines()
    return "\n".join(line.partition(" ")[2] for line in lines)
