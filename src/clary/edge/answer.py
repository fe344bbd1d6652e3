"""What servers behind the edge answer, and how asking them fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from clary.edge.upstream import Stream

Header = tuple[bytes, bytes]


class UpstreamError(Exception):
    """The server cannot be asked, or broke off its answer."""


class Incomplete(UpstreamError):
    """The server broke off an answer whose head had come, or which was too long; ``status`` is that of the head."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotConnected(UpstreamError):
    """No connection could be made, so that the server has seen nothing of the request."""


class Answer(NamedTuple):
    """What the server said; header names are in lower case."""

    status: int
    headers: list[Header]
    body: bytes
    stream: Stream | None = None
    """What reads the body as it comes, where it was asked for so and is no error's."""

    def header(self, name: bytes) -> bytes | None:
        """The value of the first header called ``name``."""
        return next((value for key, value in self.headers if key == name), None)
