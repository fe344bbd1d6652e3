"""Names under ``localhost`` lead to this machine (RFC 6761), also where the system's resolver does not know that."""

from __future__ import annotations

import socket
from typing import Any

_ask = socket.getaddrinfo


def _getaddrinfo(host: Any, *others: Any, **more: Any) -> Any:
    return _ask("127.0.0.1" if isinstance(host, str) and host.endswith(".localhost") else host, *others, **more)


socket.getaddrinfo = _getaddrinfo
