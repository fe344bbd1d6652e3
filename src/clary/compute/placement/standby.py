"""Standbys: agents with a process that has imported everything and waits for its job.

A sandbox cannot be entered by a process that is already running, so none is shared: each standby has a sandbox of its
own and runs one job at most, as any other process does. ``docs/decisions`` says why this is no fork server. A standby
lives as long as the process that made it: the pipe over which it would be given its job tells it when that is gone.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from clary.compute.agent.process import kill_leftovers
from clary.compute.placement.deleting import delete
from clary.compute.spec import JobSpec

log = logging.getLogger(__name__)

_READY = "ready"
"""The file that says that a standby could start at once."""
_OWN = frozenset({"spec.json", "place.json", "ticket", "launch", _READY})
"""What is not moved into the folder of a standby's job."""


@dataclass(frozen=True)
class Standby:
    """An agent that waits. ``alike`` is what a job must be to be run by it."""

    folder: Path
    pipe: int
    alike: JobSpec


class Standbys:
    """The standbys of this process, one a pool, below the folder ``root``."""

    def __init__(self, root: Path, is_alive: Callable[[Path], bool]) -> None:
        """``is_alive`` tells whether the agent of a folder lives."""
        self._root = root
        self._is_alive = is_alive
        self._waiting: dict[str, Standby] = {}
        self._lock = threading.Lock()

    def cache(self, pool: str) -> Path:
        """The folder that the jobs of a pool share, one after the other."""
        folder = self._root / pool / "cache"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def add(self, spec: JobSpec, start: Callable[[Path, JobSpec, int], None]) -> None:
        """Have a standby for the jobs of ``spec.pool`` unless there is one.

        ``start`` starts the agent in a folder, with the descriptor over which it will hear of its job.
        """
        alike = _alike(spec)
        with self._lock:
            there = self._waiting.get(spec.pool)
            if there is not None and there.alike == alike and self._is_alive(there.folder):
                return
            if there is not None:
                self._end(self._waiting.pop(spec.pool))
            folder = self._root / spec.pool / uuid.uuid4().hex[:8]
            folder.mkdir(mode=0o700, parents=True)
            reader, writer = os.pipe()
            try:
                start(folder, alike, reader)
            except BaseException:
                os.close(writer)
                shutil.rmtree(folder, ignore_errors=True)
                raise
            finally:
                os.close(reader)
            self._waiting[spec.pool] = Standby(folder, writer, alike)

    def take(self, spec: JobSpec) -> Standby | None:
        """The standby that can run ``spec`` at once, and is nobody else's from here on; None if there is none."""
        with self._lock:
            standby = self._waiting.get(spec.pool)
            if standby is None or not (standby.folder / _READY).exists():
                return None  # one that is still importing is left to the job after this one: it would gain little
            del self._waiting[spec.pool]
        if standby.alike == _alike(spec) and self._is_alive(standby.folder):
            return standby
        self._end(standby)
        return None

    def move(self, standby: Standby, folder: Path) -> None:
        """Put what belongs to a standby into the folder of its job."""
        for each in standby.folder.iterdir():
            if each.name not in _OWN:
                each.rename(folder / each.name)
        shutil.rmtree(standby.folder, ignore_errors=True)

    def tell(self, standby: Standby, folder: Path) -> bool:
        """Let a standby begin with the job of ``folder``; false if it has ended."""
        try:
            os.write(standby.pipe, os.fsencode(folder) + b"\n")
        except OSError:
            return False
        finally:
            os.close(standby.pipe)
        return True

    def end(self, pool: str) -> None:
        """End the standby of a pool, and forget what its jobs have shared."""
        with self._lock:
            standby = self._waiting.pop(pool, None)
        if standby is not None:
            self._end(standby)
        _forget(self._root / pool)

    def end_all(self) -> None:
        """End all of them, and remove what an earlier process has left, whose standbys have ended with it."""
        with self._lock:
            pools = list(self._waiting)
        for pool in pools:
            self.end(pool)
        _forget(self._root)

    def _end(self, standby: Standby) -> None:
        with contextlib.suppress(OSError):
            os.close(standby.pipe)
        kill_leftovers(str(standby.folder.resolve()))
        shutil.rmtree(standby.folder, ignore_errors=True)


def _forget(folder: Path) -> None:
    """Delete a pool's folder, or all of them; what cannot be deleted now is when the next process starts."""
    try:
        delete(folder)
    except OSError:
        log.exception("%s cannot be deleted", folder)


def _alike(spec: JobSpec) -> JobSpec:
    """What jobs must have in common to be run by the same standby."""
    return replace(
        spec,
        id="standby",
        attempt=1,
        command=[],
        environment={},
        files={},
        inputs=[],
        outputs=[],
        metrics=[],
        requirements=None,
        notes=[],
        image=replace(spec.image, uri="", notes=[]),
        limits=replace(spec.limits, max_runtime_s=None),
    )
