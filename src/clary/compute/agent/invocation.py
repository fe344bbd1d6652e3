"""Requests to a model server, as batch transform makes them.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelClientConfig.html
"""

from __future__ import annotations

from clary.compute.agent.documents import loads
from clary.compute.agent.http import Answer, Connection, HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from clary.compute.spec import Transform

    Send = Callable[[Connection, dict[str, str], Answer | None], Answer]
    """Sends a request with these headers: the payload, or what the container before has answered."""

FIRST_PAUSE_S = 0.1
"""Seconds before a request is made again; twice as many each time."""
LONGEST_MESSAGE = 4096
"""Bytes of an error's body that are logged."""
LARGEST_PRODUCT_MB = 100
"""What ``MaxConcurrentTransforms`` times ``MaxPayloadInMB`` may be."""
DEFAULT_PAYLOAD_MB = 6


class InvocationError(Exception):
    """The model gave no answer to store. ``reason`` is ``client`` or ``algorithm``; ``lines`` are for the log, as
    SageMaker writes them."""

    def __init__(self, reason: str, lines: list[str], *, unanswered: bool = False) -> None:
        super().__init__(lines[0])
        self.reason = reason
        self.unanswered = unanswered
        self.lines = lines


class Model:
    """Connections to the containers of a model, for one thread: a payload goes through one after the other."""

    def __init__(
        self, addresses: Sequence[str], names: Sequence[str], transform: Transform, over: threading.Event
    ) -> None:
        """``addresses`` are those of the events ``serving``; ``names`` are what errors call the containers, each empty
        for none. Nothing is tried again once ``over`` is set."""
        self._connections = [connection(address, transform.timeout_s) for address in addresses]
        self._names = names
        self._asked = 0
        self._retries = transform.retries
        self._over = over
        self._content_type, self._accept = transform.content_type, transform.accept

    def invoke(self, payload: bytes) -> bytes:
        """The answer to a payload. Raises ``InvocationError``."""

        def send(connection: Connection, headers: dict[str, str], before: Answer | None) -> Answer:
            return connection.request("POST", "/invocations", headers, before.read() if before else payload)

        return self._tried(send, Answer.read)

    def stream(self, pieces: Callable[[], Iterator[bytes]], take: Callable[[Iterator[bytes]], None]) -> None:
        """Send a payload of any length in chunks; ``take`` gets the answer in pieces. Both may be called again.

        Raises ``InvocationError`` and what they raise.
        """

        def send(connection: Connection, headers: dict[str, str], before: Answer | None) -> Answer:
            return connection.stream("POST", "/invocations", headers, before.chunks() if before else pieces())

        def read(answer: Answer) -> bytes:
            take(answer.chunks())
            return b""

        self._tried(send, read)

    def close(self) -> None:
        """Let the servers go."""
        for each in self._connections:
            each.close()

    def _in_series(self, send: Send) -> Answer:
        """The answer of the last container, or of the first one that refuses."""
        last = len(self._connections) - 1
        kind, before = self._content_type, None
        for number, connection in enumerate(self._connections):
            self._asked = number
            # What is accepted is for the last one; what comes out of one is what the next one gets.
            given = {"content-type": kind, "accept": self._accept if number == last else ""}
            before = send(connection, {name: value for name, value in given.items() if value}, before)
            if before.status >= 300:
                break
            kind = before.headers.get("content-type", "")
        assert before is not None
        return before

    def _tried(self, send: Send, take: Callable[[Answer], bytes]) -> bytes:
        pause = FIRST_PAUSE_S
        for left in range(self._retries, -1, -1):
            try:
                answer = self._in_series(send)
                if answer.status < 300:
                    return take(answer)
                error = _refusal(answer, self._whose())
                if self._asked:
                    self.close()  # what the ones before have answered may not have been read to its end
            except HttpError:
                self.close()
                lines = [f"Unable to get response from algorithm{self._whose()}"]
                error = InvocationError("algorithm", lines, unanswered=True)
            if error.reason == "client" or not left or self._over.wait(pause):
                break
            pause *= 2
        raise error

    def _whose(self) -> str:
        """The container that was asked last, as an error ends with it."""
        name = self._names[self._asked]
        return f" (container {name})" if name else ""


def connection(address: str, timeout: float) -> Connection:
    """A connection to ``unix:/path`` or ``tcp:127.0.0.1:port``."""
    return Connection(address if address.startswith("unix:") else f"http://{address[4:]}", timeout)


def _refusal(answer: Answer, whose: str) -> InvocationError:
    body = answer.read()[:LONGEST_MESSAGE].decode("utf-8", "replace")
    client = 400 <= answer.status < 500
    first = f"ClientError: {answer.status}" if client else f"Bad HTTP status received from algorithm: {answer.status}"
    lines = [f"{first}{whose}", "", "Message:", *body.splitlines()]
    return InvocationError("client" if client else "algorithm", lines)


class Parameters:
    """How a model is called: what the request says, else what the container asks for, else SageMaker's defaults."""

    def __init__(self, transform: Transform, address: str) -> None:
        """Ask the container, which need not answer."""
        asked = _asked(address)
        self.concurrent = transform.max_concurrent or _positive(asked.get("MaxConcurrentTransforms")) or 1
        payload = transform.max_payload_mb
        if payload is None:
            wanted = _positive(asked.get("MaxPayloadInMB")) or DEFAULT_PAYLOAD_MB
            # Containers may ask for more than a request could.
            payload = max(1, min(wanted, LARGEST_PRODUCT_MB // self.concurrent))
        self.payload_mb = payload
        strategy = (transform.strategy or str(asked.get("BatchStrategy", ""))).replace("_", "").lower()
        self.single = strategy == "singlerecord"

    def __str__(self) -> str:
        strategy = "SINGLE_RECORD" if self.single else "MULTI_RECORD"
        return f"MaxConcurrentTransforms={self.concurrent}, MaxPayloadInMB={self.payload_mb}, BatchStrategy={strategy}"


def _asked(address: str) -> dict[str, object]:
    """What the container says to ``GET /execution-parameters``; nothing if it does not know that."""
    asking = connection(address, 10)
    try:
        answer = asking.request("GET", "/execution-parameters", {"connection": "close"})
        document = loads(answer.read().decode()) if answer.status == 200 else {}
    except (HttpError, ValueError):
        return {}
    finally:
        asking.close()
    return document if isinstance(document, dict) else {}


def _positive(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
