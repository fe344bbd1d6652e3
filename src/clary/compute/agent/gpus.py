"""What a job uses of the machine's GPUs, as NVML tells it, the library that comes with NVIDIA's driver.

It is called through ``ctypes``, since an agent has no packages. That takes some milliseconds to import, so this module
is imported only where there is a GPU, once a process has run for a while.

Reference: https://docs.nvidia.com/deploy/nvml-api/nvml-api-reference.html
"""

from __future__ import annotations

import ctypes
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Set
    from typing import Any

LIBRARY = "libnvidia-ml.so.1"
SUCCESS, NOT_SUPPORTED, NOT_FOUND, INSUFFICIENT_SIZE = 0, 3, 6, 7
"""Values of ``nvmlReturn_t``."""
NOT_AVAILABLE = 2**64 - 1
SPARE, MOST, TRIES = 16, 1 << 16, 5
"""Room in a list for what comes while it is being read, the most that one has, and how often it is read anew."""
_HOST = "pid:[4026531836]"
"""The namespace of processes that the kernel begins with: ``PROC_PID_INIT_INO``."""


class _Process(ctypes.Structure):
    """``nvmlProcessInfo_t``"""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("usedGpuMemory", ctypes.c_ulonglong),
        ("gpuInstanceId", ctypes.c_uint),
        ("computeInstanceId", ctypes.c_uint),
    )


class _Sample(ctypes.Structure):
    """``nvmlProcessUtilizationSample_t``"""

    _fields_ = (
        ("pid", ctypes.c_uint),
        ("timeStamp", ctypes.c_ulonglong),
        ("smUtil", ctypes.c_uint),
        ("memUtil", ctypes.c_uint),
        ("encUtil", ctypes.c_uint),
        ("decUtil", ctypes.c_uint),
    )


class _Memory(ctypes.Structure):
    """``nvmlMemory_t``"""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


def library(name: str = LIBRARY, namespace: str = "/proc/self/ns/pid") -> ctypes.CDLL:
    """The driver's library. Raises ``OSError`` where it cannot be loaded, and where the numbers that it has for
    processes are not those that are seen here: it knows those of the host alone."""
    if os.readlink(namespace) != _HOST:
        raise OSError("in a container, processes have other numbers than the driver knows them by")
    return ctypes.CDLL(name)


class Gpus:
    """The machine's GPUs. The library is loaded with the first look and let go of by ``close``."""

    def __init__(self, load: Callable[[], Any] = library) -> None:
        self._load = load
        self._nvml: _Nvml | None = None
        self._gpus: list[_Gpu] = []
        self._looked_at = 0.0

    def look(self, processes: Iterable[int]) -> tuple[float, float]:
        """For how many seconds these processes have kept a GPU busy since the last look, and which part of its memory
        they hold; those of several GPUs add up.

        Jobs that share a GPU are told apart. The first look after ``close`` tells of no time. Raises ``OSError`` for
        whatever the library does not do: nothing that it may tell later is worth half a truth.
        """
        if self._nvml is None:
            self._open()
        now, mine = time.monotonic(), frozenset(processes)
        seconds, self._looked_at = now - self._looked_at, now
        return seconds * sum(gpu.busy(mine) for gpu in self._gpus), sum(gpu.held(mine) for gpu in self._gpus)

    def close(self) -> None:
        """Let go of the driver, so that nothing of it is open when the next process starts."""
        nvml, self._nvml, self._gpus = self._nvml, None, []
        if nvml is not None:
            nvml.close()

    def _open(self) -> None:
        nvml = _Nvml(self._load())
        nvml.call("nvmlInit_v2")
        self._nvml = nvml
        count = ctypes.c_uint()
        nvml.call("nvmlDeviceGetCount_v2", ctypes.byref(count))
        if not count.value:
            raise OSError("the driver has no GPU")
        self._gpus = [_Gpu(nvml, index) for index in range(count.value)]
        self._looked_at = time.monotonic()


