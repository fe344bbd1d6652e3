"""Where control groups can be made, what is written into them, and what is forbidden to system calls."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from clary.compute.isolation import limits, seccomp
from clary.compute.isolation.limits import FORGOTTEN_S, Group, forget, parents

MOUNT = "30 1 0:26 {root} {place} rw,relatime - {kind} none {options}\n"


class Machine:
    """What the kernel says of mounts and of this process's groups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mounts, self.own = folder / "mountinfo", folder / "own"

    def parents(self, mounts: list[tuple[str, str, str, str]], own: str) -> dict[str, str]:
        self.mounts.write_text(
            "".join(
                MOUNT.format(root=root, place=place, kind=kind, options=options)
                for root, place, kind, options in mounts
            )
        )
        self.own.write_text(own)
        return parents(str(self.mounts), str(self.own))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are as good as groups: nothing is tried out."""
    monkeypatch.setattr(limits, "_works", lambda folders: True)


def unified(folder: Path, *names: str) -> Path:
    """A tree such as that of the unified hierarchy, which shares out memory, processes and CPU down to ``names``."""
    here = folder / "cgroup"
    here.mkdir()
    (here / "cgroup.subtree_control").write_text("cpu memory pids\n")
    for name in names:
        here /= name
        here.mkdir()
        (here / "cgroup.subtree_control").write_text("cpu memory pids\n")
    return here


def test_separate_hierarchies(machine: Machine, tmp_path: Path, always: None) -> None:
    mounts = [("/", f"{tmp_path}/{name}", "cgroup", f"rw,{name}") for name in ("memory", "pids")]
    mounts.append(("/", f"{tmp_path}/cpu", "cgroup", "rw,cpu,cpuacct"))
    own = "9:name=systemd:/x\n8:memory:/a/b\n7:pids:/\n6:cpu,cpuacct:/c\n0::/\n"
    assert machine.parents(mounts, own) == {
        "memory": f"{tmp_path}/memory/a/b/clary",
        "pids": f"{tmp_path}/pids/clary",
        "cpu": f"{tmp_path}/cpu/c/clary",
    }
    assert machine.parents(mounts[:2], own) == {}, "all of the controllers, or none"


def test_a_container_sees_a_part_of_the_hierarchy(machine: Machine, tmp_path: Path, always: None) -> None:
    mounts = [("/docker/x", f"{tmp_path}/{name}", "cgroup", f"rw,{name}") for name in ("memory", "pids", "cpu")]
    own = "".join(f"{number}:{name}:/docker/x/y\n" for number, name in enumerate(("memory", "pids", "cpu")))
    assert machine.parents(mounts, own)["pids"] == f"{tmp_path}/pids/y/clary"


def test_the_unified_hierarchy(machine: Machine, tmp_path: Path, always: None) -> None:
    scope = unified(tmp_path, "user.slice", "app.slice", "run-1.scope")
    mounts = [("/", f"{tmp_path}/cgroup", "cgroup2", "rw")]
    own = "0::/user.slice/app.slice/run-1.scope\n"
    assert set(machine.parents(mounts, own).values()) == {str(scope.parent / "clary")}
    # One that does not share out its controllers, and does not let itself be told to, is passed over.
    (scope.parent / "cgroup.subtree_control").unlink()
    assert set(machine.parents(mounts, own).values()) == {str(scope.parent.parent / "clary")}


def test_nothing_that_can_be_written_to(machine: Machine, tmp_path: Path) -> None:
    unified(tmp_path, "a")
    assert machine.parents([("/", f"{tmp_path}/cgroup", "cgroup2", "rw")], "0::/a\n") == {}
    assert machine.parents([], "0::/\n") == {}


def test_a_group_of_the_unified_hierarchy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # No machine of ours has this hierarchy with controllers in it: the files are ordinary ones.
    parent = tmp_path / "clary"
    (parent / "job").mkdir(parents=True)
    for name in ("pids.max", "cpu.weight", "memory.max", "memory.swap.max", "cgroup.procs"):
        (parent / "job" / name).touch()
    group = Group(dict.fromkeys(limits.CONTROLLERS, str(parent)), "job")
    group.create(1 << 30, 100, 4.0)
    group.add(4711)
    written = {each.name: each.read_text() for each in (parent / "job").iterdir()}
    assert written == {
        "pids.max": "100",
        "cpu.weight": "400",
        "memory.max": str(1 << 30),
        "memory.swap.max": "0",
        "cgroup.procs": "4711",
    }
    assert (group.killed_for_memory(), group.refused_processes()) == (False, 0)
    (parent / "job" / "memory.events").write_text("low 0\nmax 4\noom 1\noom_kill 1\n")
    (parent / "job" / "pids.events").write_text("max 7\n")
    assert (group.killed_for_memory(), group.refused_processes()) == (True, 7)


def test_groups_that_nobody_is_in_are_removed(tmp_path: Path) -> None:
    for name in ("old", "new", "used"):
        (tmp_path / name).mkdir()
    (tmp_path / "used" / "process").touch()
    for name in ("old", "used"):
        os.utime(tmp_path / name, (0, tmp_path.stat().st_mtime - 2 * FORGOTTEN_S))
    forget({"memory": str(tmp_path)})
    assert sorted(each.name for each in tmp_path.iterdir()) == ["new", "used"]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_of_system_calls(machine: str) -> None:
    code = seccomp.program(machine)
    architecture = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    unshare, read, clone, socket = {"x86_64": (272, 0, 56, 41), "aarch64": (97, 63, 220, 198)}[machine]

    def answer(number: int, *arguments: int, by: int = architecture) -> int:
        return run(code, struct.pack("<IIQ6Q", number, by, 0, *arguments, *[0] * (6 - len(arguments))))

    allowed, refused, unknown = 0x7FFF0000, 0x00050001, 0x00050026
    assert answer(read) == allowed
    assert answer(unshare) == refused
    assert answer(clone, 0x00000011) == allowed  # a process
    assert answer(clone, 0x003D0F00) == allowed  # a thread
    assert answer(clone, 0x10000011) == refused  # a user namespace
    assert answer(435) == unknown
    assert answer(socket, 2) == allowed
    assert answer(socket, 40) == refused
    assert answer(read, by=0x40000003) == unknown
    assert answer(0x40000000 | read) == unknown


def test_a_processor_that_is_not_known_has_no_filter() -> None:
    assert seccomp.program("riscv64") == b""


def run(code: bytes, data: bytes) -> int:
    """What a filter answers; only the instructions that it has."""
    steps = list(struct.iter_unpack("=HBBI", code))
    here, value = 0, 0
    while True:
        what, then, otherwise, number = steps[here]
        here += 1
        if what == 0x20:
            value = struct.unpack_from("<I", data, number)[0]
        elif what == 0x06:
            return int(number)
        else:
            holds = {0x15: value == number, 0x35: value >= number, 0x45: bool(value & number)}[what]
            here += then if holds else otherwise
