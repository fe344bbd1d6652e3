"""Looks at an installation from outside: does it answer, and what do the files in ``run/`` say."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any


def answers(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether an installation whose processes both work listens there, by what ``GET /_clary/health`` says."""
    name = f"[{host}]" if ":" in host else host
    request = f"GET /_clary/health HTTP/1.0\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n"
    answer = b""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(request.encode())
            while len(answer) < 1 << 16 and (part := connection.recv(4096)):
                answer += part
    except OSError:
        return False
    head, _, body = answer.partition(b"\r\n\r\n")
    if head[8:13] != b" 200 ":
        return False
    try:
        return json.loads(body).get("control") is True
    except (ValueError, AttributeError):
        return False


def read_state(file: Path) -> dict[str, Any] | None:
    """The document in ``run/supervisor.json`` or ``run/edge.json``; None if it is absent or half written."""
    try:
        document = json.loads(file.read_text())
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None
