"""Why a job failed, in the words and exit codes that the platform understands."""

from __future__ import annotations

from pathlib import Path

SUCCESS = 0
ALGORITHM_FAILED = 1
USER_ERROR = 2
"""What the built-in algorithms leave with when the user can prevent it; ``FailureReason`` ends ``exit code: 2``."""

REASON_LIMIT = 1024


class UserError(Exception):
    """A failure that the user can prevent: a hyperparameter, a channel, the data."""


def write_failure(path: Path, reason: str) -> None:
    """Leave ``reason`` for ``FailureReason``, of which the platform shows the first 1,024 characters.

    A file that is already there (the user's script may write its own) is kept.
    Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(reason)
    except FileExistsError:
        print("Failure file exists. Skipping creation....", flush=True)


def shorten(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters, its middle left out: the beginning and the end say most."""
    if len(text) <= limit:
        return text
    mark = "\n...\n"
    head = (limit - len(mark)) // 3
    return text[:head] + mark + text[len(text) - (limit - len(mark) - head) :]
