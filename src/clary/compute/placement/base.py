"""What every placement does: start an agent somewhere, see how it is doing, stop it, forget it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from clary.compute.spec import JobSpec

TERMINAL = frozenset({"completed", "failed", "stopped"})
"""Events after which an attempt does nothing more."""


class PlacementError(Exception):
    """An agent cannot be started; the message says what to do."""


class StaleAttempt(PlacementError):
    """A later attempt of the job has been launched already."""


@dataclass(frozen=True)
class Observation:
    """What is known of a job's latest attempt.

    ``alive`` and no terminal event: it is under way. Neither alive nor a terminal event, but ``started``: its agent
    died, and a new
    attempt (or a failure) is due. Not started: it was never launched, or the machine stopped in between; launch it
    (again).
    """

    id: str
    alive: bool = False
    started: bool = False
    attempt: int = 0
    events: Sequence[Mapping[str, Any]] = field(default_factory=tuple)

    @property
    def last(self) -> Mapping[str, Any] | None:
        """The newest event, or None."""
        return self.events[-1] if self.events else None

    @property
    def terminal(self) -> Mapping[str, Any] | None:
        """The event that ended the attempt (``completed``, ``failed``, ``stopped``), or None while there is none."""
        last = self.last
        return last if last is not None and last.get("event") in TERMINAL else None

    @property
    def lost(self) -> bool:
        """Whether the agent died without a word."""
        return self.started and not self.alive and self.terminal is None

    def due_again(self, now: float) -> bool:
        """Whether a server that is to go on for ever is to be launched again, at ``now`` seconds since the epoch."""
        if self.terminal is None:
            return self.lost or not self.started
        # It gave up after its agent had started it again. The pause grows each time, for the cause may be lasting.
        pause: int = min(60, 2 ** min(self.attempt, 6))
        # Also where the end lies in the future: the clock was set back.
        return abs(now - float(self.terminal["time"])) >= pause

    def latest(self, event: str) -> Mapping[str, Any] | None:
        """The newest event of that name, or None."""
        return next((each for each in reversed(self.events) if each.get("event") == event), None)

    @property
    def address(self) -> str | None:
        """Where a server listens now: ``unix:/path`` or ``tcp:127.0.0.1:port``; None unless it is serving."""
        for each in reversed(self.events):
            if each.get("event") == "serving":
                return str(each["address"]) if self.alive else None
            if each.get("event") in ("unhealthy", "restarted", *TERMINAL):
                return None
        return None


class Placement(Protocol):
    """Somewhere that agents can run. Every method may be called again at any time, also after a crash of the caller."""

    name: str

    def launch(self, spec: JobSpec, ticket: str) -> None:
        """Start the agent of ``(spec.id, spec.attempt)``, unless that was done before.

        An earlier attempt is killed first. ``ticket`` is what the agent trades for the job's temporary credentials.
        Returns as soon
        as the agent holds its lock. Raises ``StaleAttempt`` and ``PlacementError``.
        """

    def prepare(self, spec: JobSpec) -> None:
        """Have a standby for jobs like ``spec`` in its ``pool``: what differs between them is left aside.

        Where standbys cannot be had, nothing happens. Raises ``PlacementError``.
        """

    def retire(self, pool: str) -> None:
        """End the standby of a pool, and forget the cache of its jobs."""

    def retire_all(self) -> None:
        """The same for all pools."""

    def observe(self, id: str) -> Observation:
        """What the agent has reported; an unknown id gives an observation with nothing in it."""

    def stop(self, id: str) -> None:
        """Ask the job to end: SIGTERM, the grace period, SIGKILL; its outputs are still uploaded. Returns at once."""

    def remove(self, id: str, *, keep_log: bool = False) -> None:
        """Kill whatever is left of the job and delete its folder; with ``keep_log`` its ``log``, ``data-log`` and
        ``metrics.jsonl`` stay."""

    def volumes(self) -> Sequence[str]:
        """The names of all volumes here."""

    def fill(self, volume: str, write: Callable[[Path], None]) -> None:
        """Make a volume of what ``write`` puts into the empty folder that it is given; one that is there stays as it
        is. The volume is there as a whole and on the disk, or not at all: what ``write`` raises is raised."""

    def discard(self, volume: str) -> None:
        """Delete a volume with all that is in it, unless there is none of that name. No job uses it any more."""

    def list(self) -> Sequence[str]:
        """Ids of all jobs that have a folder here."""

    def log(self, id: str) -> Path:
        """The job's log file: lines ``<epoch milliseconds> <text>``. It may not exist yet. Beside it a batch transform
        has a second one, ``data-log``."""

    def usage(self, id: str) -> Mapping[int, Mapping[str, float]]:
        """What the job used of its instance while it ran, in all of its attempts: by the beginning of each of the last
        minutes, in seconds since the epoch, ``CPUUtilization`` and the like in percent. Nothing after ``remove``."""

    def metrics(self, id: str) -> Path:
        """The job's metrics file: JSON lines ``{"name", "value", "time"}``. It may not exist yet."""
