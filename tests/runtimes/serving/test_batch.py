"""Requests that share a prediction: each gets its own rows back, and none is harmed by another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from clary_runtimes.serving.batch import Invocation, answer_together
from clary_runtimes.serving.request import (
    ATTRIBUTES,
    TRACEPARENT,
    Batching,
    Decoded,
    Reply,
    RequestError,
    in_steps,
)
from clary_runtimes.serving.work import Limits, Work, failed


class Doubles:
    """Doubles numbers, and remembers how many rows each prediction had."""

    inline_bytes = 1000
    batching: Batching | None = Batching(requests=4)

    def __init__(self) -> None:
        self.predicted: list[int] = []

    def load(self) -> None:
        """Nothing is needed."""

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        return in_steps(self, body, content_type, accept)

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        if body == b"unreadable":
            raise RequestError(400, "unreadable")
        return Decoded([[float(cell)] for cell in body.split()], content_type, accept)

    def predict(self, rows: Any, how: Any) -> Any:
        self.predicted.append(len(rows))
        if any(row[0] == 13 for row in rows):
            raise ValueError("unlucky")
        return [[value * 2 for value in row] for row in rows]

    def encode(self, predictions: Any, answer: Any) -> Reply:
        return Reply(200, answer or "text/csv", " ".join(f"{row[0]:g}" for row in predictions).encode())


def answers(handler: Any, *bodies: bytes, kinds: tuple[str | None, ...] = ()) -> list[tuple[int, bytes]]:
    several = [
        Invocation(body, kinds[number] if kinds else None, None, lambda reply: None)
        for number, body in enumerate(bodies)
    ]
    return [(reply.status, reply.body) for reply in answer_together(handler, several, failed)]  # type: ignore[misc]


def test_each_gets_its_own_rows() -> None:
    handler = Doubles()
    assert answers(handler, b"1 2", b"3", b"4 5 6") == [(200, b"2 4"), (200, b"6"), (200, b"8 10 12")]
    assert handler.predicted == [6]


def test_what_is_to_be_predicted_otherwise_goes_alone() -> None:
    handler = Doubles()
    assert answers(handler, b"1", b"2", b"3", kinds=("a", "b", "a")) == [(200, b"2"), (200, b"4"), (200, b"6")]
    assert sorted(handler.predicted) == [1, 2]


def test_one_that_fails_harms_no_other() -> None:
    handler = Doubles()
    found = answers(handler, b"1", b"unreadable", b"13", b"2")
    assert found == [(200, b"2"), (400, b"unreadable"), (500, b"unlucky"), (200, b"4")]
    assert handler.predicted == [3, 1, 1, 1]


def test_predictions_that_are_not_one_for_each_row_are_not_shared() -> None:
    class Sum(Doubles):
        def predict(self, rows: Any, how: Any) -> Any:
            return [[sum(row[0] for row in rows)]]

    assert answers(Sum(), b"1 2", b"3") == [(200, b"3"), (200, b"3")]


def replies(handler: Any, bodies: list[bytes], limits: Limits, then: Any = None) -> list[Reply]:
    """What a server's work answers to requests that arrive at one moment, in their order."""

    async def story() -> list[Reply]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(limits.threads) as threads:
            work = Work(handler, limits, threads)
            waiting = []
            for body in bodies:
                future: asyncio.Future[Reply] = loop.create_future()
                work.submit(body, None, None, future.set_result)
                waiting.append(future)
            if then is not None:
                loop.call_later(0.05, then)
            return await asyncio.gather(*waiting)

    return asyncio.run(story())


LIMITS = Limits(threads=1, timeout=30, body_bytes=10_000)


def test_what_arrives_together_is_predicted_together() -> None:
    handler = Doubles()
    found = replies(handler, [b"%d" % number for number in range(10)], LIMITS)
    assert [reply.body for reply in found] == [b"%d" % (2 * number) for number in range(10)]
    assert handler.predicted == [4, 4, 2]


