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
    from collections.abc import Callable, Iterator

    from clary.compute.spec import Transform

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
    """A connection to a model server, for one thread."""

    def __init__(self, address: str, transform: Transform, over: threading.Event) -> None:
        """``address`` is that of the event ``serving``; nothing is tried again once ``over`` is set."""
        self._connection = connection(address, transform.timeout_s)
        self._retries = transform.retries
        self._over = over
        given = {"content-type": transform.content_type, "accept": transform.accept}
        self._headers = {name: value for name, value in given.items() if value}

    def invoke(self, payload: bytes) -> bytes:
        """The answer to a payload. Raises ``InvocationError``."""
        connection, headers = self._connection, self._headers
        return self._tried(lambda: connection.request("POST", "/invocations", headers, payload), Answer.read)

    def stream(self, pieces: Callable[[], Iterator[bytes]], take: Callable[[Iterator[bytes]], None]) -> None:
        """Send a payload of any length in chunks; ``take`` gets the answer in pieces. Both may be called again.

        Raises ``InvocationError`` and what they raise.
        """

        def send() -> Answer:
            return self._connection.stream("POST", "/invocations", self._headers, pieces())

        def read(answer: Answer) -> bytes:
            take(answer.chunks())
            return b""

        self._tried(send, read)

    def close(self) -> None:
        """Let the server go."""
        self._connection.close()

    def _tried(self, send: Callable[[], Answer], take: Callable[[Answer], bytes]) -> bytes:
        pause = FIRST_PAUSE_S
        for left in range(self._retries, -1, -1):
            try:
                answer = send()
                if answer.status < 300:
                    return take(answer)
                error = _refusal(answer)
            except HttpError:
                self._connection.close()
                error = InvocationError("algorithm", ["Unable to get response from algorithm"], unanswered=True)
            if error.reason == "client" or not left or self._over.wait(pause):
                break
            pause *= 2
        raise error


def connection(address: str, timeout: float) -> Connection:
    """A connection to ``unix:/path`` or ``tcp:127.0.0.1:port``."""
    return Connection(address if address.startswith("unix:") else f"http://{address[4:]}", timeout)


def _refusal(answer: Answer) -> InvocationError:
    body = answer.read()[:LONGEST_MESSAGE].decode("utf-8", "replace")
    client = 400 <= answer.status < 500
    first = f"ClientError: {answer.status}" if client else f"Bad HTTP status received from algorithm: {answer.status}"
    return InvocationError("client" if client else "algorithm", [first, "", "Message:", *body.splitlines()])


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
