"""What a job may use of the machine: held by control groups where this user may make some, else by process limits.

Control groups hold all processes of a job together: memory with all that the kernel keeps for it, processes and
threads, and a share of the CPU by weight. Where there are none, every process has limits of its own, and the agent's
watch adds up.

Reference: https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/,
https://man7.org/linux/man-pages/man2/getrlimit.2.html
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` builds enums: a third of the agent's whole start
import os
import resource
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from clary.compute.agent.folder import JobFolder
    from clary.compute.spec import Limits

CONTROLLERS = ("memory", "pids", "cpu")
PARENT = "clary"
"""The group above those of the jobs."""
LEAST_PROCESSES, PROCESSES_PER_CPU = 4096, 256
"""Processes and threads of a job: as many as a machine with one worker a core, and as many threads each, can want."""
SHARE, WEIGHT = 1024, 100
"""What one CPU counts, where CPU is shared: the kernel's own defaults for a group."""
FORGOTTEN_S = 60.0
"""A group that is empty and so old is nobody's: it is not just being made."""
LEAVES_S = 2.0
SHARED_MEMORY = 64 << 20
"""Bytes of ``/dev/shm`` that a job has in any case."""


def processes(limits: Limits) -> int:
    """How many processes and threads a job may have at once."""
    return limits.processes or max(LEAST_PROCESSES, int(PROCESSES_PER_CPU * (limits.cpus or 0)))


