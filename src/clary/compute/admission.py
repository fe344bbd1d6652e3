"""Decide whether a job may start now. Instance types are wishes; only memory and the number of jobs are really
counted."""

from __future__ import annotations

import functools
import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clary.core.settings import Settings

GIB = 1 << 30
FIRST_ESTIMATE = GIB
"""Bytes that a job is counted with, whatever its instance type would have: most use far less than their type offers."""


@dataclass(frozen=True)
class InstanceType:
    """What an instance type offers; ``memory`` in bytes."""

    name: str
    cores: int
    memory: int
    gpus: int


@dataclass(frozen=True)
class Machine:
    """What there is: cores, memory in bytes, GPUs, and how many jobs may run at once."""

    cores: int
    memory: int
    gpus: int = 0
    max_jobs: int = 0

    @property
    def jobs(self) -> int:
        return self.max_jobs or 2 * self.cores


@dataclass(frozen=True)
class Request:
    """What a job or one host of an endpoint asks for."""

    id: str
    kind: str = "job"
    """``job`` or ``server``; only jobs are limited in number."""
    instance_type: str = ""
    memory: int = FIRST_ESTIMATE
    """Bytes that are counted for each host."""
    hosts: int = 1
    """On how many hosts it runs, all of them on this machine and at the same time."""


@dataclass(frozen=True)
class Admitted:
    """It may start. ``cores`` and ``memory`` are the limits of each host; ``notes`` say where they are less than the
    instance type's."""

    cores: int
    memory: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """It must wait, for this reason."""

    reason: str


@dataclass(frozen=True)
class Refused:
    """It can never start here (strict mode), for this reason."""

    reason: str


def this_machine(settings: Settings) -> Machine:
    """What this machine has, within the settings' limits."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if settings.memory_mb:
        memory = min(memory, settings.memory_mb << 20)
    gpus = sum(each.name.removeprefix("nvidia").isdigit() for each in Path("/dev").glob("nvidia*"))
    return Machine(cores, memory, gpus, settings.max_jobs)


def admit(
    request: Request, running: Iterable[Request], machine: Machine, *, strict: bool = False
) -> Admitted | Waiting | Refused:
    """Whether ``request`` may start beside ``running`` on ``machine``.

    A request larger than the machine is cut down to it, and said so; with ``strict`` a GPU type without a GPU is
    refused.
    """
    others = [each for each in running if each.id != request.id]
    notes: list[str] = []
    cores, memory = max(1, machine.cores // request.hosts), machine.memory // request.hosts
    if request.hosts > 1:
        notes.append(f"The {request.hosts} instances of the job share this machine.")
    if request.instance_type:
        wish = instance_type(request.instance_type)
        if wish is None:
            notes.append(
                f"The instance type {request.instance_type} is not known here; the job gets this machine's cores"
                " and memory."
            )
        else:
            if wish.gpus > machine.gpus:
                has = f"{machine.gpus} GPUs" if machine.gpus else "no GPU"
                reason = (
                    f"The instance type {wish.name} has {wish.gpus} GPU{'s' * (wish.gpus > 1)} and this machine has"
                    f" {has}"
                )
                if strict:
                    return Refused(f"{reason}; strict mode refuses to run it without.")
                notes.append(f"{reason}; the job runs with what there is.")
            if wish.cores > machine.cores:
                notes.append(
                    f"The instance type {wish.name} has {wish.cores} vCPUs and this machine has {machine.cores}."
                )
            if wish.memory > machine.memory:
                notes.append(
                    f"The instance type {wish.name} has {_gib(wish.memory)} of memory and this machine has"
                    f" {_gib(machine.memory)}."
                )
            cores, memory = min(cores, wish.cores), min(memory, wish.memory)
    jobs = sum(each.hosts for each in others if each.kind == "job")
    # Alone, it starts on however many hosts.
    if jobs and jobs + request.hosts > machine.jobs and request.kind == "job":
        return Waiting(
            f"{jobs} jobs are running, and {machine.jobs} may run at once; the job starts when one of them has ended."
        )
    counted = min(request.memory, memory) * request.hosts
    # Endpoints stay for long: were theirs counted in full, they could keep jobs waiting for ever.
    servers = min(sum(each.memory for each in others if each.kind == "server"), machine.memory // 2)
    used = sum(each.memory * each.hosts for each in others if each.kind != "server") + servers
    if used + counted > machine.memory and any(
        each.kind == "job" for each in others
    ):  # alone, it starts however large it is
        left = max(machine.memory - used, 0)
        return Waiting(
            f"The {request.kind} asks for {_gib(counted)} of memory and {_gib(left)} are free; it starts when"
            " others have ended."
        )
    return Admitted(cores, memory, tuple(notes))


def instance_type(name: str) -> InstanceType | None:
    """What ``ml.m5.large`` offers; None if the type is not known. The prefix ``ml.`` may be absent."""
    families, sizes, types = _table()
    short = name.removeprefix("ml.")
    if short in types:
        cores, memory, gpus = types[short]
        return InstanceType(name, int(cores), int(memory * GIB), int(gpus))
    family, _, size = short.partition(".")
    if family not in families or size not in sizes:
        return None
    cores = families[family][0] * sizes[size]
    return InstanceType(name, int(cores), int(cores * families[family][1] * GIB), 0)


@functools.cache
def _table() -> tuple[dict[str, list[float]], dict[str, int], dict[str, list[float]]]:
    document = tomllib.loads(Path(__file__).with_name("instances.toml").read_text("utf-8"))
    return document["families"], document["sizes"], document["types"]


def _gib(memory: int) -> str:
    return f"{memory / GIB:.1f} GiB"
