"""Clients that are slow, at each place where they can be, and more of them than there is room for."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
import uvloop

from clary.core.errors import ServiceUnavailable
from clary.edge import bounded, crowd
from clary.edge.body import whole
from clary.edge.crowd import Crowd
from clary.edge.protocol import EdgeProtocol

LARGE = bytes(1 << 20) * 64


@dataclass
class App:
    """Answers with the size of the body, or with much; knows what it has seen."""

    crowd: Crowd = field(default_factory=Crowd)
    ended: list[str] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-length", b"%d" % len(LARGE))] if scope["path"] == "/large" else []
        try:
            if scope["path"] == "/large":
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": LARGE})
                return
            if scope["path"] == "/unread":
                body = b""
            else:
                body = await whole(receive, 1 << 20)
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
            await send({"type": "http.response.body", "body": b"%d" % min(9, len(body))})
        except Exception as error:
            self.ended.append(type(error).__name__)
            raise


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets limits for the test."""

    def set_limits(**values: float) -> None:
        for name, value in values.items():
            for module in (bounded, crowd):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, value)

    set_limits(_EVERY_SECONDS=0.02)
    return set_limits


@pytest.fixture
def place(limits: Callable[..., None]) -> Iterator[tuple[App, int]]:
    """An application that listens, and its port."""
    app = App()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    config = uvicorn.Config(
        app, http=EdgeProtocol, proxy_headers=False, loop="none", ws="none", lifespan="off", log_level="critical"
    )
    serving = uvicorn.Server(config)

    async def serve() -> None:
        watching = asyncio.create_task(app.crowd.watch())
        await serving.serve(sockets=[listener])
        watching.cancel()

    thread = threading.Thread(target=uvloop.run, args=(serve(),))
    thread.start()
    yield app, listener.getsockname()[1]
    serving.should_exit = True
    thread.join(20)
    assert not thread.is_alive()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), 20)


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    answer = b""
    with connection:
        try:
            while data := connection.recv(1 << 20):
                answer += data
        except ConnectionResetError:
            pass
    return answer


def drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte every 20 ms until the other side has had enough."""
    until = time.monotonic() + 15
    connection.settimeout(0.02)
    while time.monotonic() < until:
        try:
            connection.sendall(data)
            if connection.recv(65_536, socket.MSG_PEEK) is not None:
                break
        except TimeoutError:
            continue
        except OSError:
            break
    connection.settimeout(15)


def test_a_connection_without_a_request_is_closed(place: tuple[App, int], limits: Callable[..., None]) -> None:
    limits(HEAD_SECONDS=0.1)
    assert rest(connect(place[1])) == b""


@pytest.mark.parametrize("beginning", [b"G", b"GET / HTTP/1.1\r\nhost: a\r\nx-a: "], ids=["line", "headers"])
def test_a_head_that_does_not_end_is_refused(
    place: tuple[App, int], limits: Callable[..., None], beginning: bytes
) -> None:
    limits(HEAD_SECONDS=0.1)
    connection = connect(place[1])
    connection.sendall(beginning)
    drip(connection, b"a" if b" " in beginning else b"")
    answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"RequestTimeout" in answer


def test_a_second_head_that_does_not_end_is_refused(place: tuple[App, int], limits: Callable[..., None]) -> None:
    limits(HEAD_SECONDS=0.1)
    connection = connect(place[1])
    connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /")
    answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.count(b"HTTP/1.1 ") == 2
    assert b"RequestTimeout" in answer


@pytest.mark.parametrize("framing", [b"content-length: 100000\r\n\r\n", b"transfer-encoding: chunked\r\n\r\nfff\r\n"])
def test_a_body_that_stands_still_is_refused(
    place: tuple[App, int], limits: Callable[..., None], framing: bytes
) -> None:
    app, port = place
    limits(BODY_SECONDS=0.2)
    for pieces in (b"", b"a"):
        connection = connect(port)
        connection.sendall(b"PUT / HTTP/1.1\r\nhost: a\r\n" + framing)
        drip(connection, pieces)
        answer = rest(connection)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"RequestTimeout" in answer
    wait_until(lambda: app.ended == ["IncompleteBody"] * 2)


def test_a_body_that_comes_slowly_but_comes_is_taken(place: tuple[App, int], limits: Callable[..., None]) -> None:
    limits(BODY_SECONDS=0.2, LEAST_BODY=1)
    connection = connect(place[1])
    connection.sendall(b"PUT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 30\r\n\r\n")
    for _ in range(30):
        time.sleep(0.02)
        connection.sendall(b"a")
    assert rest(connection).startswith(b"HTTP/1.1 200 ")


def test_a_body_that_nobody_asked_for_yet_is_not_late(place: tuple[App, int], limits: Callable[..., None]) -> None:
    limits(BODY_SECONDS=0.2)
    connection = connect(place[1])
    connection.sendall(
        b"PUT / HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n"
    )
    assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
    connection.sendall(b"a")
    assert rest(connection).startswith(b"HTTP/1.1 200 ")


def test_the_rest_of_a_body_that_nobody_wants_is_taken_for_a_while(
    place: tuple[App, int], limits: Callable[..., None]
) -> None:
    limits(LINGER_SECONDS=0.2, LEAST_BODY=0)
    connection = connect(place[1])
    connection.sendall(b"PUT /unread HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nabc")
    assert connection.recv(17) == b"HTTP/1.1 200 OK\r\n"
    assert b"HTTP/1.1 " not in rest(connection)


def test_an_answer_that_nobody_reads_is_dropped(place: tuple[App, int], limits: Callable[..., None]) -> None:
    limits(ANSWER_SECONDS=0.3)
    connection = connect(place[1])
    connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
    assert connection.recv(17) == b"HTTP/1.1 200 OK\r\n"
    wait_until(lambda: not place[0].crowd._clients)
    assert len(rest(connection)) < len(LARGE)


def test_an_answer_that_is_read_slowly_is_not(place: tuple[App, int], limits: Callable[..., None]) -> None:
    limits(ANSWER_SECONDS=1)
    connection = connect(place[1])
    connection.sendall(b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    taken = 0
    while data := connection.recv(1 << 20):
        taken += len(data)
        time.sleep(0.02)
    assert taken > len(LARGE)


def test_who_is_idle_makes_room(place: tuple[App, int]) -> None:
    app, port = place
    app.crowd._most = 3
    idle = [connect(port) for _ in range(3)]
    wait_until(lambda: len(app.crowd._clients) == 3)
    fourth = connect(port)
    fourth.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert rest(fourth).startswith(b"HTTP/1.1 200 ")
    assert rest(idle[0]) == b""
    for each in idle[1:]:
        each.close()


def test_large_bodies_share_room_in_turn(limits: Callable[..., None]) -> None:
    limits(MOST_HELD=300_000, WAIT_SECONDS=0.1)

    async def fill() -> None:
        crowd, order = Crowd(), []

        async def hold(name: str, size: int, until: asyncio.Event) -> None:
            async with crowd.room(size):
                order.append(name)
                await until.wait()

        first, second = asyncio.Event(), asyncio.Event()
        tasks = [asyncio.create_task(hold("large", 200_000, first))]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(hold("waits", 200_000, second)))
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(hold("in its turn", 70_000, second)))
        async with crowd.room(crowd_small := 65_536):
            assert crowd_small
        await asyncio.sleep(0)
        assert order == ["large"]
        first.set()
        await asyncio.sleep(0.02)
        assert order == ["large", "waits", "in its turn"]
        with pytest.raises(ServiceUnavailable, match="reduce your request rate"):
            async with crowd.room(100_000):
                pass
        gone = asyncio.create_task(hold("gone", 100_000, second))
        await asyncio.sleep(0)
        gone.cancel()
        second.set()
        await asyncio.gather(*tasks)
        async with crowd.room(300_000):
            order.append("all")
        assert order[-1] == "all"
        assert crowd._held == 0

    asyncio.run(fill())
