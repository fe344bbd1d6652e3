"""What functions of a script are told that ask for a context.

Reference: https://github.com/pytorch/serve/blob/master/ts/context.py
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Context:
    """The server, and some headers of the one request that is answered; there are none while the model is loaded."""

    def __init__(self, model_dir: str, headers: Mapping[str, str] | None = None) -> None:
        self.system_properties: dict[str, Any] = {"model_dir": model_dir, "gpu_id": None}
        self.manifest: dict[str, Any] = {}
        self.request_processor: list[Any] = []
        self._requests = [headers or {}]

    def get_request_header(self, idx: int, key: str) -> str | None:
        """The header ``X-Amzn-SageMaker-Custom-Attributes`` or ``traceparent`` of request 0; upper or lower case is the
        same. ``None`` where the request has none. Raises ``IndexError`` for another ``idx``."""
        return self._requests[idx].get(key.lower())

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        """Both of them, as far as they are there."""
        return dict(self._requests[idx])
