"""The processes of a server: their CPU time and memory, and rest while another one is measured."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _stat(process: int) -> list[str]:
    """The fields of ``/proc/…/stat`` from the state on; none if the process is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _all() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def trees(roots: Iterable[int]) -> list[int]:
    """These processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for process in _all():
        if fields := _stat(process):
            children.setdefault(int(fields[1]), []).append(process)
    found = list(dict.fromkeys(roots))
    for process in found:
        found += [child for child in children.get(process, []) if child not in found]
    return found


def naming(text: str) -> list[int]:
    """The processes whose command lines have this text, and all that descend from them."""
    wanted = text.encode()
    found = []
    for process in _all():
        with suppress(OSError):
            if process != os.getpid() and wanted in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return trees(found)


def cpu_seconds(processes: Iterable[int]) -> float:
    """What these processes have used, in user mode and in the kernel."""
    return sum(int(fields[11]) + int(fields[12]) for each in processes if (fields := _stat(each))) / _TICKS


def memory_mb(processes: Iterable[int]) -> float:
    """What these processes hold; of pages that several hold, each has its share (PSS)."""
    total = 0
    for process in processes:
        with suppress(OSError):
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


def program(process: int) -> str:
    """A word for what a process runs: the module, or the file, or the program."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return "gone"
    if words[0].endswith("bwrap"):
        return "bwrap"
    if "-m" in words:
        return words[words.index("-m") + 1]
    path = next((word for word in words[1:] if word.endswith(".py")), words[0])
    return "/".join(path.split("/")[-2:])


def signal_all(processes: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to those that are still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


@contextmanager
def awake(processes: list[int]) -> Iterator[None]:
    """Processes that rest run for the body of the ``with`` statement."""
    signal_all(processes, signal.SIGCONT)
    try:
        yield
    finally:
        signal_all(processes, signal.SIGSTOP)


@contextmanager
def pinned(cores: set[int]) -> Iterator[None]:
    """This thread runs on these cores for the body of the ``with`` statement; processes started before do not mind."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
