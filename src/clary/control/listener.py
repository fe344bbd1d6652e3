"""How the control plane listens: each connection of the edge has a thread, which reads, answers and writes.

The edge keeps its connections, so that a thread serves thousands of requests. Handlers wait for the database and for
files; were they called from an event loop, each request would pass from its thread to another and back, which costs
more than most handlers do.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httptools

from clary.wire.http import Request, Response

GRACE_SECONDS = 5.0
"""How long requests under way may take when the process is told to stop."""
_PIECE = 262_144

log = logging.getLogger(__name__)

Answer = Callable[[Request], Response]


class Listener:
    """A Unix socket that only this user can open, and the threads that serve it."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._answer = answer
        self._conversations: set[_Conversation] = set()
        self._stopping = False
        self._socket = _listen(path)

    def start(self) -> None:
        """Accept connections from now on, in a thread of its own."""
        threading.Thread(target=self._accept, name="listener", daemon=True).start()

    def _accept(self) -> None:
        while not self._stopping:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if not self._stopping:
                    # Too many open files, perhaps: those who wait are served when some are closed.
                    log.exception("no connection could be accepted")
                    time.sleep(0.1)
                continue
            conversation = _Conversation(connection, self._answer)
            self._conversations.add(conversation)
            threading.Thread(target=self._converse, args=(conversation,), name="request", daemon=True).start()

    def _converse(self, conversation: _Conversation) -> None:
        try:
            conversation.run()
        except (OSError, httptools.HttpParserError) as error:
            # The edge went away, or is being killed while it writes; it sends its request again if it can.
            log.debug("a connection of the edge ended: %s", error)
        except Exception:
            log.exception("a connection of the edge broke")
        finally:
            self._conversations.discard(conversation)
            conversation.close()

    def stop(self) -> None:
        """Take no further requests, and wait a while for the answers to those that are here."""
        self._stopping = True
        # A thread that waits in accept does not notice that its socket is closed, but it notices this.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        until = time.monotonic() + GRACE_SECONDS
        while self._conversations and time.monotonic() < until:
            for conversation in list(self._conversations):
                conversation.end()
            time.sleep(0.005)


class _Conversation:
    """One connection: requests and their answers, one after the other."""

    def __init__(self, connection: socket.socket, answer: Answer) -> None:
        self._connection = connection
        self._answer = answer
        self._parser = httptools.HttpRequestParser(self)
        self._complete = False
        self.on_message_begin()

    def run(self) -> None:
        """Answer until the other side has closed the connection."""
        while data := self._connection.recv(_PIECE):
            self._parser.feed_data(data)
            if self._complete:
                self._complete = False
                self._connection.sendall(_encoded(self._answer(self._request())))
                if not self._parser.should_keep_alive():
                    return

    def end(self) -> None:
        """No more requests; what has arrived is still answered."""
        try:
            self._connection.shutdown(socket.SHUT_RD)
        except OSError:
            return

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _request(self) -> Request:
        path, _, query = self._target.decode("latin-1").partition("?")
        headers = self._headers
        return Request(
            method=self._parser.get_method().decode("latin-1"),
            path=path,
            query=query,
            headers=headers,
            body=b"".join(self._parts),
            host=headers.get("host", ""),
        )

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._parts: list[bytes] = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self._complete = True


def _encoded(response: Response) -> bytes:
    body = response.body
    assert isinstance(body, bytes)
    lines = [f"HTTP/1.1 {response.status} \r\n"]
    lines += [f"{name}: {value}\r\n" for name, value in response.headers.items()]
    lines.append(f"content-length: {len(body)}\r\n\r\n")
    return "".join(lines).encode("latin-1") + body


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(1024)
    return listener
