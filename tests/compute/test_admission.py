"""Admission: pure decisions."""

from __future__ import annotations

import pytest

from clary.compute.admission import (
    GIB,
    Admitted,
    Machine,
    Refused,
    admit,
    instance_type,
    this_machine,
)
from clary.core.settings import Settings

MACHINE = Machine(cores=2, memory=8 * GIB)


@pytest.mark.parametrize(
    ("name", "cores", "memory", "gpus"),
    [
        ("ml.m5.large", 2, 8, 0),
        ("ml.m5.24xlarge", 96, 384, 0),
        ("ml.c5.xlarge", 4, 8, 0),
        ("ml.c5.18xlarge", 72, 144, 0),
        ("ml.r5.2xlarge", 8, 64, 0),
        ("ml.t3.medium", 2, 4, 0),
        ("ml.p3.2xlarge", 8, 61, 1),
        ("ml.g5.12xlarge", 48, 192, 4),
    ],
)
def test_instance_types(name: str, cores: int, memory: int, gpus: int) -> None:
    found = instance_type(name)
    assert found is not None
    assert (found.name, found.cores, found.memory, found.gpus) == (name, cores, memory * GIB, gpus)


def test_an_unknown_type_gets_the_machine() -> None:
    assert instance_type("ml.z9.huge") is None
    decision = admit("ml.z9.huge", 1, MACHINE)
    assert isinstance(decision, Admitted)
    assert (decision.cores, decision.memory) == (2, 8 * GIB)
    assert "not known here" in decision.notes[0]


def test_a_large_type_is_cut_down_and_said_so() -> None:
    decision = admit("ml.m5.4xlarge", 1, MACHINE)
    assert isinstance(decision, Admitted)
    assert (decision.cores, decision.memory) == (2, 8 * GIB)
    assert len(decision.notes) == 2


def test_hosts_share_the_machine() -> None:
    decision = admit("", 4, MACHINE)
    assert decision == Admitted(1, 2 * GIB, ("The 4 instances of the job share this machine.",))


def test_gpu_types_run_without_or_are_refused() -> None:
    decision = admit("ml.g4dn.xlarge", 1, MACHINE)
    assert isinstance(decision, Admitted)
    assert "no GPU" in decision.notes[0]
    assert isinstance(admit("ml.g4dn.xlarge", 1, MACHINE, strict=True), Refused)
    assert admit("ml.g4dn.xlarge", 1, Machine(4, 16 * GIB, gpus=1), strict=True) == Admitted(4, 16 * GIB)


@pytest.mark.parametrize(
    ("machine", "places"),
    [
        (Machine(2, 8 * GIB), 4),
        (Machine(2, 8 * GIB, max_jobs=7), 7),
        (Machine(2, 3 * GIB, max_jobs=7), 3),
        (Machine(2, GIB // 2), 1),
    ],
)
def test_places_are_as_many_as_cores_settings_and_memory_give(machine: Machine, places: int) -> None:
    assert machine.places == places


def test_this_machine(tmp_path: object) -> None:
    from pathlib import Path

    machine = this_machine(Settings(home=Path("/x"), cache=Path("/x"), memory_mb=512, max_jobs=3))
    assert machine.cores >= 1
    assert (machine.memory, machine.max_jobs, machine.places) == (512 << 20, 3, 1)
