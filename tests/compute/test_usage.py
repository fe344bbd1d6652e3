"""What a job uses of its instance, told minute by minute."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clary.compute.agent import usage
from clary.compute.agent.usage import KEPT, Usage

FIRST = 1_700_000_040
"""The beginning of a minute."""


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = FIRST + 0.0

    def time(self) -> float:
        return self.now

    monotonic = time


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(usage, "time", made)
    return made


class Gpus:
    """GPUs of which the processes' numbers say the rest: the first how many seconds, the second how much memory."""

    def __init__(self) -> None:
        self.lost = False
        self.closed = 0

    def look(self, processes: Iterable[float]) -> tuple[float, float]:
        if self.lost:
            raise OSError("the GPU is lost")
        seconds, share = processes
        return seconds, share

    def close(self) -> None:
        self.closed += 1


def usage_in(folder: Path, find: Callable[[], Any] = lambda: None) -> Usage:
    job: Any = SimpleNamespace(
        file=lambda name: str(folder / name), spec=SimpleNamespace(limits=SimpleNamespace(memory_bytes=1000))
    )
    return Usage(job, find)


def told(folder: Path) -> dict[int, list[float]]:
    """CPU, memory and disk by seconds after the first minute."""
    document = json.loads((folder / "usage.json").read_text())
    assert all(list(v) == ["CPUUtilization", "MemoryUtilization", "DiskUtilization"] for v in document.values())
    return {int(minute) - FIRST: list(values.values()) for minute, values in document.items()}


def look(used: Usage, clock: Clock, at: float, cpu_s: float = 0.0, memory: int = 0) -> None:
    clock.now = FIRST + at
    used.look(cpu_s, memory, lambda: 0.25)


def test_each_minute_has_its_mean_and_its_peak(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path)
    used.begin()
    look(used, clock, 10, 5, 300)
    look(used, clock, 50, 10, 100)
    assert not (tmp_path / "usage.json").exists()
    look(used, clock, 60, 0, 50)
    assert told(tmp_path) == {0: [25, 30, 25]}
    look(used, clock, 90, 60, 500)
    clock.now = FIRST + 100
    used.end(0.5)
    assert told(tmp_path) == {0: [25, 30, 25], 60: [150, 50, 50]}
    assert (tmp_path / "usage.json").stat().st_mode & 0o777 == 0o600


def test_a_few_seconds_do_not_count_as_a_minute(tmp_path: Path, clock: Clock) -> None:
    clock.now = FIRST + 55.0
    used = usage_in(tmp_path)
    look(used, clock, 58, 1, 900)
    look(used, clock, 61, 2, 100)
    look(used, clock, 121, 10, 100)
    assert told(tmp_path) == {60: [pytest.approx(100 * 3 / 66, abs=0.001), 90, 25]}
    clock.now = FIRST + 125
    used.end(0.9)
    assert list(told(tmp_path)) == [60]


def test_a_short_job_is_told_as_it_was(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path)
    clock.now = FIRST + 59.0
    used.begin()
    look(used, clock, 59.5, 0.25, 100)
    look(used, clock, 60.5, 1, 100)
    clock.now = FIRST + 61.0
    used.end(0.0)
    assert told(tmp_path) == {60: [62.5, 10, 0]}


def test_nothing_is_told_of_what_nobody_saw(tmp_path: Path, clock: Clock) -> None:
    usage_in(tmp_path).end(1.0)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_starts_again_goes_on_in_its_minute(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path)
    used.begin()
    look(used, clock, 20, 10)
    used.end(0.0)
    assert told(tmp_path) == {0: [50, 0, 0]}
    clock.now = FIRST + 30
    used.begin()
    look(used, clock, 40, 10)
    used.end(0.0)
    assert told(tmp_path) == {0: [50, 0, 0]}


def test_the_pause_before_a_server_starts_again_is_nobodys(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path)
    used.begin()
    look(used, clock, 30, 30)
    used.end(0.0)
    assert told(tmp_path) == {0: [100, 0, 0]}
    clock.now = FIRST + 70
    used.begin()
    look(used, clock, 80, 5)
    look(used, clock, 120)
    assert told(tmp_path) == {0: [100, 0, 0], 60: [10, 0, 25]}


def test_an_attempt_goes_on_where_the_one_before_it_ended(tmp_path: Path, clock: Clock) -> None:
    first = usage_in(tmp_path)
    look(first, clock, 0)
    look(first, clock, 60)
    again = usage_in(tmp_path)
    look(again, clock, 130, 1)
    look(again, clock, 180)
    assert sorted(told(tmp_path)) == [0, 120]


