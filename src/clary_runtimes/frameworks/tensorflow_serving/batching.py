"""How requests share a prediction, by the variables of Amazon's container.

Reference: https://github.com/aws/sagemaker-tensorflow-serving-container#enabling-batching
"""

from __future__ import annotations

from collections.abc import Mapping

from clary_runtimes.contract.errors import UserError
from clary_runtimes.serving.request import Batching


def batching(environ: Mapping[str, str]) -> Batching | None:
    """With ``SAGEMAKER_TFS_ENABLE_BATCHING``: ``SAGEMAKER_TFS_MAX_BATCH_SIZE`` requests (8), for which the first waits
    ``SAGEMAKER_TFS_BATCH_TIMEOUT_MICROS`` (1,000). Raises ``UserError`` for what is no such number."""
    enabled = environ.get("SAGEMAKER_TFS_ENABLE_BATCHING", "false").lower()
    if enabled not in ("true", "false"):
        raise UserError("SAGEMAKER_TFS_ENABLE_BATCHING must be 'true' or 'false'")
    if enabled == "false":
        return None
    requests = _whole(environ, "SAGEMAKER_TFS_MAX_BATCH_SIZE", 8)
    return Batching(max(1, requests), _whole(environ, "SAGEMAKER_TFS_BATCH_TIMEOUT_MICROS", 1000) / 1_000_000)


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, str(default)).strip()
    if not (text.isascii() and text.isdecimal()):
        raise UserError(f"{name} must be a whole number, and it is {text!r}")
    return int(text)
