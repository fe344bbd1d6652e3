"""A stand-in of the library that comes with NVIDIA's driver; as a program, an agent that finds it.

There need not be a GPU, nor a compiler: its functions are pointers to functions as the library's are, called the same
way. They get at their arguments by address, and what they write is laid out by ``struct`` as a C compiler would, from
the declarations in ``nvml.h`` rather than from what the reader makes of them.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROCESS, SAMPLE, MEMORY = struct.Struct("@IQII"), struct.Struct("@IQIIII"), struct.Struct("@QQQ")
ADDRESS, COUNT, TIME = ctypes.c_void_p, ctypes.c_uint, ctypes.c_ulonglong
OK, INVALID, NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, TOO_SMALL, LOST = 0, 2, 3, 4, 6, 7, 15
WORDS = {NOT_SUPPORTED: b"Not Supported", NO_PERMISSION: b"Insufficient Permissions", LOST: b"GPU is lost"}
GIB = 1 << 30
FIRST_HANDLE = 0x7F00_0000_0000
"""More than fits into an ``int``, as addresses do."""


class Gpu:
    """A GPU of the stand-in's."""

    def __init__(self, total: int = 10 * GIB) -> None:
        self.total = total
        self.split: bool | None = None
        """Whether it is in parts, or None for one that never can be."""
        self.compute: dict[int, int] = {}
        self.graphics: dict[int, int] = {}
        """Bytes by processes."""
        self.samples: list[tuple[int, int, int]] = []
        """Process, time and utilization."""
        self.since = -1
        """The time that was last asked for."""
        self.repeats = False
        """Whether it gives older samples all the same."""


class Driver:
    """Answers as the library does. ``wrong`` has the codes of functions that fail, ``absent`` those that it lacks."""

    def __init__(self, *there: Gpu) -> None:
        self.gpus = there
        self.wrong: dict[str, int] = {}
        self.absent: set[str] = set()
        self.called: list[str] = []
        self.more: Callable[[], None] = lambda: None
        """Called between the question for a length and the one for a list."""
        prototypes: dict[str, tuple[Any, ...]] = {
            "nvmlInit_v2": (),
            "nvmlShutdown": (),
            "nvmlDeviceGetCount_v2": (ADDRESS,),
            "nvmlDeviceGetHandleByIndex_v2": (COUNT, ADDRESS),
            "nvmlDeviceGetMigMode": (ADDRESS, ADDRESS, ADDRESS),
            "nvmlDeviceGetMemoryInfo": (ADDRESS, ADDRESS),
            "nvmlDeviceGetProcessUtilization": (ADDRESS, ADDRESS, ADDRESS, TIME),
            "nvmlDeviceGetComputeRunningProcesses_v3": (ADDRESS, ADDRESS, ADDRESS),
            "nvmlDeviceGetGraphicsRunningProcesses_v3": (ADDRESS, ADDRESS, ADDRESS),
        }
        self._kept: list[Any] = []
        self._addresses = {name: self._address(name, prototype) for name, prototype in prototypes.items()}
        words = ctypes.CFUNCTYPE(ADDRESS, ctypes.c_int)(lambda code: ctypes.cast(self._words(code), ADDRESS).value)
        self._kept.append(words)
        self._addresses["nvmlErrorString"] = ctypes.cast(words, ADDRESS).value or 0

    def _address(self, name: str, prototype: tuple[Any, ...]) -> int:
        def called(*arguments: Any) -> int:
            self.called.append(name)
            code: int = self.wrong[name] if name in self.wrong else getattr(self, f"_{name}")(*arguments)
            return code

        function = ctypes.CFUNCTYPE(ctypes.c_int, *prototype)(called)
        self._kept.append(function)
        return ctypes.cast(function, ADDRESS).value or 0

    def __getattr__(self, name: str) -> Any:
        """The function, of which the caller knows no more than where it is: as of one in a library."""
        if name.startswith("_") or name in self.absent:
            raise AttributeError(f"libnvidia-ml.so.1: undefined symbol: {name}")
        return ctypes.CFUNCTYPE(ctypes.c_int)(self._addresses[name])

    def _words(self, code: int) -> Any:
        words = ctypes.c_char_p(WORDS.get(code, b"Unknown Error"))
        self._kept.append(words)
        return words

    def _nvmlInit_v2(self) -> int:
        return OK

    def _nvmlShutdown(self) -> int:
        return OK

    def _nvmlDeviceGetCount_v2(self, count: int) -> int:
        COUNT.from_address(count).value = len(self.gpus)
        return OK

    def _nvmlDeviceGetHandleByIndex_v2(self, index: int, handle: int) -> int:
        if index >= len(self.gpus):
            return INVALID
        ADDRESS.from_address(handle).value = FIRST_HANDLE + index
        return OK

    def _nvmlDeviceGetMigMode(self, handle: int, current: int, pending: int) -> int:
        split = self._gpu(handle).split
        if split is None:
            return NOT_SUPPORTED
        COUNT.from_address(current).value, COUNT.from_address(pending).value = split, 1
        return OK

    def _nvmlDeviceGetMemoryInfo(self, handle: int, memory: int) -> int:
        ctypes.memmove(memory, MEMORY.pack(self._gpu(handle).total, 1, 2), MEMORY.size)
        return OK

    def _nvmlDeviceGetProcessUtilization(self, handle: int, room: int, count: int, since: int) -> int:
        gpu = self._gpu(handle)
        gpu.since, since = since, -1 if gpu.repeats else since
        found = [SAMPLE.pack(pid, at, sm, 77, 78, 79) for pid, at, sm in gpu.samples if at > since]
        return self._give(found, room, count) if found else NOT_FOUND

    def _nvmlDeviceGetComputeRunningProcesses_v3(self, handle: int, count: int, room: int) -> int:
        return self._give([PROCESS.pack(*each, 5, 6) for each in self._gpu(handle).compute.items()], room, count)

    def _nvmlDeviceGetGraphicsRunningProcesses_v3(self, handle: int, count: int, room: int) -> int:
        return self._give([PROCESS.pack(*each, 5, 6) for each in self._gpu(handle).graphics.items()], room, count)

    def _gpu(self, handle: int) -> Gpu:
        return self.gpus[handle - FIRST_HANDLE]

    def _give(self, found: list[bytes], room: int | None, count: int) -> int:
        there = COUNT.from_address(count)
        if room is None and there.value:
            return INVALID
        if room is None or there.value < len(found):
            there.value = len(found)
            self.more()
            return TOO_SMALL if found else OK
        there.value = len(found)
        ctypes.memmove(room, b"".join(found), sum(map(len, found)))
        return OK