@pytest.mark.parametrize("left", [b"", b"{", b"\xff", b"\0" * 100])
def test_what_a_power_cut_left_is_put_right(tmp_path: Path, clock: Clock, left: bytes) -> None:
    (tmp_path / "usage.json").write_bytes(left)
    used = usage_in(tmp_path)
    look(used, clock, 0)
    look(used, clock, 60)
    assert list(told(tmp_path)) == [0]


def test_the_file_does_not_grow_for_ever(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path)
    for minute in range(KEPT + 21):
        look(used, clock, 60 * minute, 1, 1)
    assert sorted(told(tmp_path)) == [60 * minute for minute in range(20, KEPT + 20)]
    assert (tmp_path / "usage.json").stat().st_size < 20_000


def test_a_disk_without_room_for_all_keeps_what_there_was(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path)
    look(used, clock, 0)
    look(used, clock, 60)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, limits[1]))
    try:
        look(used, clock, 120)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(told(tmp_path)) == [0]
    look(used, clock, 180)
    assert list(told(tmp_path)) == [0, 60, 120]


def test_a_full_disk_holds_nobody_up(tmp_path: Path, clock: Clock) -> None:
    used = usage_in(tmp_path / "gone")
    look(used, clock, 0)
    look(used, clock, 60)
    used.end(0.0)
    assert list(tmp_path.iterdir()) == []


def gpus_told(folder: Path) -> dict[int, list[float]]:
    document = json.loads((folder / "usage.json").read_text())
    return {
        int(minute) - FIRST: [values[name] for name in ("GPUUtilization", "GPUMemoryUtilization") if name in values]
        for minute, values in document.items()
    }


def look_at_gpus(used: Usage, clock: Clock, at: float, seconds: float, share: float) -> str:
    look(used, clock, at)
    of_gpus: Any = (seconds, share)
    return used.look_at_gpus(of_gpus)


def test_gpus_have_their_mean_and_their_peak_too(tmp_path: Path, clock: Clock) -> None:
    found = Gpus()
    used = usage_in(tmp_path, lambda: found)
    used.begin()
    assert look_at_gpus(used, clock, 10, 5, 0.25) == ""
    assert look_at_gpus(used, clock, 40, 55, 1.5) == ""
    assert look_at_gpus(used, clock, 61, 3, 0.5) == ""
    assert gpus_told(tmp_path) == {0: [pytest.approx(100 * 60 / 61, abs=0.001), 150]}
    clock.now = FIRST + 91
    assert found.closed == 0
    used.end(0.0)
    assert gpus_told(tmp_path)[60] == [10, 50]
    assert found.closed == 1


def test_gpus_are_searched_for_once(tmp_path: Path, clock: Clock) -> None:
    asked: list[int] = []
    used = usage_in(tmp_path, lambda: asked.append(1))
    for at in (0, 1, 60):
        assert look_at_gpus(used, clock, at, 1, 1) == ""
    assert asked == [1]
    assert gpus_told(tmp_path) == {0: []}


def test_a_machine_without_a_gpu_has_none() -> None:
    there = [each for each in Path("/dev").iterdir() if each.name.removeprefix("nvidia").isdigit()]
    assert (usage.gpus() is not None) == any(each.name.startswith("nvidia") for each in there)


def test_a_minute_in_which_a_gpu_is_lost_tells_nothing_of_it(tmp_path: Path, clock: Clock) -> None:
    found = Gpus()
    used = usage_in(tmp_path, lambda: found)
    look_at_gpus(used, clock, 0, 0, 1)
    look_at_gpus(used, clock, 60, 30, 1)
    found.lost = True
    said = "GPUUtilization and GPUMemoryUtilization are not measured: the GPU is lost."
    assert look_at_gpus(used, clock, 70, 1, 1) == said
    assert look_at_gpus(used, clock, 80, 1, 1) == ""
    look(used, clock, 120)
    assert gpus_told(tmp_path) == {0: [0, 100], 60: []}
    assert found.closed == 1


def test_a_python_that_cannot_ask_the_driver_is_no_failure(tmp_path: Path, clock: Clock) -> None:
    def find() -> None:
        raise ImportError("No module named '_ctypes'")

    used = usage_in(tmp_path, find)
    assert "are not measured: No module named '_ctypes'." in look_at_gpus(used, clock, 0, 1, 1)
    assert look_at_gpus(used, clock, 1, 1, 1) == ""
