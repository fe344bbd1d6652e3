"""The smallest server around S3App: no signatures, one account a header can change."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import uvicorn

from clary.core.settings import load
from clary.objects.store import ObjectStore
from clary.services.iam.api import Identities
from clary.services.kms.api import Keys
from clary.services.s3 import S3App, S3Request, S3Response
from clary.services.s3.call import Services
from clary.services.s3.encryption import Encryption
from clary.services.s3.notifications import Notifications
from clary.state.database import Database

ACCOUNT = "123456789012"


async def all_reached(account: str, bucket: str, destinations: list[dict[str, str]]) -> list[str]:
    """A check of destinations that takes only those of the same account."""
    return [each["arn"] for each in destinations if f":{account}:" not in each["arn"]]


def encryption(root: Path) -> Encryption:
    """The keys of an installation in a folder beside the store's."""
    settings = load(root.parent / "home", environ={})
    settings.create_folders()
    database = Database(settings.database_url)
    database.prepare()
    identities = Identities(database, settings)
    identities.bootstrap()
    keys = Keys(identities)

    async def managed(account: str, region: str) -> str:
        return keys.managed_key(account, region, "s3").arn

    return Encryption(identities.vault, keys, managed)


class Application:
    """An ASGI application; it opens the store in its own event loop."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.last: dict[str, str] = {}

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.store = ObjectStore(self.root)
            await self.store.open()
            self.app = S3App(self.store, Services(encryption(self.root), Notifications(all_reached)))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.store.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.last = headers
        trailers: dict[str, str] = {}
        body = _body(receive)
        if "aws-chunked" in headers.get("content-encoding", "") and "x-amz-decoded-content-length" in headers:
            body = _unchunked(body, trailers)
        request = S3Request(
            method=scope["method"],
            path=scope["raw_path"].decode("ascii"),
            query=scope["query_string"].decode("ascii"),
            headers=headers,
            body=body,
            account=headers.get("x-test-account", ACCOUNT),
            region=headers.get("authorization", "////").split("/")[2] or "us-east-1",
            request_id=uuid.uuid4().hex,
            trailers=lambda: trailers,
        )
        await _answer(await self.app.handle(request), send)


async def _answer(response: S3Response, send: Any) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if isinstance(response.body, bytes) and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(response.body, bytes):
        await send({"type": "http.response.body", "body": response.body})
        return
    async with contextlib.aclosing(response.body) as chunks:
        async for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _body(receive: Any) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the client went away")
        yield message.get("body", b"")
        if not message.get("more_body"):
            return


async def _unchunked(body: AsyncIterator[bytes], trailers: dict[str, str]) -> AsyncIterator[bytes]:
    data = b"".join([chunk async for chunk in body])
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        yield data[:length]
        data = data[length + 2 :]
    for line in data.split(b"\r\n"):
        name, colon, value = line.decode().partition(":")
        if colon:
            trailers[name.lower()] = value.strip()


class Server:
    """A running server: its address, and the application behind it."""

    def __init__(self, root: Path) -> None:
        self.application = Application(root)
        self._server = uvicorn.Server(
            uvicorn.Config(self.application, port=0, log_level="warning", access_log=False, lifespan="on")
        )
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(20)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        async def main() -> None:
            startup = self._server.startup

            async def started(sockets: Any = None) -> None:
                await startup(sockets)
                self._ready.set()

            self._server.startup = started
            self.loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(main())

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@contextlib.contextmanager
def running(root: Path) -> Iterator[Server]:
    server = Server(root)
    try:
        yield server
    finally:
        server.close()
