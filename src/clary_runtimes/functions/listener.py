"""The HTTP by which the platform speaks to an environment: two requests, one to a connection.

It is written out because the server of the standard library takes longer to import than a function to start.
"""

from __future__ import annotations

import base64
import os
import socket
import threading
from collections.abc import Callable

from clary_runtimes.functions.invocation import Answer

LARGEST_HEAD = 65_536
_TOLD = ("request-id", "function-arn", "client-context")
Invoke = Callable[[str, str, str, bytes], Answer]
"""Takes the request's id, the function's ARN, the client's context and the event."""


def listen(path: str) -> socket.socket:
    """A Unix socket that only this user may connect to."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        made.bind(path)
    finally:
        os.umask(before)
    made.listen(16)
    return made


def serve(made: socket.socket, invoke: Invoke) -> None:
    """Answer for as long as the process lives. An event waits until the one before it is answered."""
    alone = threading.Lock()
    while True:
        connection, _ = made.accept()
        threading.Thread(target=_converse, args=(connection, invoke, alone), daemon=True).start()


def _converse(connection: socket.socket, invoke: Invoke, alone: threading.Lock) -> None:
    with connection:
        try:
            method, path, headers, body = _request(connection)
            if (method, path) == ("GET", "/ping"):
                connection.sendall(_response(200, {}, b""))
            elif (method, path) == ("POST", "/invocations"):
                request_id, arn, client = (headers.get(f"clary-{name}", "") for name in _TOLD)
                with alone:
                    answer = invoke(request_id, arn, client, body)
                connection.sendall(_answer(answer))
            else:
                connection.sendall(_response(404, {}, b""))
        except (OSError, ValueError):
            return  # whoever asked has gone, or asked nothing that can be read


def _answer(answer: Answer) -> bytes:
    headers = {
        "clary-function-error": "Unhandled" if answer.error else "",
        "clary-log": base64.b64encode(answer.log).decode(),
        "clary-spent": "1" if answer.spent else "",
    }
    return _response(200, headers, answer.body)


def _response(status: int, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"HTTP/1.1 {status} ", *(f"{name}: {value}" for name, value in headers.items())]
    lines += ["connection: close", f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _request(connection: socket.socket) -> tuple[str, str, dict[str, str], bytes]:
    said = b""
    while b"\r\n\r\n" not in said:
        if len(said) > LARGEST_HEAD or not (data := connection.recv(65_536)):
            raise ValueError("no request")
        said += data
    head, _, body = said.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    parts, left = [body], int(headers.get("content-length", "0")) - len(body)
    while left > 0:
        if not (data := connection.recv(min(left, 1 << 20))):
            raise ValueError("the request ends too early")
        parts.append(data)
        left -= len(data)
    return method, path, headers, b"".join(parts)