class _Gpu:
    def __init__(self, nvml: _Nvml, index: int) -> None:
        self._nvml = nvml
        self._handle = ctypes.c_void_p()
        nvml.call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(self._handle))
        split, pending = ctypes.c_uint(), ctypes.c_uint()
        nvml.call(
            "nvmlDeviceGetMigMode", self._handle, ctypes.byref(split), ctypes.byref(pending), fine=(NOT_SUPPORTED,)
        )
        if split.value:  # its parts have neither a utilization by processes nor one of their own
            raise OSError("the GPU is split (MIG)")
        self._seen = 0

    def busy(self, mine: Set[int]) -> float:
        """Which part of it these processes have used since this was asked last, of 1. What was sampled meanwhile stands
        for all of that time."""
        name, since = "nvmlDeviceGetProcessUtilization", ctypes.c_ulonglong(self._seen)
        samples: dict[int, list[int]] = {}
        for each in self._nvml.list(name, _Sample, lambda count, room: (self._handle, room, count, since)):
            # Drivers have been seen to give old samples and such that were never taken.
            if each.pid in mine and each.timeStamp > since.value and each.smUtil <= 100:
                samples.setdefault(each.pid, []).append(each.smUtil)
                self._seen = max(self._seen, each.timeStamp)
        return min(sum(sum(values) / len(values) for values in samples.values()), 100) / 100

    def held(self, mine: Set[int]) -> float:
        """Which part of its memory these processes hold, of 1."""
        held: dict[int, int] = {}
        for kind in ("Compute", "Graphics"):
            name = f"nvmlDeviceGet{kind}RunningProcesses_v3"
            for each in self._nvml.list(name, _Process, lambda count, room: (self._handle, count, room)):
                if each.pid in mine:
                    if each.usedGpuMemory == NOT_AVAILABLE:
                        raise OSError(f"{name}: usedGpuMemory is not available")
                    # A process of both kinds is in both lists, with all of its memory.
                    held[each.pid] = max(held.get(each.pid, 0), each.usedGpuMemory)
        memory = _Memory()
        self._nvml.call("nvmlDeviceGetMemoryInfo", self._handle, ctypes.byref(memory))
        return sum(held.values()) / max(int(memory.total), 1)


class _Nvml:
    """The functions of the library, which answer with a code each."""

    def __init__(self, loaded: Any) -> None:
        self._loaded = loaded

    def call(self, name: str, *arguments: object, fine: tuple[int, ...] = ()) -> int:
        """The code, which is one of success or ``fine``. Raises ``OSError`` for others."""
        try:
            code = int(getattr(self._loaded, name)(*arguments))
            if code == SUCCESS or code in fine:
                return code
            words = self._loaded.nvmlErrorString
        except AttributeError as error:
            raise OSError(f"the driver is too old: {error}") from error
        words.restype = ctypes.c_char_p
        raise OSError(f"{name}: {(words(code) or b'error').decode(errors='replace')} ({code})")

    def list(self, name: str, kind: Any, arguments: Callable[[object, object], tuple[object, ...]]) -> list[Any]:
        """What a function gives whose answer's length is not known before, each of a ``kind`` of structure.
        ``arguments`` gives its arguments for a reference to the count and the room for so many."""
        count, room = ctypes.c_uint(0), None
        for _ in range(TRIES):
            code = self.call(name, *arguments(ctypes.byref(count), room), fine=(NOT_FOUND, INSUFFICIENT_SIZE))
            if code != INSUFFICIENT_SIZE:
                return room[: count.value] if room is not None and code == SUCCESS else []
            count.value = min(count.value + SPARE, MOST)
            room = (kind * count.value)()
        raise OSError(f"{name}: the list does not end")

    def close(self) -> None:
        try:
            self.call("nvmlShutdown")
        except OSError:
            pass  # it is of no use any more in any case
