"""A server that throws away what it gets and gives zeros back: what a client of S3 can do at most on this machine.

    python -m bench.sink

It prints its port. Uploads in parts are acknowledged as S3 does; a GET has as many bytes as were last put there.
"""

from __future__ import annotations

import asyncio
from typing import cast

import httptools

_ZEROS = bytes(1 << 20)
_ETAG = b'ETag: "00000000000000000000000000000000"\r\n'


class _Connection(asyncio.Protocol):
    sizes: dict[bytes, int] = {}  # noqa: RUF012 - what all connections share

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.writable = asyncio.Event()
        self.writable.set()
        self.sending: set[asyncio.Task[None]] = set()
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()

    def on_message_begin(self) -> None:
        self.url, self.size = b"", 0

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self.size += len(body)

    def on_message_complete(self) -> None:
        method, (path, _, query) = self.parser.get_method(), self.url.partition(b"?")
        if method == b"PUT":
            self.sizes[path] = self.size
            self.answer(b"", _ETAG)
        elif method == b"POST":
            name = b"InitiateMultipartUploadResult" if query == b"uploads" else b"CompleteMultipartUploadResult"
            self.answer(b"<%s><UploadId>1</UploadId><ETag>0</ETag></%s>" % (name, name))
        else:
            task = asyncio.get_running_loop().create_task(self.give(self.sizes.get(path, 0)))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)

    def answer(self, body: bytes, headers: bytes = b"") -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (headers, len(body), body))

    async def give(self, size: int) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (_ETAG, size))
        while size > 0 and not self.transport.is_closing():
            self.transport.write(_ZEROS[:size])
            size -= len(_ZEROS)
            await self.writable.wait()


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(_serve())
