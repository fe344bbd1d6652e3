"""An HTTP request and an HTTP response as the wire layer sees them, free of any server's types."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Request:
    """A request as it was sent.

    ``path`` and ``query`` are raw (percent-encoded, without the question mark), header names are lower-case, and the
    values of a header that was sent several times are joined by commas. ``host`` is the Host header with its port.
    ``body`` is empty where the body is streamed by the caller.
    """

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    host: str = ""
    client: str = ""
    """The address that it came from, where that is known."""
    trace: str = ""
    """The ``traceparent`` of what it causes; empty where it is not traced."""


@dataclass(slots=True)
class Response:
    """A response to send; header names are lower-case, a streamed body is an asynchronous iterator of byte strings."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""
    trail: str = ""
    """What the control plane tells of the call for the trail, as JSON; it goes to no client."""
