"""What the edge counts waits for the control plane, in little memory, and goes there once."""

from __future__ import annotations

import asyncio
import timeit
from typing import Any

import msgspec
import pytest

from clary.core.errors import ServiceUnavailable
from clary.edge import invocations
from clary.edge.invocations import Invocations
from clary.services.cloudwatch.api import Batch
from clary.wire.http import Request, Response

VARIANT = ("123456789012", "us-east-1", "endpoint", "a")
MINUTE = 1_800_000_000 // 60 * 60


class Control:
    """A control plane that answers as it is told, and keeps what it is sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[Batch] = []

    async def send(self, request: Request, *_: object) -> Response:
        self.got.append(msgspec.msgpack.decode(request.body, type=Batch))
        status = self.answers.pop(0) if self.answers else 200
        if not status:
            raise ServiceUnavailable("The control plane is not running.")
        return Response(status)


@pytest.fixture
def control() -> Control:
    return Control()


class Counting(Invocations):
    """With a clock that the test moves."""

    now = MINUTE + 0.5

    def __init__(self, control: Any) -> None:
        super().__init__(control, lambda: self.now)

    def pass_second(self) -> None:
        self._collect()
        asyncio.run(self._tell())


def sums(batch: Batch) -> dict[tuple[str, int], tuple[float, float]]:
    return {
        (point.metric.name, point.time - MINUTE): (point.summary.count, point.summary.sum)
        for _, _, points in batch.values
        for point in points
    }


def test_seconds_are_told_once(control: Control) -> None:
    counting = Counting(control)
    counting.pass_second()
    assert control.got == []
    for status, model_us in ((200, 100.0), (200, 300.0), (404, 50.0), (500, 50.0), (302, 50.0), (0, 0.0)):
        counting.count(VARIANT, status, model_us, 10.0, instances=2)
    counting.pass_second()
    [batch] = control.got
    assert batch.number == 1
    assert batch.values[0][:2] == VARIANT[:2]
    assert sums(batch) == {
        ("Invocations", 0): (6, 6), ("Invocation4XXErrors", 0): (6, 1), ("Invocation5XXErrors", 0): (6, 2),
        ("InvocationsPerInstance", 0): (6, 3), ("InvocationModelErrors", 0): (6, 4),
        ("ModelLatency", 0): (5, 550), ("OverheadLatency", 0): (6, 60),
    }  # fmt: skip
    latency = next(point for point in batch.values[0][2] if point.metric.name == "ModelLatency")
    assert latency.unit == "Microseconds" and latency.metric.dimensions == (
        ("EndpointName", "endpoint"), ("VariantName", "a")
    )  # fmt: skip
    assert latency.summary.percentile(0) == 50 and latency.summary.percentile(100) == 300
    assert latency.summary.percentile(75) == pytest.approx(100, rel=0.01)
    counting.pass_second()
    assert len(control.got) == 1


def test_what_control_did_not_answer_is_sent_again_as_it_was(control: Control) -> None:
    counting = Counting(control)
    control.answers = [0, 500, 200, 200]
    for second in range(3):
        counting.count(VARIANT, 200, 100.0, 10.0)
        counting.now = MINUTE + second + 0.5
        counting.pass_second()
    first, again, kept = control.got
    assert msgspec.msgpack.encode(first) == msgspec.msgpack.encode(again) == msgspec.msgpack.encode(kept)
    counting.pass_second()
    assert [batch.number for batch in control.got] == [1, 1, 1, 2]
    assert sums(control.got[-1])["Invocations", 0] == (2, 2)
    assert control.got[-1].sender == first.sender


def test_what_waits_is_put_together(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invocations, "MOST_WAITING", 100)
    counting = Counting(control)
    for minute in range(300):
        counting.now = MINUTE + minute * 60 + 1
        for _ in range(2):
            counting.count(VARIANT, 200, 100.0 + minute, 10.0)
            counting._collect()
        assert len(counting._waiting) <= 101
    asyncio.run(counting.close())
    totals = [value for batch in control.got for key, value in sums(batch).items() if key[0] == "ModelLatency"]
    assert sum(count for count, _ in totals) == 600
    assert sum(total for _, total in totals) == sum(2 * (100.0 + minute) for minute in range(300))


def test_a_reset_forgets_even_what_is_on_its_way(control: Control) -> None:
    counting = Counting(control)
    control.answers = [0]
    counting.count(VARIANT, 200, 100.0, 10.0)
    counting.pass_second()
    counting.count(VARIANT, 200, 100.0, 10.0)
    counting.forget()
    counting.pass_second()
    assert len(control.got) == 1
    counting.count(VARIANT, 200, 100.0, 10.0)
    counting.pass_second()
    assert [batch.number for batch in control.got] == [1, 2]
    assert sums(control.got[1])["Invocations", 0] == (1, 1)


def test_the_end_does_not_wait_for_a_control_plane_that_is_gone(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invocations, "LAST_SECONDS", 0.05)
    counting = Counting(control)
    counting.count(VARIANT, 200, 100.0, 10.0)

    async def send(*_: object) -> Response:
        await asyncio.sleep(60)
        raise AssertionError

    control.send = send  # type: ignore[assignment]
    asyncio.run(counting.close())


def test_counting_costs_next_to_nothing(control: Control) -> None:
    counting = Counting(control)
    best = min(timeit.repeat(lambda: counting.count(VARIANT, 200, 1_234.5, 56.7), number=2_000, repeat=20)) / 2_000
    # Less than one microsecond on a machine that does nothing else.
    assert best < 20e-6
