"""What passes between the model server and the code that answers for a model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol


class Reply(NamedTuple):
    """The answer to one invocation."""

    status: int
    content_type: str
    body: bytes | Iterator[bytes]
    """The whole answer, or its pieces as they come, which are sent one by one."""


class RequestError(Exception):
    """An invocation that cannot be answered, with the HTTP status and the message for its sender."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Handler(Protocol):
    """Answers for one model. ``invoke`` is called from several threads at once."""

    inline_bytes: int
    """Bodies up to this size are answered on the event loop: only for code known never to wait; 0 for none."""

    def load(self) -> None:
        """Load the model; what it raises ends the server."""

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Reply:
        """Answer one request; ``RequestError`` has a status of its own, anything else is answered with 500."""
