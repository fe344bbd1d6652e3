"""The other hosts of a job, as the agent of the first one sees them: when they end, and what they leave.

SageMaker makes one archive of what all hosts write to ``/opt/ml/model``, and one of ``/opt/ml/output/data``.
Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-output.html
"""

from __future__ import annotations

import os
import time

from clary.compute.agent.documents import loads
from clary.compute.agent.folder import JobFolder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

LOOK_S = 0.02
_LAST = ("completed", "failed", "stopped")


def await_end(peers: Sequence[str], attempt: int) -> None:
    """Wait until this attempt has ended in all of these folders."""
    for peer in peers:
        while not _ended(os.path.join(peer, "events.jsonl"), attempt):
            time.sleep(LOOK_S)


def folders_of(peers: Sequence[str], name: str) -> list[str]:
    """Where the folder ``name`` (relative to ``/opt/ml``) of other hosts lies, of those that have it."""
    found = []
    for peer in peers:
        try:
            path = JobFolder(peer).real_path(name)
        except (OSError, ValueError):
            continue  # it made a link of it that leads elsewhere
        if os.path.isdir(path):
            found.append(path)
    return found


def _ended(journal: str, attempt: int) -> bool:
    try:
        with open(journal, encoding="utf-8") as file:
            last = loads(file.read().rstrip("\n").rpartition("\n")[2])
        return last["attempt"] == attempt and last["event"] in _LAST
    except (OSError, ValueError, KeyError, TypeError):
        return False  # not begun, or in the middle of a line
