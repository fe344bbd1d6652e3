"""What passes between the model server and the code that answers for a model."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
"""The header with the ``CustomAttributes`` of a request."""
TRACEPARENT = "traceparent"
"""The header with the place of a request in a trace (https://www.w3.org/TR/trace-context/#traceparent-header)."""
HEADERS = (ATTRIBUTES, TRACEPARENT)
"""The headers that handlers may read, beside content type and accept."""


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


@runtime_checkable
class HeaderHandler(Handler, Protocol):
    """A handler that reads more headers of a request."""

    headers: Collection[str]
    """Their names, some of ``HEADERS``."""

    def invoke_with(
        self, body: bytes, content_type: str | None, accept: str | None, headers: Mapping[str, str]
    ) -> Reply:
        """``invoke`` for a request that has one of them; ``headers`` has what there is of ``HEADERS`` by name."""


class Batching(NamedTuple):
    """How requests that wait at the same time are put together."""

    requests: int
    """At most so many in one batch."""
    delay: float = 0.0
    """Seconds that the first of a batch waits for more; without it a batch is what came while the model was busy."""


class Decoded(NamedTuple):
    """A request that was read."""

    rows: Any
    """What the model predicts: an array, a tensor, a data frame or a list, with one entry for each row."""
    how: Hashable
    """What ``predict`` is told; only requests with an equal one go through the model together."""
    answer: Any = None
    """What ``encode`` is told."""


@runtime_checkable
class RowHandler(Handler, Protocol):
    """A handler that declares that its model predicts every row by itself, so that requests may share a prediction."""

    batching: Batching | None
    """None where the requests are answered one by one."""

    def decode(self, body: bytes, content_type: str | None, accept: str | None) -> Decoded:
        """Read a request; raises ``RequestError``, and so do the others."""

    def predict(self, rows: Any, how: Any) -> Any:
        """Predictions with one entry for each row, in their order."""

    def encode(self, predictions: Any, answer: Any) -> Reply:
        """The answer of one request with the predictions of its rows."""


def in_steps(handler: RowHandler, body: bytes, content_type: str | None, accept: str | None) -> Reply:
    """``invoke`` of a handler that is made of the three steps."""
    rows, how, answer = handler.decode(body, content_type, accept)
    return handler.encode(handler.predict(rows, how), answer)
