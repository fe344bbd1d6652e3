"""A coroutine that runs without a task.

A task for each request costs as much as checking its signature. A coroutine that awaits nothing but futures of the loop
can do without: it begins at once, and goes on when the future it waits for is done. ``asyncio.current_task()`` is
``None`` in it, so that ``asyncio.timeout`` and task groups are not for it, and nothing cancels it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T], done: Callable[[T], None], failed: Callable[[Exception], None]) -> None:
    """Begin ``coroutine`` now; ``done`` gets what it returns and ``failed`` what it raises, perhaps at once."""

    def step(_: object = None) -> None:
        try:
            awaited = coroutine.send(None)
        except StopIteration as end:
            done(end.value)
        except Exception as error:  # noqa: BLE001 - whoever began it decides
            failed(error)
        else:
            if awaited is None:  # asyncio.sleep(0)
                asyncio.get_running_loop().call_soon(step)
            else:
                awaited._asyncio_future_blocking = False  # as tasks do, so that others may await it too
                awaited.add_done_callback(step)

    step()
