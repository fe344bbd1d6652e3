"""Many invocations over one connection, against servers that behave well and badly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clary.edge.answer import Answer, NotConnected, UpstreamError
from clary.edge.upstream import Pool
from clary_runtimes.serving import frames

Request = tuple[int, bytes | None, bytes | None, bytes]
Behaviour = Callable[["Spoken"], Awaitable[None]]


class Spoken:
    """The server's end of a connection that speaks frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def request(self) -> Request:
        length = int.from_bytes(await self._reader.readexactly(4), "big")
        return frames.read_request(await self._reader.readexactly(length))

    def answer(self, number: int, body: bytes, status: int = 200) -> None:
        self.writer.write(frames.reply(number, status, b"text/plain", body))


@asynccontextmanager
async def server(folder: Path, behave: Behaviour) -> AsyncIterator[tuple[str, list[str]]]:
    """The address of a server, and what it was spoken to in, connection by connection."""
    connections: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readuntil(b"\r\n")
            if line == frames.PREFACE:
                connections.append("frames")
                await behave(Spoken(reader, writer))
            else:
                connections.append("http")
                await reader.readuntil(b"\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhttp")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_unix_server(serve, str(folder / "s.sock"))
    async with listener:
        yield f"frames:{folder / 's.sock'}", connections


async def ask(pool: Pool, address: str, body: bytes, seconds: float = 10) -> Answer:
    return await pool.invoke(address, [(b"content-type", b"text/csv"), (b"host", b"model")], body, seconds)


def test_requests_at_once_share_a_connection_and_are_answered_in_any_order(tmp_path: Path) -> None:
    async def backwards(spoken: Spoken) -> None:
        while True:
            several = [await spoken.request() for _ in range(50)]
            assert {each[1:3] for each in several} == {(b"text/csv", None)}
            for number, _, _, body in reversed(several):
                spoken.answer(number, body * 2)

    async def story() -> None:
        async with server(tmp_path, backwards) as (address, connections):
            pool = Pool()
            for _ in range(3):
                answers = await asyncio.gather(*(ask(pool, address, b"%d" % number) for number in range(50)))
                assert [answer.body for answer in answers] == [b"%d" % number * 2 for number in range(50)]
                assert {(answer.status, answer.header(b"content-type")) for answer in answers} == {(200, b"text/plain")}
            assert connections == ["frames"]
            pool.forget(set())

    asyncio.run(story())


def test_large_requests_have_connections_of_their_own(tmp_path: Path) -> None:
    async def echo(spoken: Spoken) -> None:
        while True:
            number, _, _, body = await spoken.request()
            spoken.answer(number, body)

    async def story() -> None:
        async with server(tmp_path, echo) as (address, connections):
            pool = Pool()
            assert (await ask(pool, address, b"x" * 65_536)).body == b"x" * 65_536
            assert (await ask(pool, address, b"x" * 65_537)).body == b"http"
            assert connections == ["frames", "http"]
            pool.forget(set())

    asyncio.run(story())


@pytest.mark.parametrize("name", [b"x-amzn-sagemaker-custom-attributes", b"traceparent"], ids=["attributes", "trace"])
def test_requests_with_further_headers_have_connections_of_their_own(tmp_path: Path, name: bytes) -> None:
    async def echo(spoken: Spoken) -> None:
        while True:
            number, _, _, body = await spoken.request()
            spoken.answer(number, body)

    async def story() -> None:
        async with server(tmp_path, echo) as (address, connections):
            pool = Pool()
            assert (await pool.invoke(address, [(b"host", b"model"), (name, b"a=1")], b"x", 10)).body == b"http"
            assert (await ask(pool, address, b"x")).body == b"x"
            assert connections == ["http", "frames"]
            pool.forget(set())

    asyncio.run(story())


def test_a_slow_answer_times_out_alone(tmp_path: Path) -> None:
    async def skips(spoken: Spoken) -> None:
        late = []
        while True:
            number, _, _, body = await spoken.request()
            if body == b"slow":
                late.append(number)
                continue
            spoken.answer(number, body)
            for each in late:  # nobody waits for it any more
                spoken.answer(each, b"late")

    async def story() -> None:
        async with server(tmp_path, skips) as (address, connections):
            pool = Pool()
            slow = asyncio.create_task(ask(pool, address, b"slow", 0.2))
            assert (await ask(pool, address, b"one")).body == b"one"
            with pytest.raises(TimeoutError):
                await slow
            assert (await ask(pool, address, b"two")).body == b"two"
            assert connections == ["frames"]
            pool.forget(set())

    asyncio.run(story())


def test_a_server_that_goes_fails_what_it_was_asked_and_a_new_one_is_asked_next(tmp_path: Path) -> None:
    async def once(spoken: Spoken) -> None:
        number, _, _, body = await spoken.request()
        if body != b"die":
            spoken.answer(number, body)
            await spoken.request()

    async def story() -> None:
        async with server(tmp_path, once) as (address, connections):
            pool = Pool()
            with pytest.raises(UpstreamError, match="closed the connection") as caught:
                await ask(pool, address, b"die")
            assert not isinstance(caught.value, NotConnected)  # the server may have seen it
            assert (await ask(pool, address, b"again")).body == b"again"
            assert connections == ["frames", "frames"]
            pool.forget(set())
        (tmp_path / "s.sock").unlink(missing_ok=True)
        with pytest.raises(NotConnected):
            await ask(Pool(), address, b"nobody")

    asyncio.run(story())


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\1x", b"\xff" * 20])
def test_garbage_is_an_error_and_not_an_answer(tmp_path: Path, garbage: bytes) -> None:
    async def says(spoken: Spoken) -> None:
        await spoken.request()
        spoken.writer.write(garbage)
        await spoken.request()

    async def story() -> None:
        async with server(tmp_path, says) as (address, _):
            with pytest.raises(UpstreamError, match="no frame"):
                await ask(Pool(), address, b"x")

    asyncio.run(story())


@pytest.mark.parametrize("kind", [b"text/csv\r\nset-cookie: a=b", b"text/csv\n", b"a\0b", b"a\x7fb"])
def test_a_content_type_that_would_end_the_header_fails_its_request_alone(tmp_path: Path, kind: bytes) -> None:
    async def says(spoken: Spoken) -> None:
        while True:
            number, _, _, body = await spoken.request()
            spoken.writer.write(frames.reply(number, 200, kind if body == b"bad" else b"text/x; a=\xe9", body))

    async def story() -> None:
        async with server(tmp_path, says) as (address, connections):
            pool = Pool()
            with pytest.raises(UpstreamError, match="content type"):
                await ask(pool, address, b"bad")
            assert (await ask(pool, address, b"good")).headers == [(b"content-type", b"text/x; a=\xe9")]
            assert connections == ["frames"]
            pool.forget(set())

    asyncio.run(story())


def test_a_connection_that_is_forgotten_answers_what_is_under_way(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def waits(spoken: Spoken) -> None:
        number, _, _, body = await spoken.request()
        await go.wait()
        spoken.answer(number, body)
        await spoken.request()

    async def story() -> None:
        async with server(tmp_path, waits) as (address, connections):
            pool = Pool()
            asked = asyncio.create_task(ask(pool, address, b"x"))
            while not connections:
                await asyncio.sleep(0)
            pool.forget(set())
            await asyncio.sleep(0)
            go.set()
            assert (await asked).body == b"x"

    asyncio.run(story())