USER = "uses-a-gpu"
"""Each Python program with this word among its arguments holds a quarter of the one GPU and keeps half of it busy."""


class Users(Driver):
    """Watches this machine's processes, and says in the job's folder when it has been asked enough."""

    def __init__(self, folder: Path, lost: bool) -> None:
        super().__init__(Gpu())
        self._folder = folder
        self._asked = 0
        if lost:
            self.wrong["nvmlDeviceGetMemoryInfo"] = LOST

    def _gpu(self, handle: int) -> Gpu:
        gpu = super()._gpu(handle)
        found = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and self._uses(each)]
        gpu.compute = dict.fromkeys(found, gpu.total // 4)
        gpu.samples = [(pid, self._asked + 1, 50) for pid in found]
        return gpu

    def _uses(self, process: Path) -> bool:
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False  # it ended
        return b"python" in words[0] and USER.encode() in words

    def _nvmlDeviceGetMemoryInfo(self, handle: int, memory: int) -> int:
        self._asked += 1
        if self._asked == 3:
            self._enough()
        return super()._nvmlDeviceGetMemoryInfo(handle, memory)

    def _nvmlShutdown(self) -> int:
        self._enough()
        return OK

    def _enough(self) -> None:
        (self._folder / "ml" / "model" / "asked").touch()


def main(folder: str) -> int:
    """Run the agent of a job folder."""
    sys.path.append(str(Path(__file__).parents[2] / "src"))
    from clary.compute.agent import attempt
    from clary.compute.agent.gpus import Gpus
    from clary.compute.agent.usage import Usage

    def with_gpus(job: Any) -> Usage:
        driver = Users(Path(folder), lost="LOST" in job.spec.environment)
        return Usage(job, lambda: Gpus(lambda: driver))

    setattr(attempt, "Usage", with_gpus)  # noqa: B010 - a type in the eyes of mypy
    return attempt.main(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
