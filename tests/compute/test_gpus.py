"""What a job uses of GPUs, read from a stand-in of the driver's library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gpu_trial
import pytest
from gpu_trial import GIB, LOST, NO_PERMISSION, NOT_SUPPORTED, Driver, Gpu

from clary.compute.agent import gpus
from clary.compute.agent.gpus import NOT_AVAILABLE, SPARE, Gpus, library
from clary.compute.placement import local
from clary.testing.contracts.jobs import Jobs, end
from clary.testing.contracts.waiting import log_text

NOW = 1_700_000_000_000_000
"""A time of a sample, in microseconds, as drivers have it."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(gpus, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.fixture
def gpu() -> Gpu:
    return Gpu()


@pytest.fixture
def driver(gpu: Gpu) -> Driver:
    return Driver(gpu)


@pytest.fixture
def seen(driver: Driver, clock: Any) -> Iterator[Gpus]:
    """GPUs that have been looked at once, two seconds ago."""
    made = Gpus(lambda: driver)
    assert made.look([]) == (0, 0)
    clock.now += 2
    yield made
    made.close()


def test_jobs_that_share_a_gpu_are_told_apart(seen: Gpus, gpu: Gpu) -> None:
    gpu.samples = [(10, 1000, 60), (11, 1000, 25), (12, 1001, 10)]
    gpu.compute = {10: 4 * GIB, 11: 2 * GIB, 12: GIB}
    assert seen.look([9, 10, 12]) == (pytest.approx(2 * 0.7), pytest.approx(0.5))


def test_several_gpus_add_up(clock: Any) -> None:
    there = [Gpu(), Gpu(20 * GIB), Gpu()]
    looked = Gpus(lambda: Driver(*there))
    looked.look([])
    for gpu in there:
        gpu.samples, gpu.compute = [(10, 1000, 100)], {10: 10 * GIB}
    clock.now += 3
    assert looked.look([10]) == (pytest.approx(9), pytest.approx(2.5))


@pytest.mark.parametrize("repeats", [False, True], ids=["new", "all"])
def test_a_sample_counts_once_and_others_meanwhile_are_averaged(
    seen: Gpus, gpu: Gpu, clock: Any, repeats: bool
) -> None:
    gpu.repeats = repeats
    gpu.samples = [(10, NOW, 80)]
    assert seen.look([10])[0] == pytest.approx(1.6)
    clock.now += 1
    assert seen.look([10])[0] == 0
    assert gpu.since == NOW
    gpu.samples += [(10, NOW + 1, 20), (10, NOW + 2, 40)]
    clock.now += 1
    assert seen.look([10])[0] == pytest.approx(0.3)


def test_what_cannot_be_does_not_count(seen: Gpus, gpu: Gpu) -> None:
    gpu.samples = [(10, 1000, 4_000_000_000), (0, 2**63, 50), (10, 1001, 50)]
    assert seen.look([10])[0] == pytest.approx(1)


def test_a_gpu_is_never_busier_than_it_can_be(seen: Gpus, gpu: Gpu) -> None:
    gpu.samples = [(10, 1000, 70), (11, 1000, 70)]
    assert seen.look([10, 11])[0] == pytest.approx(2)


def test_memory_of_a_process_that_draws_too_counts_once(seen: Gpus, gpu: Gpu) -> None:
    gpu.compute, gpu.graphics = {10: GIB}, {10: GIB, 11: 2 * GIB}
    assert seen.look([10, 11])[1] == pytest.approx(0.3)


def test_a_gpu_without_memory_is_no_reason_to_stop(seen: Gpus, gpu: Gpu) -> None:
    gpu.total = 0
    assert seen.look([10]) == (0, 0)


def test_what_comes_while_a_list_is_read_is_in_it(seen: Gpus, driver: Driver, gpu: Gpu) -> None:
    gpu.compute = dict.fromkeys(range(10, 20), 1)

    def more() -> None:
        driver.more = lambda: None
        gpu.compute = dict.fromkeys(range(10, 12 + 2 * SPARE), 1 << 20)

    driver.more = more
    assert seen.look(range(1000))[1] == pytest.approx((2 + 2 * SPARE) / (10 << 10))


def test_a_list_that_grows_for_ever_is_left(seen: Gpus, driver: Driver, gpu: Gpu) -> None:
    def more() -> None:
        gpu.compute = dict.fromkeys(range(1, 2 * len(gpu.compute) + 2 * SPARE), 1)

    driver.more = more
    gpu.compute = {1: 1}
    with pytest.raises(OSError, match="nvmlDeviceGetComputeRunningProcesses_v3: the list does not end"):
        seen.look([1])


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        ("nvmlInit_v2", LOST, "GPU is lost"),
        ("nvmlDeviceGetCount_v2", 12345, "Unknown Error"),
        ("nvmlDeviceGetHandleByIndex_v2", NO_PERMISSION, "Insufficient Permissions"),
        ("nvmlDeviceGetMigMode", LOST, "GPU is lost"),
        ("nvmlDeviceGetProcessUtilization", NOT_SUPPORTED, "Not Supported"),
        ("nvmlDeviceGetComputeRunningProcesses_v3", NO_PERMISSION, "Insufficient Permissions"),
        ("nvmlDeviceGetMemoryInfo", LOST, "GPU is lost"),
    ],
)
def test_what_the_driver_does_not_do_is_said(driver: Driver, function: str, code: int, words: str) -> None:
    looked = Gpus(lambda: driver)
    driver.wrong[function] = code
    with pytest.raises(OSError, match=rf"^{function}: {words} \({code}\)$"):
        looked.look([1])
    looked.close()
    assert driver.called.count("nvmlShutdown") == (function != "nvmlInit_v2")


