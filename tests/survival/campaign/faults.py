"""The faults: processes killed and held up, clocks set, a database that goes and comes back, a disk that gets full."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clary.testing.postgresql import PostgreSQL
from clary.testing.small_disk import fill

from .serving import ENDPOINT
from .site import Site

MOMENTS = ("", "begun", "step", "part", "created", "stopping", "deploying", "answer", "ended")
MOMENT_S = 3.0
"""How long a fault waits for its moment; then it comes without."""
MOST_DEATHS = 2
"""How often the agent of a job is killed: the third death is its end."""
HELD_UP_S = 34.0
"""Longer than a lease of a control process lasts."""
FURTHEST_S = 300.0
"""How far the clock is set: AWS's clients, whose clock stays, are believed for 15 minutes."""


class Faults:
    """Those that a seed chooses, one after the other."""

    def __init__(self, site: Site, kinds: Sequence[str], database: PostgreSQL | None) -> None:
        """``kinds`` are names of methods; those that are named more often come more often."""
        self._site = site
        self._plant = site.plant
        self._database = database
        self._furthest = 0.0
        self.schedule = _schedule(site.seed, kinds)

    def run(self, count: int) -> None:
        """Do so many of them, each at its moment."""
        for number, (moment, pause, kind, chance) in enumerate(self.schedule):
            if number == count:
                break
            if moment:
                self._site.moments.await_next(moment, MOMENT_S)
            # The moment is the very thing that is tried here; there is no condition to wait for.
            time.sleep(pause)
            print(f"{time.strftime('%H:%M:%S')} {kind} after {moment or 'anything'}", flush=True)
            getattr(self, kind)(chance)
            if chance.random() < 0.7:
                self._plant.await_health()
        self._plant.await_health()

    def set_right(self) -> None:
        """The clock is right again; it has not gone back since anything was written."""
        self._set_clock(self._furthest)

    # -- of the platform

    def edge(self, _: random.Random) -> None:
        self._kill("edge")

    def control(self, chance: random.Random) -> None:
        self._kill(chance.choice(self._plant.installation.settings.control_names))

    def both(self, _: random.Random) -> None:
        self._kill("edge", *self._plant.installation.settings.control_names)

    def supervisor(self, _: random.Random) -> None:
        self._kill("supervisor")
        self._plant.up()

    def everything(self, _: random.Random) -> None:
        self._kill("supervisor", "edge", *self._plant.installation.settings.control_names)
        self._plant.up()

    def held_up(self, chance: random.Random) -> None:
        """A control process stands still for longer than its leases last, and goes on as if nothing had been."""
        self._stand_still(chance.choice(self._plant.installation.settings.control_names), HELD_UP_S)

    def slow(self, chance: random.Random) -> None:
        """A process stands still for a moment."""
        names = ("edge", *self._plant.installation.settings.control_names)
        self._stand_still(chance.choice(names), chance.uniform(0.1, 2.0))

    def _stand_still(self, name: str, seconds: float) -> None:
        with contextlib.suppress(ProcessLookupError):
            pid = self._plant.pid(name)
            os.kill(pid, signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                os.kill(pid, signal.SIGCONT)

    def _kill(self, *names: str) -> None:
        """Kill -9, all as close together as it goes, whichever of them live."""
        own = self._plant.processes()
        for pid in [self._plant.pid(name) for name in names]:
            _kill(pid, own)
        self._plant.reap()

    # -- of what is around it

    def clock(self, chance: random.Random) -> None:
        """The clock of the platform is set, forward or back."""
        self._set_clock(round(chance.uniform(-FURTHEST_S, FURTHEST_S), 3))

    def _set_clock(self, seconds: float) -> None:
        self._furthest = max(self._furthest, seconds)
        self._plant.set_clock(seconds)

    def database(self, chance: random.Random) -> None:
        """The database dies, and comes back after a while."""
        assert self._database is not None
        self._database.kill()
        time.sleep(chance.uniform(0, 3))
        self._database.start()

    def disk(self, chance: random.Random) -> None:
        """The disk gets full, and has room again after a while. What is at work meanwhile may fail of it."""
        ballast, begun = self._plant.home.parent / "ballast", len(self._site.jobs)
        self._hit_by_disk(ENDPOINT, *(job.name for job in self._site.jobs if self._site.ended(job) is None))
        self._site.disk_is_full.set()
        try:
            fill(ballast)
            time.sleep(chance.uniform(0, 3))
        finally:
            ballast.unlink()
        self._hit_by_disk(ENDPOINT, *(job.name for job in self._site.jobs[begun:]))
        self._site.disk_is_full.clear()

    def _hit_by_disk(self, *names: str) -> None:
        for name in names:
            self._site.hits[name]["disk"] += 1

    # -- of jobs and servers

    def agent(self, chance: random.Random) -> None:
        """An agent dies."""
        self._strike(chance, "agent", lambda folder: _first_word(folder / "lock"))

    def process(self, chance: random.Random) -> None:
        """The program of a job, or a model server, dies."""
        self._strike(chance, "process", lambda folder: _first_word(folder / "process"))

    def standby(self, _: random.Random) -> None:
        """What waits for a job dies."""
        own = self._plant.processes()
        for lock in (self._plant.home / "pools").glob("*/*/lock"):
            _kill(_first_word(lock), own)

    def _strike(self, chance: random.Random, what: str, pid_of: Callable[[Path], int]) -> None:
        own = self._plant.processes()
        folders = [self._plant.placement.folder(job) for job in self._plant.placement.list()]
        chance.shuffle(folders)
        for folder in folders:
            name = _name(folder)
            if name and self._site.hits[name][what] < MOST_DEATHS and (pid := pid_of(folder)) in own:
                self._site.hits[name][what] += 1
                _kill(pid, own)
                print(f"  that of {name} ({folder.name})", flush=True)
                return


def _schedule(seed: int, kinds: Sequence[str]) -> list[tuple[str, float, str, random.Random]]:
    """What a seed decides: for each fault its moment, how many seconds after it, which, and its own chance."""
    chance = random.Random(seed)
    return [
        (chance.choice(MOMENTS), chance.uniform(0, 1.0), chance.choice(kinds), random.Random(chance.random()))
        for _ in range(1000)
    ]


def _kill(pid: int, own: dict[int, str]) -> None:
    """Kill a process if it belongs to the installation."""
    if pid in own:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _first_word(file: Path) -> int:
    try:
        return int(file.read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _name(folder: Path) -> str:
    """What the workloads call the job of a folder."""
    try:
        environment: dict[str, Any] = json.loads((folder / "spec.json").read_bytes())["environment"]
    except (OSError, ValueError, KeyError):
        return ""
    return str(environment.get("TRAINING_JOB_NAME") or environment.get("RUN") or environment.get("ANSWER") or "")
