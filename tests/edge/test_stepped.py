"""Coroutines that run without a task."""

from __future__ import annotations

import asyncio
from typing import Any

from clary.edge import stepped


def outcomes(*coroutines: Any, then: Any = None) -> list[Any]:
    """What coroutines that are begun one after the other return or raise, in the order of their ends."""
    ended: list[Any] = []

    async def story() -> None:
        over = asyncio.Event()

        def end(outcome: Any) -> None:
            ended.append(outcome)
            if len(ended) == len(coroutines):
                over.set()

        for coroutine in coroutines:
            stepped.run(coroutine(), end, end)
        if then is not None:
            then()
        await over.wait()

    asyncio.run(story())
    return ended


def test_it_begins_at_once_and_may_end_at_once() -> None:
    begun: list[str] = []

    async def quick() -> str:
        begun.append("here")
        return "done"

    async def story() -> None:
        ended: list[str] = []
        stepped.run(quick(), ended.append, lambda error: None)
        assert (begun, ended) == (["here"], ["done"])

    asyncio.run(story())


def test_it_goes_on_when_what_it_waits_for_is_done() -> None:
    async def slow() -> str:
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)
        return await asyncio.get_running_loop().create_task(asyncio.sleep(0.001, "task"))

    assert outcomes(slow) == ["task"]


def test_errors_reach_whoever_began_it() -> None:
    async def early() -> None:
        raise ValueError("early")

    async def late() -> None:
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, ValueError("late"))
        await future

    assert [str(each) for each in outcomes(early, late)] == ["early", "late"]


def test_several_may_wait_for_one_thing() -> None:
    shared: list[asyncio.Future[str]] = []

    async def waits() -> str:
        if not shared:
            shared.append(asyncio.get_running_loop().create_future())
        return await shared[0]

    assert outcomes(waits, waits, waits, then=lambda: shared[0].set_result("all")) == ["all"] * 3
