"""The client for the servers behind the edge, against real servers that behave well and badly."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from clary.edge import upstream
from clary.edge.answer import Answer, NotConnected, UpstreamError
from clary.edge.upstream import Pool

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    def __init__(self, address: str) -> None:
        self.address = address
        self.connections = 0


@asynccontextmanager
async def server(tmp_path: Path, behave: Behaviour) -> AsyncIterator[Server]:
    running = Server(f"unix:{tmp_path / 's.sock'}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.connections += 1
        try:
            await behave(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    listener = await asyncio.start_unix_server(serve, str(tmp_path / "s.sock"))
    async with listener:
        yield running


async def read_request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length is not None
    return head, await reader.readexactly(int(length[1]))


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        _, body = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nX-Kind: echo\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def ask(pool: Pool, address: str, body: bytes = b"", timeout: float = 10) -> Answer:
    return await pool.request(address, b"POST", b"/x?y", [(b"host", b"here")], body, timeout)


def test_links_are_not_followed(tmp_path: Path) -> None:
    async def story() -> None:
        async with server(tmp_path, echo):
            (tmp_path / "link.sock").symlink_to(tmp_path / "s.sock")
            (tmp_path / "file.sock").write_text("no socket")
            for name in ("link.sock", "file.sock", "absent.sock"):
                with pytest.raises(NotConnected):
                    await ask(Pool(), f"unix:{tmp_path / name}")

    asyncio.run(story())


def test_answers_without_end_are_broken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "LARGEST_ANSWER", 1 << 20)

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"x: " + b"y" * 50_000 + b"\r\n")
            await writer.drain()

    async def story() -> None:
        async with server(tmp_path, endless) as running:
            with pytest.raises(UpstreamError, match="more than 1048576 bytes"):
                await ask(Pool(), running.address)

    asyncio.run(story())


def test_bodies_of_any_size_come_back_over_one_connection(tmp_path: Path) -> None:
    async def story() -> None:
        async with server(tmp_path, echo) as upstream:
            pool = Pool()
            for size in (0, 1, 70_000, 5_000_000):
                answer = await ask(pool, upstream.address, b"a" * size)
                assert (answer.status, len(answer.body), answer.header(b"x-kind")) == (200, size, b"echo")
            assert upstream.connections == 1
            pool.forget(set())

    asyncio.run(story())


def test_requests_at_once_have_connections_of_their_own(tmp_path: Path) -> None:
    async def story() -> None:
        async with server(tmp_path, echo) as upstream:
            pool = Pool()
            answers = await asyncio.gather(*(ask(pool, upstream.address, b"%d" % n) for n in range(50)))
            assert [answer.body for answer in answers] == [b"%d" % n for n in range(50)]
            pool.forget(set())

    asyncio.run(story())


def test_chunked_answers_and_interim_ones(tmp_path: Path) -> None:
    async def chunked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"):
            writer.write(part)
            await writer.drain()

    async def story() -> None:
        async with server(tmp_path, chunked) as upstream:
            answer = await ask(Pool(), upstream.address)
            assert (answer.status, answer.body) == (201, b"abcde")

    asyncio.run(story())


def test_a_connection_that_the_server_closed_while_idle_is_replaced(tmp_path: Path) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async def story() -> None:
        async with server(tmp_path, once) as upstream:
            pool = Pool()
            for number in range(5):
                assert (await ask(pool, upstream.address, b"%d" % number)).body == b"%d" % number

    asyncio.run(story())


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\xff garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", b"HTTP/1.1 2"]
)
def test_an_answer_that_breaks_off_is_an_error_and_not_a_hang(tmp_path: Path, answer: bytes) -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async def story() -> None:
        async with server(tmp_path, broken) as upstream:
            with pytest.raises(UpstreamError):
                await ask(Pool(), upstream.address)

    asyncio.run(story())


def test_silence_times_out_and_the_connection_is_not_used_again(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await read_request(reader)
        if body == b"speak":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read()

    async def story() -> None:
        async with server(tmp_path, silent) as upstream:
            pool = Pool()
            with pytest.raises(TimeoutError):
                await ask(pool, upstream.address, timeout=0.05)
            assert (await ask(pool, upstream.address, b"speak")).body == b"ok"
            assert upstream.connections == 2
            pool.forget(set())

    asyncio.run(story())


def test_nobody_there_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotConnected):
        asyncio.run(ask(Pool(), f"unix:{tmp_path / 'nobody.sock'}"))
