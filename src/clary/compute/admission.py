"""What a job gets of this machine. Instance types are wishes; only memory and hosts are really counted."""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from clary.core.settings import Settings

GIB = 1 << 30
ESTIMATE = GIB
"""Bytes that a host is counted with, whatever its type would have: most use far less than their type offers."""


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
    def places(self) -> int:
        """On how many hosts jobs may run at once, at least one. Those of endpoints are not counted: they stay for long,
        and could keep jobs waiting for ever."""
        return max(1, min(self.max_jobs or 2 * self.cores, self.memory // ESTIMATE))


@dataclass(frozen=True)
class Admitted:
    """It may start. ``cores`` and ``memory`` are the limits of each host; ``notes`` say where they are less than the
    instance type's."""

    cores: int
    memory: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """It can never start here (strict mode), for this reason."""

    reason: str


def this_machine(settings: Settings) -> Machine:
    """What this machine has, within the settings' limits."""
    return _this_machine(settings.memory_mb, settings.max_jobs)


@functools.cache
def _this_machine(memory_mb: int, max_jobs: int) -> Machine:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if memory_mb:
        memory = min(memory, memory_mb << 20)
    gpus = sum(each.name.removeprefix("nvidia").isdigit() for each in Path("/dev").glob("nvidia*"))
    return Machine(cores, memory, gpus, max_jobs)


def admit(type_name: str, hosts: int, machine: Machine, *, strict: bool = False) -> Admitted | Refused:
    """What each of so many hosts of an instance type (or of none: ``""``) gets, all of them on ``machine``.

    A type larger than the machine is cut down to it, and said so; with ``strict`` a GPU type without a GPU is refused.
    """
    notes: list[str] = []
    cores, memory = max(1, machine.cores // hosts), machine.memory // hosts
    if hosts > 1:
        notes.append(f"The {hosts} instances of the job share this machine.")
    if type_name:
        wish = instance_type(type_name)
        if wish is None:
            notes.append(
                f"The instance type {type_name} is not known here; the job gets this machine's cores and memory."
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