def test_a_driver_that_has_no_gpu_tells_nothing() -> None:
    with pytest.raises(OSError, match=r"^the driver has no GPU$"):
        Gpus(lambda: Driver()).look([1])


def test_parts_of_a_gpu_are_not_told_of(driver: Driver, gpu: Gpu) -> None:
    gpu.split = False
    assert Gpus(lambda: driver).look([1]) == (0, 0)
    gpu.split = True
    with pytest.raises(OSError, match=r"^the GPU is split \(MIG\)$"):
        Gpus(lambda: driver).look([1])


def test_memory_that_the_driver_does_not_know_is_not_taken_for_a_number(seen: Gpus, gpu: Gpu) -> None:
    gpu.compute = {10: GIB, 11: NOT_AVAILABLE}
    assert seen.look([10])[1] == pytest.approx(0.1)
    with pytest.raises(OSError, match="usedGpuMemory is not available"):
        seen.look([10, 11])


@pytest.mark.parametrize("absent", ["nvmlInit_v2", "nvmlDeviceGetComputeRunningProcesses_v3"])
def test_a_driver_without_a_function_is_too_old(driver: Driver, absent: str) -> None:
    driver.absent.add(absent)
    with pytest.raises(OSError, match=f"the driver is too old: .*{absent}"):
        Gpus(lambda: driver).look([1])


def test_the_driver_is_let_go_of_and_taken_up_again(seen: Gpus, driver: Driver, gpu: Gpu, clock: Any) -> None:
    seen.close()
    seen.close()
    assert driver.called.count("nvmlShutdown") == 1
    gpu.samples = [(10, 1000, 100)]
    assert seen.look([10])[0] == 0, "what was before it began is not this process's"
    clock.now += 1
    gpu.samples += [(10, 1001, 100)]
    assert seen.look([10])[0] == pytest.approx(1)
    assert driver.called.count("nvmlInit_v2") == 2
    driver.wrong["nvmlShutdown"] = LOST
    seen.close()


@pytest.fixture
def host(tmp_path: Path) -> str:
    """What says that processes are seen as the driver sees them, wherever the tests run."""
    (tmp_path / "host").symlink_to("pid:[4026531836]")
    return str(tmp_path / "host")


def test_the_library_is_loaded_by_its_name(host: str) -> None:
    with pytest.raises(OSError, match=r"libno-such-thing\.so\.1: cannot open shared object file"):
        library("libno-such-thing.so.1", host)
    with pytest.raises(OSError, match=r"the driver is too old: .*nvmlInit_v2"):
        Gpus(lambda: library("libc.so.6", host)).look([1])


def test_nothing_is_told_where_processes_have_other_numbers(tmp_path: Path) -> None:
    (tmp_path / "container").symlink_to("pid:[4026532001]")
    with pytest.raises(OSError, match="in a container, processes have other numbers"):
        library("libc.so.6", str(tmp_path / "container"))


CODE = """
import os, time
print("begins", flush=True)
while not os.path.exists("/opt/ml/model/asked"):
    time.sleep(0.02)
"""


@pytest.fixture
def agents_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_AGENT", gpu_trial.__file__)


def minutes(jobs: Jobs, id: str) -> list[dict[str, float]]:
    return list(json.loads((jobs.placement.folder(id) / "usage.json").read_text()).values())


@pytest.mark.usefixtures("agents_with_a_gpu")
def test_a_job_tells_of_its_own_processes(jobs: Jobs) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()", gpu_trial.USER], stdin=subprocess.PIPE) as stranger:
        seen = jobs.run(CODE, gpu_trial.USER)
        stranger.communicate(b"\n")
    assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
    told = minutes(jobs, seen.id)
    assert {each["GPUMemoryUtilization"] for each in told} == {25}
    assert all(0 < each["GPUUtilization"] <= 50 for each in told)


@pytest.mark.usefixtures("agents_with_a_gpu")
def test_a_gpu_that_is_lost_fails_no_job_and_is_told_once(jobs: Jobs) -> None:
    seen = jobs.run(CODE, gpu_trial.USER, environment={"LOST": "1"})
    assert end(seen)["event"] == "completed", log_text(jobs.placement, seen.id)
    said = "GPUUtilization and GPUMemoryUtilization are not measured: nvmlDeviceGetMemoryInfo: GPU is lost (15)."
    assert log_text(jobs.placement, seen.id).count(said) == 1
    assert [list(each) for each in minutes(jobs, seen.id)] == [
        ["CPUUtilization", "MemoryUtilization", "DiskUtilization"]
    ]
