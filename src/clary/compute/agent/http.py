"""A small HTTP/1.1 client, for the store and for the health of servers: importing ``http.client`` takes longer than a
whole job start."""

from __future__ import annotations

import _socket as socket

from clary.core.sockets import Pinned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 18


class HttpError(OSError):
    """The other side did not answer, or not in HTTP."""


class Answer:
    """An answer; its body is read once, by ``read`` or ``chunks``."""

    def __init__(self, status: int, headers: dict[str, str], connection: Connection, empty: bool) -> None:
        self.status = status
        self.headers = headers
        self._connection = connection
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length")
        self._left: int | None = 0 if empty else None if self._chunked or length is None else int(length)
        self._keep = headers.get("connection", "").lower() != "close" and (self._chunked or length is not None or empty)
        if empty:
            self._chunked = False

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces. Raises ``HttpError`` if it ends too early."""
        stream = self._connection
        if self._chunked:
            while size := int(stream.line().split(b";")[0] or b"0", 16):
                while size:
                    data = stream.some(min(size, CHUNK))
                    size -= len(data)
                    yield data
                stream.line()
            while stream.line():
                pass
        elif self._left is None:
            while data := stream.any():
                yield data
        else:
            while self._left:
                data = stream.some(min(self._left, CHUNK))
                self._left -= len(data)
                yield data
        if not self._keep:
            stream.close()

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks())


class Connection:
    """A connection to ``http[s]://host[:port]`` or ``unix:/path``, opened when needed and kept open. Timeouts are in
    seconds."""

    def __init__(self, address: str, timeout: float = 60) -> None:
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._path = ""
        self._tls = False
        if address.startswith("unix:"):
            self._path, self.host = address[5:], "localhost"
        else:
            scheme, _, rest = address.partition("://")
            self._tls = scheme == "https"
            self.host = rest.partition("/")[0]
            name, _, port = self.host.rpartition(":") if ":" in self.host.rpartition("]")[2] else (self.host, "", "")
            self.name, self.port = name.strip("[]"), int(port or (443 if self._tls else 80))

    def close(self) -> None:
        """Drop the connection."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def request(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request and read the head of its answer. The body of the answer before must have been read.

        Raises ``HttpError``; an old connection that was closed meanwhile is opened anew.
        """
        lines = [f"{method} {target} HTTP/1.1"]
        fields = {"host": self.host, **(headers or {})}
        if body or method in ("PUT", "POST"):
            fields["content-length"] = str(len(body))
        lines += [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        for last in (self._socket is None, True):
            try:
                self._open()
                self.send(head, body)
                return self._answer(method)
            except (OSError, ValueError) as error:
                self.close()
                # Who takes too long has the request, and must not get it twice.
                if last or isinstance(error, TimeoutError) or isinstance(error.__cause__, TimeoutError):
                    raise HttpError(f"{self._path or self.host}: {error}") from error
        raise AssertionError

    def stream(self, method: str, target: str, headers: dict[str, str], pieces: Iterator[bytes]) -> Answer:
        """The same with a body of any length, in chunks, over a connection that is opened for it."""
        self.close()
        lines = [f"{method} {target} HTTP/1.1"]
        fields = {"host": self.host, **headers, "transfer-encoding": "chunked"}
        lines += [f"{name}: {value}" for name, value in fields.items()]
        try:
            self._open()
            self.send("\r\n".join([*lines, "", ""]).encode(), b"")
            try:
                for piece in pieces:
                    if piece:
                        self.send(b"%x\r\n" % len(piece), piece + b"\r\n")
                self.send(b"0\r\n\r\n", b"")
            except (BrokenPipeError, ConnectionResetError):
                pass  # it has seen enough, and may have said why
            return self._answer(method)
        except (OSError, ValueError) as error:
            self.close()
            raise HttpError(f"{self._path or self.host}: {error}") from error

    def send(self, head: bytes, body: bytes) -> None:
        """Write a head and a body."""
        assert self._socket is not None
        if len(body) < CHUNK:
            self._socket.sendall(head + body)
        else:
            self._socket.sendall(head)
            self._socket.sendall(body)

    def _open(self) -> None:
        if self._socket is not None:
            return
        if self._path:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(self._timeout)
            with Pinned(self._path) as name:
                self._socket.connect(name)
            return
        self._socket = self._connect()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            import socket as sockets
            import ssl

            plain = sockets.socket(fileno=self._socket.detach())
            plain.settimeout(self._timeout)
            self._socket = ssl.create_default_context().wrap_socket(plain, server_hostname=self.name)

    def _connect(self) -> socket.socket:
        error: OSError = HttpError(f"{self.name} has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self.name, self.port, 0, socket.SOCK_STREAM):
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(self._timeout)
                made.connect(address)
                return made
            except OSError as fault:
                made.close()
                error = fault
        raise error

    def _answer(self, method: str) -> Answer:
        while True:
            version, _, rest = self.line().partition(b" ")
            if not version.startswith(b"HTTP/1."):
                raise HttpError(f"{self.host}: not an HTTP answer")
            status = int(rest[:3])
            headers = {}
            while line := self.line():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.strip().lower()] = value.strip()
            if status >= 200:
                return Answer(status, headers, self, method == "HEAD" or status in (204, 304))

    def any(self) -> bytes:
        """What comes next, of any length; empty at the end."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            return data
        assert self._socket is not None
        try:
            return self._socket.recv(CHUNK)
        except OSError as error:
            raise HttpError(f"{self.host}: {error}") from error

    def some(self, most: int) -> bytes:
        """Between 1 and ``most`` bytes."""
        data = self.any()
        if not data:
            raise HttpError(f"{self.host}: the connection was closed early")
        self._buffer = data[most:] + self._buffer
        return data[:most]

    def line(self) -> bytes:
        """The next line without its end."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > 1 << 20:
                raise HttpError(f"{self.host}: a line without an end")
            buffer, self._buffer = self._buffer, b""
            self._buffer = buffer + self.some_more()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def some_more(self) -> bytes:
        """At least one further byte from the wire."""
        data = self.any()
        if not data:
            raise HttpError(f"{self.host}: the connection was closed early")
        return data
