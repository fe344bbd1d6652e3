"""What is wrong with an installation, as one line and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning"]
MOST_NAMED = 5
"""Resources that a line names; of the others it tells how many they are."""


@dataclass(frozen=True)
class Affected:
    """A resource that a problem is about: ``kind`` is ``TrainingJob``, ``Endpoint``, ``Alarm`` and so on."""

    kind: str
    name: str
    region: str


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: an ``error`` keeps something from working, a ``warning`` may come to that."""

    severity: Severity
    code: str
    """Which problem it is, for programs: ``FailedJobs``."""
    text: str
    remedy: str
    resources: tuple[Affected, ...] = ()
    count: int = 0
    """How many resources there are, where more than the named ones."""


def named(resources: tuple[Affected, ...], count: int) -> str:
    """``a, b and 3 more``."""
    shown = ", ".join(each.name for each in resources[:MOST_NAMED])
    return f"{shown} and {count - MOST_NAMED} more" if count > MOST_NAMED else shown


def read(document: dict[str, Any]) -> Problem:
    """A problem that another process has told as JSON."""
    return Problem(**{**document, "resources": tuple(Affected(**each) for each in document["resources"])})
