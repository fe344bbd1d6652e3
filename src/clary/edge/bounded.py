"""What a client may do to its connection: limits of uvicorn's protocol, which has none.

A request that cannot be read is answered once, and the connection closed: what follows on it could be another request
to one reader and a body to another. The parser (llhttp, in its strict mode) refuses what is ambiguous by itself:
two lengths, a length beside chunks, folded lines, bare line feeds.

References: https://www.rfc-editor.org/rfc/rfc9112#section-11.2,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

from __future__ import annotations

import enum
from typing import Any

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from clary.edge.crowd import ANSWER_SECONDS, BODY_SECONDS, HEAD_SECONDS, LEAST_BODY, LINGER_SECONDS, Crowd

LARGEST_HEAD = 65_536
"""Bytes of a request line with its headers; also of what stands between the pieces of a chunked body."""
LARGEST_TARGET = 16_384
"""Bytes of a path with its query; a presigned URL with a session token has about two thousand."""
MOST_HEADERS = 256
"""An object of S3 may bring 2 KB of metadata in headers, which is fewer."""

FAREWELL_SECONDS = 2.0
"""How long what a client still sends is taken and forgotten after it was refused."""


class Refusal(Exception):
    """A request that is not read any further."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


_MALFORMED = Refusal(400, "MalformedHttpRequestException", "The request is not valid HTTP.")
_TOO_LARGE = Refusal(
    400, "RequestHeaderSectionTooLarge", "Your request header and query parameters exceed the maximum allowed size."
)
_TIMED_OUT = Refusal(
    400,
    "RequestTimeout",
    "Your socket connection to the server was not read from or written to within the timeout period.",
)


_VERSIONS = ("1.1", "1.0")
_TARGETS = (b"/", b"http://", b"https://")


class _Phase(enum.Enum):
    """What the next bytes of a connection belong to."""

    NOTHING = 0
    HEAD = 1
    BODY = 2


