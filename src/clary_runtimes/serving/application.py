"""The ASGI application of the container contract.

It is a raw ASGI callable because a framework's routing would cost more than the prediction of a row. Reference:
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from clary_runtimes.serving import frames
from clary_runtimes.serving.request import HEADERS, Handler, Reply, RequestError
from clary_runtimes.serving.work import TEXT, Limits, Loading, Work, failed

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_HEADERS = {name.encode(): name for name in HEADERS}


class Application:
    """Serves the ``Handler`` that ``create`` makes; it loads in the background while ``/ping`` answers 503.

    ``gave_up`` is called if that does not succeed.
    """

    def __init__(self, create: Callable[[], Handler], limits: Limits, gave_up: Callable[[], None]) -> None:
        self.limits = limits
        self.threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="invocation")
        self._loading = Loading(create, gave_up)
        self._work: Work | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    def submit(
        self,
        body: bytes,
        content_type: str | None,
        accept: str | None,
        done: Callable[[Reply], None],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer an invocation; ``done`` is called on the event loop, perhaps before this returns."""
        if self._work is None:
            if self._loading.handler is None:
                done(self._ping())
                return
            self._work = Work(self._loading.handler, self.limits, self.threads)
        self._work.submit(body, content_type, accept, done, headers)

    def settle(self) -> None:
        """What was submitted is all that has arrived."""
        if self._work is not None:
            self._work.settle()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._loading.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                self.threads.shutdown(wait=False, cancel_futures=True)
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        headers = []
        if path == "/invocations":
            if method == "POST":
                reply = await self._invoke(scope, receive)
            else:
                reply = Reply(405, TEXT, b"Method Not Allowed")
        elif path == "/ping":
            reply = self._ping()
            headers.append((frames.HEADER, b"1"))
        elif path == "/execution-parameters":
            reply = self._execution_parameters()
        else:
            reply = Reply(404, TEXT, b"Not Found")
        headers.append((b"content-type", reply.content_type.encode("latin-1")))
        if isinstance(reply.body, bytes):
            headers.append((b"content-length", str(len(reply.body)).encode()))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        if isinstance(reply.body, bytes):
            await send({"type": "http.response.body", "body": reply.body})
        else:
            await self._stream(reply.body, send)

    async def _stream(self, pieces: Iterator[bytes], send: Send) -> None:
        """Send pieces as they come. What they raise breaks off the answer, so that nobody takes it for whole."""
        loop = asyncio.get_running_loop()
        try:
            while (piece := await loop.run_in_executor(self.threads, next, pieces, None)) is not None:
                if piece:  # an empty one would end the answer
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Exception:
            traceback.print_exc()
            raise
        await send({"type": "http.response.body", "body": b""})

    def _ping(self) -> Reply:
        if self._loading.handler is not None:
            return Reply(200, TEXT, b"")
        return Reply(503, TEXT, (self._loading.error or "The model is being loaded").encode())

    def _execution_parameters(self) -> Reply:
        # https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
        parameters = {
            "MaxConcurrentTransforms": self.limits.threads,
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": min(100, self.limits.body_bytes >> 20),
        }
        return Reply(200, "application/json", json.dumps(parameters).encode())

    async def _invoke(self, scope: Scope, receive: Receive) -> Reply:
        content_type = accept = None
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            if name == b"content-type":
                content_type = value.decode("latin-1")
            elif name == b"accept":
                accept = value.decode("latin-1")
            elif name in _HEADERS:
                headers[_HEADERS[name]] = value.decode("latin-1")
        try:
            body = await self._body(receive)
        except RequestError as error:
            return failed(error)
        reply: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.submit(body, content_type, accept, reply.set_result, headers)
        return await reply

    async def _body(self, receive: Receive) -> bytes:
        message = await receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return body
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestError(400, "The connection ended before the body")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.limits.body_bytes:
                raise RequestError(413, f"The body is larger than {self.limits.body_bytes} bytes")
        return b"".join(parts)