def shared_memory(limits: Limits) -> int:
    """Bytes that a job may keep in ``/dev/shm``, which count as its memory."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(SHARED_MEMORY, (limits.memory_bytes or machine) // 2)


def parents(mounts: str = "/proc/self/mountinfo", own: str = "/proc/self/cgroup") -> dict[str, str]:
    """By controller, the folder below which this process may make groups for jobs, tried out; empty where that is not
    so for each of them. The files say what is mounted where, and in which groups this process is."""
    paths = _paths(own)
    versions: dict[str, tuple[str, str]] = {}
    unified: tuple[str, str] | None = None
    with open(mounts, encoding="utf-8", errors="replace") as file:
        for line in file:
            before, _, after = line.rstrip("\n").partition(" - ")
            root, place = before.split()[3:5]
            kind, _, options = after.split(maxsplit=2)
            if kind == "cgroup2":
                unified = unified or (place, root)
            elif kind == "cgroup":
                for name in set(options.split(",")) & set(CONTROLLERS):
                    versions.setdefault(name, (place, root))
    if set(versions) == set(CONTROLLERS):
        found = {name: os.path.join(_below(*versions[name], paths.get(name, "/")), PARENT) for name in CONTROLLERS}
        return found if _works(found) else {}
    if unified is not None:
        here = _below(*unified, paths.get("", "/"))
        # A group with processes of its own cannot share out to groups below it, except for the root; so groups of jobs
        # lie beside that of this process, or higher up.
        while len(here) > len(unified[0]):
            here = os.path.dirname(here)
            found = dict.fromkeys(CONTROLLERS, os.path.join(here, PARENT))
            if _shares(here) and _works(found):
                return found
    return {}


def _paths(own: str) -> dict[str, str]:
    paths = {}
    with open(own, encoding="utf-8", errors="replace") as file:
        for line in file:
            _, names, path = line.rstrip("\n").split(":", 2)
            paths.update(dict.fromkeys(names.split(","), path))
    return paths


def _below(place: str, root: str, path: str) -> str:
    """Where a group is mounted: a container sees but a part of the hierarchy."""
    inner = os.path.relpath(path, root)
    return place if inner == "." or inner.startswith("..") else os.path.join(place, inner)


def _shares(folder: str) -> bool:
    """Whether groups below ``folder`` of the unified hierarchy have all controllers, from now on if not before."""
    path = os.path.join(folder, "cgroup.subtree_control")
    try:
        if not set(CONTROLLERS) <= set(_read(path).split()):
            _write(path, " ".join(f"+{name}" for name in CONTROLLERS))
        return True
    except OSError:
        return False


def _works(folders: dict[str, str]) -> bool:
    group = Group(folders, f"trial-{os.urandom(4).hex()}")
    try:
        group.create(64 << 20, 16, 1.0)
        return True
    except OSError:
        return False
    finally:
        group.remove()


def forget(folders: dict[str, str]) -> None:
    """Remove groups that agents, killed together with who launched them, have left, and that nobody is in."""
    for folder in set(folders.values()):
        try:
            with os.scandir(folder) as entries:
                old = [
                    each.path for each in entries if each.is_dir() and time.time() - each.stat().st_mtime > FORGOTTEN_S
                ]
        except OSError:
            continue
        for path in old:
            _remove(path)  # refused while somebody is in it


class Group:
    """The control group of one sandbox: a folder for each controller, or one for all of them in the unified
    hierarchy."""

    def __init__(self, folders: dict[str, str], name: str) -> None:
        """``folders`` as ``parents`` finds them."""
        self._unified = len(set(folders.values())) == 1
        self._folders = {controller: os.path.join(folder, name) for controller, folder in folders.items()}
        self.paths: Sequence[str] = list(dict.fromkeys(self._folders.values()))
        """The folders that there are once it is created."""

    def create(self, memory: int | None, most: int, cpus: float) -> None:
        """Make it, for at most ``memory`` bytes and ``most`` processes and threads, with the weight of ``cpus`` CPUs.

        Raises ``OSError``.
        """
        for path in self.paths:
            self._make(path)
        self._set("pids", "pids.max", str(most))
        if self._unified:
            self._set("cpu", "cpu.weight", str(min(10_000, max(1, round(WEIGHT * cpus)))))
            if memory is not None:
                self._set("memory", "memory.max", str(memory))
                self._set("memory", "memory.swap.max", "0", optional=True)
            return
        self._set("cpu", "cpu.shares", str(min(262_144, max(2, round(SHARE * cpus)))))
        if memory is not None:
            self._set("memory", "memory.limit_in_bytes", str(memory))
            self._set("memory", "memory.memsw.limit_in_bytes", str(memory), optional=True)

    def _make(self, path: str) -> None:
        above = os.path.dirname(path)
        while True:
            there = os.path.isdir(above)
            os.makedirs(above, exist_ok=True)
            try:
                if self._unified:
                    _shares(above)
                elif not there and path == self._folders["cpu"]:
                    # Beside the processes of the machine, each of which counts as one group does, jobs together count
                    # as many as can run.
                    _write(os.path.join(above, "cpu.shares"), str(SHARE * (os.cpu_count() or 1)))
                os.mkdir(path)
                return
            except FileExistsError:
                return
            except FileNotFoundError:
                continue  # the last group below it went just now, and took it along

    def add(self, process: int) -> None:
        """Put a process into it; all that it starts from then on is in it, too. Raises ``OSError``."""
        for path in self.paths:
            _write(os.path.join(path, "cgroup.procs"), str(process))

    def killed_for_memory(self) -> bool:
        """Whether the kernel has ended a process because there was no more memory for the group."""
        name = "memory.events" if self._unified else "memory.oom_control"
        return self._count("memory", name, "oom_kill") > 0

    def refused_processes(self) -> int:
        """How often there was to be one process or thread too many."""
        return self._count("pids", "pids.events", "max")

    def remove(self) -> None:
        """End what is in it, and remove it."""
        for path in self.paths:
            end(path)

    def _set(self, controller: str, name: str, value: str, *, optional: bool = False) -> None:
        try:
            _write(os.path.join(self._folders[controller], name), value)
        except FileNotFoundError:
            if not optional:
                raise

    def _count(self, controller: str, name: str, what: str) -> int:
        try:
            for line in _read(os.path.join(self._folders[controller], name)).splitlines():
                if line.startswith(f"{what} "):
                    return int(line.split()[1])
        except OSError:
            pass  # gone, or a kernel that does not count
        return 0


def end(path: str) -> None:
    """End all processes of the group that lies at ``path``, and remove it."""
    until = time.monotonic() + LEAVES_S
    while os.path.isdir(path) and time.monotonic() < until:
        try:
            for each in _read(os.path.join(path, "cgroup.procs")).split():
                os.kill(int(each), signal.SIGKILL)
        except OSError:
            pass  # it ended by itself, or the group is gone
        if _remove(path):
            _remove(os.path.dirname(path))  # refused while there are other jobs
            return
        time.sleep(0.002)  # those that were ended leave it when they have been waited for


def _remove(path: str) -> bool:
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def hold(process: int, limits: Limits, *, grouped: bool) -> None:
    """Give the first process of a sandbox the limits that each of its processes inherits; without a group these are
    also those on memory and on how many there are."""
    most = {}
    if limits.disk_bytes is not None:
        most[resource.RLIMIT_FSIZE] = limits.disk_bytes
    if not grouped:
        # Counted within the sandbox's own user namespace, which others of the user are not in. Not kept for root.
        most[resource.RLIMIT_NPROC] = processes(limits)
        if limits.memory_bytes is not None:
            # What is reserved counts, used or not, so this leaves room; it ends a bomb that is quicker than the watch.
            most[resource.RLIMIT_DATA] = 2 * limits.memory_bytes + (4 << 30)
    for what, value in most.items():
        _, hard = resource.prlimit(process, what)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.prlimit(process, what, (value, value))


def group_of(folder: JobFolder) -> Group | None:
    """A new group for a sandbox of this job; None where this machine has none. Raises ``OSError``."""
    if not folder.place.groups:
        return None
    limits = folder.spec.limits
    group = Group(folder.place.groups, f"{os.path.basename(folder.path)}.{os.stat(folder.path).st_ino}")
    with open(folder.file("groups"), "w", encoding="utf-8") as file:
        file.write("\n".join(group.paths))  # first, so that it is found whatever happens next
    group.create(limits.memory_bytes, processes(limits), limits.cpus or 1.0)
    return group


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
