"""The way from the edge to the control plane: kept connections, many at once, and the end of the process."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import pytest

from clary.control.listener import Listener
from clary.edge.answer import Answer, NotConnected
from clary.edge.upstream import Pool
from clary.wire.http import Request, Response


@pytest.fixture
def folder() -> Iterator[Path]:
    # Paths of sockets are short, and those of pytest's folders are not.
    with TemporaryDirectory(prefix="clary-") as folder:
        yield Path(folder)


def echo(request: Request) -> Response:
    told = f"{request.method} {request.path}?{request.query} {request.headers.get('x-name', '')} ".encode()
    return Response(201, {"x-told": "yes"}, told + request.body)


async def ask(pool: Pool, folder: Path, target: bytes = b"/", body: bytes = b"", name: bytes = b"n") -> Answer:
    return await pool.request(f"unix:{folder / 's'}", b"POST", target, [(b"host", b"x"), (b"X-Name", name)], body, 20)


def test_requests_are_answered_over_one_connection(folder: Path) -> None:
    listener = Listener(folder / "s", echo)
    listener.start()
    assert stat.S_IMODE((folder / "s").stat().st_mode) == 0o600

    async def talk() -> None:
        pool = Pool()
        large = b"x" * 3_000_000
        for target, body in ((b"/a%20b?c=d&e", b"one"), (b"/", b""), (b"/", large)):
            answer = await ask(pool, folder, target, body, "\xe9".encode("latin-1"))
            path, _, query = target.decode().partition("?")
            assert answer.status == 201
            assert answer.header(b"x-told") == b"yes"
            assert answer.body == f"POST {path}?{query} \xe9 ".encode() + body
        assert len(listener._conversations) == 1
        # Closing the connection ends its thread.
        pool.forget(set())
        while listener._conversations:
            await asyncio.sleep(0.001)

    asyncio.run(talk())
    listener.stop()


def test_a_request_that_waits_holds_up_no_other(folder: Path) -> None:
    go = Event()

    def answer(request: Request) -> Response:
        if request.path == "/wait":
            go.wait(20)
        return echo(request)

    listener = Listener(folder / "s", answer)
    listener.start()

    async def talk() -> None:
        pool = Pool()
        waiting = asyncio.create_task(ask(pool, folder, b"/wait"))
        for _ in range(3):
            assert (await ask(pool, folder)).status == 201
        assert not waiting.done()
        go.set()
        assert (await waiting).status == 201

    asyncio.run(talk())
    listener.stop()


def test_what_is_under_way_is_answered_before_the_end(folder: Path) -> None:
    begun, go = Event(), Event()

    def answer(request: Request) -> Response:
        begun.set()
        go.wait(20)
        return echo(request)

    listener = Listener(folder / "s", answer)
    listener.start()

    async def talk() -> None:
        pool = Pool()
        waiting = asyncio.create_task(ask(pool, folder))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, begun.wait)
        with ThreadPoolExecutor(1) as other:
            stopping = other.submit(listener.stop)
            while True:
                try:
                    _, writer = await asyncio.open_unix_connection(str(folder / "s"))
                except ConnectionError:
                    break
                writer.close()
            go.set()
            assert (await waiting).status == 201
            await asyncio.wrap_future(stopping)
        with pytest.raises(NotConnected):
            await ask(Pool(), folder)

    asyncio.run(talk())
    assert not listener._conversations


def test_nonsense_ends_its_own_connection_only(folder: Path) -> None:
    listener = Listener(folder / "s", echo)
    listener.start()

    async def talk() -> None:
        reader, writer = await asyncio.open_unix_connection(str(folder / "s"))
        writer.write(b"\x00\x01 nonsense\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
        assert (await ask(Pool(), folder)).status == 201

    asyncio.run(talk())
    listener.stop()
