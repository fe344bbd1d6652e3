"""The other agents of a job, as one of them sees them: what they say, when they end, and what they leave.

SageMaker makes one archive of what all hosts write to ``/opt/ml/model``, and one of ``/opt/ml/output/data``.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
"""

from __future__ import annotations

import os
import time

from clary.compute.agent.beneath import open_folder
from clary.compute.agent.documents import loads
from clary.compute.agent.folder import JobFolder
from clary.core.locks import is_held

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

LOOK_S = 0.02
_LAST = ("completed", "failed", "stopped")


def await_end(peers: Sequence[str], attempt: int) -> None:
    """Wait until this attempt has ended in all of these folders."""
    for peer in peers:
        while not has_ended(last_event(peer, attempt)):
            time.sleep(LOOK_S)


def folders_of(peers: Sequence[str], name: str) -> list[int]:
    """Descriptors of the folder ``name`` (relative to ``/opt/ml``) of other hosts, of those that have it."""
    found = []
    for peer in peers:
        try:
            found.append(open_folder(JobFolder(peer), name))
        except (OSError, ValueError):
            continue  # it made a link of it that leads elsewhere
    return found


def last_event(peer: str, attempt: int) -> dict[str, Any]:
    """What the agent of that folder has said last in this attempt; empty if nothing."""
    try:
        with open(os.path.join(peer, "events.jsonl"), encoding="utf-8") as file:
            last = loads(file.read().rstrip("\n").rpartition("\n")[2])
        return last if last["attempt"] == attempt else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # not begun, or in the middle of a line


def is_alive(peer: str) -> bool:
    """Whether the agent of that folder holds its lock."""
    return is_held(os.path.join(peer, "lock"))


def has_ended(event: dict[str, Any]) -> bool:
    """Whether an event is the last of its attempt."""
    return event.get("event") in _LAST
