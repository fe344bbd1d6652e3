"""The answer of a container as the events that ``InvokeEndpointWithResponseStream`` sends.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html
"""

from __future__ import annotations

import json

from clary.edge.answer import UpstreamError
from clary.edge.upstream import Stream
from clary.wire.eventstream import encode_message

EVENT_STREAM = "application/vnd.amazon.eventstream"
_PART: dict[str, str | bytes | bool | int] = {
    ":message-type": "event",
    ":event-type": "PayloadPart",
    ":content-type": "application/octet-stream",
}


class PayloadParts:
    """An asynchronous iterator of encoded events; a container that breaks off ends it with ``ModelStreamError``."""

    def __init__(self, stream: Stream, variant: str) -> None:
        self._stream = stream
        self._variant = variant
        self._over = False

    def __aiter__(self) -> PayloadParts:
        return self

    async def __anext__(self) -> bytes:
        if self._over:
            raise StopAsyncIteration
        try:
            return encode_message(_PART, await anext(self._stream))
        except StopAsyncIteration:
            self._over = True
            raise
        except TimeoutError:
            return self._failed(
                "ModelInvocationTimeExceeded", f"The container {self._variant} took too long for the next part."
            )
        except UpstreamError as error:
            return self._failed("StreamBroken", f"The container {self._variant} broke off its answer: {error}.")

    def _failed(self, code: str, message: str) -> bytes:
        self._over = True
        headers: dict[str, str | bytes | bool | int] = {
            ":message-type": "exception",
            ":exception-type": "ModelStreamError",
            ":content-type": "application/json",
        }
        return encode_message(headers, json.dumps({"Message": message, "ErrorCode": code}).encode())

    async def aclose(self) -> None:
        """Ask the container for no more."""
        await self._stream.aclose()