class BoundedProtocol(HttpToolsProtocol):  # type: ignore[misc]
    """A connection whose requests have limits; the application has the ``crowd`` that it belongs to."""

    def connection_made(self, transport: Any) -> None:
        """A client has connected."""
        super().connection_made(transport)
        self._phase = _Phase.NOTHING
        self._since = self.loop.time()
        """When the phase began; for a body, when the bytes began to be counted."""
        self._received = 0
        """Bytes of this head, or those of the body since then."""
        self._between = 0
        """Bytes of a body since the last that were a part of it."""
        self._head = 0
        self._has_host = False
        self._refused = False
        self._lingers: float | None = None
        self._stands = (0, self._since)
        """How many bytes of answers waited when that last changed, and when."""
        self._crowd: Crowd = self.config.app.crowd
        self._crowd.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._crowd.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of the client's."""
        self._unset_keepalive_if_required()
        if self._refused:
            return
        self._received += len(data)
        self._between += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here, and the parser reads no further: the request is answered, and that is all.
            self._refused = True
            self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            self._refuse(error.__context__ if isinstance(error.__context__, Refusal) else _MALFORMED)
        else:
            if self._between > LARGEST_HEAD and self._phase is not _Phase.NOTHING:
                self._refuse(_TOO_LARGE)

    # What the parser calls.

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._phase, self._since = _Phase.HEAD, self.loop.time()
        self._head = 0
        self._has_host = False
        self._lingers = None

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self._head += len(url)
        if self._head > LARGEST_TARGET:
            raise _TOO_LARGE
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer behind the body, which nobody asks for here."""
        if self._phase is _Phase.BODY:
            return
        self._head += len(name) + len(value) + 4
        if self._head > LARGEST_HEAD or len(self.headers) >= MOST_HEADERS:
            raise _TOO_LARGE
        super().on_header(name, value)
        if self.headers[-1][0] == b"host":
            if self._has_host:
                raise _MALFORMED
            self._has_host = True

    def on_headers_complete(self) -> None:
        """The head of a request is here."""
        if self.parser.get_http_version() not in _VERSIONS or not self.url.startswith(_TARGETS):
            raise _MALFORMED
        super().on_headers_complete()
        self.begin_body()

    def begin_body(self) -> None:
        """From here on the bytes are the body's."""
        self._phase, self._since = _Phase.BODY, self.loop.time()
        self._received = self._between = 0

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._between = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is here as a whole."""
        super().on_message_complete()
        self.end_message()

    def end_message(self) -> None:
        """From here on the bytes are the next request's."""
        self._phase, self._since = _Phase.NOTHING, self.loop.time()
        self._between = 0

    def on_response_complete(self) -> None:
        """An answer is given."""
        super().on_response_complete()
        if self._phase is _Phase.NOTHING:
            self._since = self.loop.time()

    # What the crowd asks.

    def check(self, now: float) -> None:
        """End what takes too long."""
        unread = self.unread()
        if unread != self._stands[0]:
            self._stands = (unread, now)
        elif unread and now - self._stands[1] > ANSWER_SECONDS:
            self.drop()
            return
        late = now - self._since
        if self._refused and not self._is_busy():
            if late > FAREWELL_SECONDS:
                self.drop()
        elif self._phase is _Phase.HEAD:
            if late > HEAD_SECONDS and not self._is_busy():
                self._refuse(_TIMED_OUT)
        elif self._phase is _Phase.BODY:
            self._check_body(now)
        elif not self._is_busy() and late > (HEAD_SECONDS if self.cycle is None else self.timeout_keep_alive):
            self.transport.close()

    def _check_body(self, now: float) -> None:
        cycle = self.cycle
        if cycle.response_complete:
            self._lingers = self._lingers or now
            if now - self._lingers > LINGER_SECONDS:
                self.transport.close()
                return
        if self.flow.read_paused or cycle.waiting_for_100_continue:
            # It is we who do not read, or who have not asked for it yet.
            self._since, self._received = now, 0
        elif now - self._since > BODY_SECONDS:
            if self._received < LEAST_BODY:
                self._refuse(_TIMED_OUT)
            self._since, self._received = now, 0

    def _is_busy(self) -> bool:
        """Whether a request is under way whose answer is not given."""
        return self.cycle is not None and not self.cycle.response_complete

    def unread(self) -> int:
        """Bytes of answers that the client has not taken."""
        return int(self.transport.get_write_buffer_size())

    def idle_since(self) -> float | None:
        """Since when it has had no whole request under way; None if it has."""
        return None if self._is_busy() else self._since

    def drop(self) -> None:
        """End it at once."""
        self._abandon()
        self.transport.abort()

    # The end

    def _refuse(self, refusal: Refusal) -> None:
        """Say what is wrong, once, and close."""
        self._refused = True
        if not self._is_busy():
            self._say(refusal)
        elif self._phase is not _Phase.BODY:
            # It is a later request that is wrong: the answers that are due are given first.
            last = self.pipeline[0][0] if self.pipeline else self.cycle
            last.keep_alive = False
        elif self.pipeline or self.cycle.response_started:
            self.drop()
        else:
            self._abandon()
            self.cycle.response_complete = True
            self._say(refusal)

    def _say(self, refusal: Refusal) -> None:
        body = orjson.dumps({"__type": refusal.code, "message": str(refusal)})
        head = b"".join(b"%b: %b\r\n" % each for each in self.server_state.default_headers)
        head += b"content-type: application/x-amz-json-1.1\r\nx-amzn-errortype: %b\r\n" % refusal.code.encode()
        head += b"connection: close\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[refusal.status] + head + body)
        # Closed while there is something to read, it would take the answer with it.
        self.transport.write_eof()
        self._since = self.loop.time()

    def _abandon(self) -> None:
        """Let the application know that nobody waits for its answer."""
        cycles: list[Any] = [each for each, _ in self.pipeline]
        for cycle in (*cycles, self.cycle):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
