"""Admission: pure decisions."""

from __future__ import annotations

import pytest

from clary.compute.admission import (
    GIB,
    Admitted,
    Machine,
    Refused,
    Request,
    Waiting,
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
    decision = admit(Request("a", instance_type="ml.z9.huge"), [], MACHINE)
    assert isinstance(decision, Admitted)
    assert (decision.cores, decision.memory) == (2, 8 * GIB)
    assert "not known here" in decision.notes[0]


def test_a_large_type_is_cut_down_and_said_so() -> None:
    decision = admit(Request("a", instance_type="ml.m5.4xlarge"), [], MACHINE)
    assert isinstance(decision, Admitted)
    assert (decision.cores, decision.memory) == (2, 8 * GIB)
    assert len(decision.notes) == 2


def test_gpu_types_run_without_or_are_refused() -> None:
    request = Request("a", instance_type="ml.g4dn.xlarge")
    decision = admit(request, [], MACHINE)
    assert isinstance(decision, Admitted)
    assert "no GPU" in decision.notes[0]
    assert isinstance(admit(request, [], MACHINE, strict=True), Refused)
    assert admit(request, [], Machine(4, 16 * GIB, gpus=1), strict=True) == Admitted(4, 16 * GIB)


def test_a_full_machine_queues_and_says_why() -> None:
    running = [Request(f"r{index}") for index in range(4)]
    decision = admit(Request("a"), running, MACHINE)
    assert isinstance(decision, Waiting)
    assert "4 jobs are running" in decision.reason
    assert isinstance(admit(Request("r0"), running, MACHINE), Admitted), (
        "one that runs already does not wait for itself"
    )
    decision = admit(Request("a", memory=4 * GIB), [Request("b", memory=6 * GIB)], MACHINE)
    assert isinstance(decision, Waiting)
    assert "2.0 GiB are free" in decision.reason


def test_servers_never_keep_jobs_waiting_for_ever() -> None:
    servers = [Request(f"s{index}", kind="server", memory=4 * GIB) for index in range(20)]
    assert isinstance(admit(Request("a", memory=8 * GIB), servers, MACHINE), Admitted)
    assert isinstance(admit(Request("s20", kind="server"), servers, MACHINE), Admitted)


def test_this_machine(tmp_path: object) -> None:
    from pathlib import Path

    machine = this_machine(Settings(home=Path("/x"), cache=Path("/x"), memory_mb=512, max_jobs=3))
    assert machine.cores >= 1
    assert (machine.memory, machine.jobs) == (512 << 20, 3)
