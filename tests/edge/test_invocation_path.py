"""Which requests are answered without ASGI, and that nobody can tell from the answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from clary.edge.protocol import LARGEST_INVOCATION, EdgeProtocol
from clary.wire.http import Request, Response

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"


class Application:
    """Says in each answer which way the request came."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.begun = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = b"asgi %d" % len(body)
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def invocation(self, request: Request) -> Response:
        self.begun += 1
        if request.body == b"wait":
            await self.go.wait()
        if request.body == b"broken":
            raise RuntimeError("a fault of its own")
        headers = {"x-seen": ",".join(sorted(request.headers)), "x-path": request.path, "x-host": request.host}
        return Response(200, headers, b"quick " + request.body)


Talk = Callable[[Application, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def talk(story: Talk) -> None:
    """One connection to a server of the edge's kind."""

    async def whole() -> None:
        application = Application()
        config = uvicorn.Config(
            application, http=EdgeProtocol, lifespan="off", ws="none", log_level="critical", proxy_headers=False
        )
        server = uvicorn.Server(config)
        config.load()
        server.server_state.default_headers = [(b"date", b"now")]
        listener = await asyncio.get_running_loop().create_server(
            lambda: EdgeProtocol(config=config, server_state=server.server_state, app_state={}), "127.0.0.1", 0
        )
        async with listener:
            reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname())
            try:
                async with asyncio.timeout(30):
                    await story(application, reader, writer)
            finally:
                writer.close()

    asyncio.run(whole())


def request(
    body: bytes = b"1,2", target: str = "/endpoints/e/invocations", method: str = "POST", **headers: str
) -> bytes:
    fields = {"Host": "here", "Authorization": SIGNED, "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def answer(reader: asyncio.StreamReader) -> tuple[dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    assert head[0] == "HTTP/1.1 200 OK"
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    return headers, await reader.readexactly(int(headers["content-length"]))


def test_an_invocation_takes_the_quick_way() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        for _ in range(3):
            writer.write(request(Accept="text/csv"))
            headers, body = await answer(reader)
            assert body == b"quick 1,2"
            assert (headers["x-path"], headers["x-host"]) == ("/endpoints/e/invocations", "here")
            assert headers["x-seen"] == "accept,authorization,content-length,host"
            assert headers["date"] == "now"

    talk(story)


def test_a_request_in_pieces() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        whole = request(b"x" * LARGEST_INVOCATION)
        for begin in range(0, len(whole), 10_000):
            writer.write(whole[begin : begin + 10_000])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answer(reader))[1] == b"quick " + b"x" * LARGEST_INVOCATION

    talk(story)


@pytest.mark.parametrize(
    "other",
    [
        request(b"x" * (LARGEST_INVOCATION + 1)),
        request(target="/endpoints/e/invocations?x=1"),
        request(target="/endpoints/e/invocations-response-stream"),
        request(target="/endpoints/e/async-invocations"),
        request(Authorization=SIGNED.replace("/sagemaker/", "/s3/")),
        request(Authorization=""),
        request(method="PUT"),
        request(Content_Length="", Transfer_Encoding="chunked", body=b"3\r\n1,2\r\n0\r\n\r\n"),
    ],
    ids=["large", "query", "stream", "asynchronous", "s3", "unsigned", "put", "chunked"],
)
def test_what_else_comes_takes_the_other_way(other: bytes) -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        writer.write(other)
        assert (await answer(reader))[1].startswith(b"asgi ")
        writer.write(request())
        assert (await answer(reader))[1] == b"quick 1,2"
        assert application.begun == 1

    talk(story)


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        head, _, body = request(Expect="100-continue").partition(b"\r\n\r\n")
        writer.write(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert (await answer(reader))[1] == b"asgi 3"

    talk(story)


def test_requests_in_a_row_are_answered_in_their_order() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        writer.write(request(b"wait") + request(b"2") + request(b"3", target="/else") + request(b"4"))
        while application.begun < 1:
            await asyncio.sleep(0)
        application.go.set()
        bodies = [(await answer(reader))[1] for _ in range(4)]
        # The first is quick; what waits behind it goes the other way.
        assert bodies == [b"quick wait", b"asgi 1", b"asgi 1", b"asgi 1"]

    talk(story)


def test_the_connection_is_closed_where_the_client_wishes() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        writer.write(request(Connection="close"))
        headers, body = await answer(reader)
        assert (headers["connection"], body) == ("close", b"quick 1,2")
        assert await reader.read() == b""

    talk(story)


def test_a_client_that_goes_away_is_no_fault() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        writer.write(request(b"wait"))
        while application.begun < 1:
            await asyncio.sleep(0)
        writer.transport.abort()
        await asyncio.sleep(0.05)
        application.go.set()
        await asyncio.sleep(0.05)

    talk(story)


def test_a_fault_of_the_application_ends_the_connection() -> None:
    async def story(application: Application, reader: Any, writer: Any) -> None:
        writer.write(request(b"broken"))
        assert await reader.read() == b""

    talk(story)
