"""HTTP by hand: bytes over a socket, for requests that no client would make."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

HANG_SECONDS = 30.0
"""An answer that takes longer is a hang."""


@dataclass
class Answer:
    """An answer; header names are in lower case."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    closes: bool = False


class _Reader:
    """What the parser of an answer calls."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.whole = False
        self.parts: list[bytes] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self.parts.append(body)

    def on_message_complete(self) -> None:
        self.whole = True


class Broken(OSError):
    """The server closed the connection before its answer was whole."""


class Line:
    """A connection to a server, made again when it was closed."""

    def __init__(self, url: str, seconds: float = HANG_SECONDS) -> None:
        parts = urlsplit(url)
        self.place = (parts.hostname or "", parts.port or 80)
        self.host = parts.netloc
        self.seconds = seconds
        self._socket: socket.socket | None = None

    def connect(self) -> socket.socket:
        """The connection, open."""
        if self._socket is None:
            self._socket = socket.create_connection(self.place, self.seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, request: bytes, method: str = "GET") -> Answer:
        """Send a whole request and read its answer.

        Raises ``TimeoutError`` for a hang, ``Broken`` where the connection ends with no whole answer.
        """
        try:
            connection = self.connect()
            # It may be refused before its end, with an answer that is here.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(request)
            return self.read(method)
        except BaseException:
            self.close()
            raise

    def read(self, method: str = "GET") -> Answer:
        """Read one answer."""
        connection = self.connect()
        until = time.monotonic() + self.seconds
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._receive(connection, until)
            while head.startswith(b"HTTP/1.1 100 ") and b"\r\n\r\n" in head:
                head = head.partition(b"\r\n\r\n")[2]
        reader = _Reader()
        parser = httptools.HttpResponseParser(reader)
        end = head.index(b"\r\n\r\n") + 4
        parser.feed_data(head[:end])
        answer = reader.answer
        answer.status = parser.get_status_code()
        answer.closes = answer.headers.get("connection", "").lower() == "close"
        if method == "HEAD" or answer.status in (204, 304):
            reader.whole = True
        elif end < len(head):
            parser.feed_data(head[end:])
        while not reader.whole:
            parser.feed_data(self._receive(connection, until))
        answer.body = b"".join(reader.parts)
        if answer.closes:
            self.close()
        return answer

    @staticmethod
    def _receive(connection: socket.socket, until: float) -> bytes:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the server does not answer")
        connection.settimeout(left)
        try:
            data = connection.recv(262_144)
        except ConnectionResetError as error:
            raise Broken("the server broke the connection") from error
        if not data:
            raise Broken("the server closed the connection")
        return data