def test_what_comes_while_the_model_works_is_the_next_batch() -> None:
    class Slow(Doubles):
        inline_bytes = 0
        go = threading.Event()

        def predict(self, rows: Any, how: Any) -> Any:
            self.go.wait(30)
            return super().predict(rows, how)

    handler = Slow()
    handler.batching = Batching(requests=100)
    found = replies(handler, [b"1", b"2", b"3"], LIMITS, handler.go.set)
    assert [reply.body for reply in found] == [b"2", b"4", b"6"]
    assert handler.predicted == [3]


def test_a_delay_waits_for_more_and_a_full_batch_does_not() -> None:
    handler = Doubles()
    handler.batching = Batching(requests=2, delay=0.05)
    assert [reply.body for reply in replies(handler, [b"1", b"2", b"3"], LIMITS)] == [b"2", b"4", b"6"]
    assert handler.predicted == [2, 1]


def test_a_batch_that_takes_too_long_is_answered_and_the_server_goes_on() -> None:
    class Stuck(Doubles):
        inline_bytes = 0
        go = threading.Event()

        def predict(self, rows: Any, how: Any) -> Any:
            if rows[0][0] == 1:
                self.go.wait(30)
            return super().predict(rows, how)

    handler = Stuck()
    handler.batching = Batching(requests=1)
    limits = Limits(threads=1, timeout=0.2, body_bytes=10_000)

    async def story() -> list[Reply]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as threads:
            work = Work(handler, limits, threads)
            first: asyncio.Future[Reply] = loop.create_future()
            second: asyncio.Future[Reply] = loop.create_future()
            work.submit(b"1", None, None, first.set_result)
            late = await first
            work.submit(b"2", None, None, second.set_result)
            handler.go.set()
            return [late, await second]

    late, next_one = asyncio.run(story())
    assert (late.status, late.body) == (504, b"The model did not answer within 0.2 seconds")
    assert (next_one.status, next_one.body) == (200, b"4")


def test_code_that_ends_its_thread_is_answered() -> None:
    class Exits(Doubles):
        inline_bytes = 0
        batching = None

        def predict(self, rows: Any, how: Any) -> Any:
            raise SystemExit(3)

    [reply] = replies(Exits(), [b"1"], LIMITS)
    assert (reply.status, reply.body) == (500, b"3")


def test_a_handler_that_reads_them_gets_headers_and_such_requests_are_answered_alone() -> None:
    class Told(Doubles):
        headers = (ATTRIBUTES,)

        def invoke_with(
            self, body: bytes, content_type: str | None, accept: str | None, headers: Mapping[str, str]
        ) -> Reply:
            if body == b"unlucky":
                raise RequestError(404, headers[ATTRIBUTES])
            return Reply(200, "text/plain", headers[ATTRIBUTES].encode())

    async def story(handler: Doubles, *bodies: bytes, header: str = ATTRIBUTES) -> list[tuple[int, bytes]]:
        with ThreadPoolExecutor(1) as threads:
            work = Work(handler, LIMITS, threads)
            found = [asyncio.get_running_loop().create_future() for _ in bodies]
            for body, reply in zip(bodies, found, strict=True):
                work.submit(body, None, None, reply.set_result, {header: "a=1"})
            return [(reply.status, reply.body) for reply in await asyncio.gather(*found)]

    handler = Told()
    assert asyncio.run(story(handler, b"1", b"unlucky")) == [(200, b"a=1"), (404, b"a=1")]
    assert handler.predicted == []
    assert asyncio.run(story(Doubles(), b"1", b"2")) == [(200, b"2"), (200, b"4")]
    assert asyncio.run(story(handler, b"1", b"2", header=TRACEPARENT)) == [(200, b"2"), (200, b"4")]
    handler = Told()
    [reply] = replies(handler, [b"1"], LIMITS)
    assert reply.body == b"2"


def test_bodies_over_the_limit_are_refused() -> None:
    [reply] = replies(Doubles(), [b"1" * 10_001], LIMITS)
    assert (reply.status, reply.body) == (413, b"The body is larger than 10000 bytes")
