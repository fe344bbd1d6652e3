"""What a job uses of its instance, minute by minute, under the names that CloudWatch has for it.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import os
import time

from clary.compute.agent.documents import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from clary.compute.agent.folder import JobFolder
    from clary.compute.agent.gpus import Gpus

KEPT = 180
"""Minutes that are remembered, for a control plane that is not there to read them."""
MINUTE = 60
LEAST_S = 10.0
"""What a process used in fewer seconds of a minute counts with the next one, and is left out where none comes: as one
value among others it would count for a whole minute."""


def gpus() -> Gpus | None:
    """Those of this machine; None where it has none."""
    if not any(name.startswith("nvidia") and name.removeprefix("nvidia").isdigit() for name in os.listdir("/dev")):
        return None
    from clary.compute.agent.gpus import Gpus

    return Gpus()


class Usage:
    """The file ``usage.json``: by the beginning of each minute (seconds since the epoch) the mean ``CPUUtilization``
    (percent, 100 for each core), the largest ``MemoryUtilization`` (percent of what the job may use), and
    ``DiskUtilization`` at its end (percent of the job's volume, or of the disk where it has none). Where there are
    GPUs, the mean ``GPUUtilization`` and the largest ``GPUMemoryUtilization`` (percent, 100 for each GPU) too.

    The minute in which a process begins or ends counts as far as it runs.
    """

    def __init__(self, folder: JobFolder, find: Callable[[], Gpus | None] = gpus) -> None:
        """``find`` gives the machine's GPUs, and is called once, when they are first looked at."""
        self._path = folder.file("usage.json")
        self._memory_bytes = folder.spec.limits.memory_bytes or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        self._told = 0
        self._reset(0)
        self._find: Callable[[], Gpus | None] | None = find
        self._gpus: Gpus | None = None
        self._minutes: dict[str, dict[str, float]] = {}
        try:
            with open(self._path, encoding="utf-8") as file:
                self._minutes = loads(file.read())  # of an attempt before this one
        except (OSError, ValueError):
            pass  # there was none

    def begin(self) -> None:
        """A process begins: the first one, or one after another, which goes on in the same minute or begins another."""
        if _now() != self._minute:
            self._reset(0)

    def _reset(self, minute: int) -> None:
        self._minute, self._began = minute, time.monotonic()
        self._cpu_s = self._gpu_s = self._gpu_share = 0.0
        self._peak_bytes = 0

    def look(self, cpu_s: float, memory_bytes: int, disk: Callable[[], float]) -> None:
        """The process has used ``cpu_s`` seconds of the CPU since the last look and holds so much memory. ``disk``
        gives the share of the disk that it takes up, and is asked once a minute."""
        minute = _now()
        if minute != self._minute:
            seconds = time.monotonic() - self._began
            if self._minute and seconds >= LEAST_S:
                self._write(seconds, disk())
                self._reset(minute)
            self._minute = minute
        self._cpu_s += cpu_s
        self._peak_bytes = max(self._peak_bytes, memory_bytes)

    def look_at_gpus(self, processes: Iterable[int]) -> str:
        """The same for what ``processes``, the process and all that came from it, use of GPUs.

        Gives a line for the job's log when that is not to be known, which is so from then on, and for this minute.
        """
        try:
            if self._find is not None:
                find, self._find = self._find, None
                self._gpus = find()
            if self._gpus is not None:
                seconds, share = self._gpus.look(processes)
                self._gpu_s += seconds
                self._gpu_share = max(self._gpu_share, share)
        except (ImportError, OSError) as error:  # some builds of Python have no ctypes
            self._let_go()
            self._gpus = None
            return f"GPUUtilization and GPUMemoryUtilization are not measured: {error}."
        return ""

    def end(self, disk: float) -> None:
        """The process has ended, and takes up this share of the disk."""
        self._let_go()
        seconds = time.monotonic() - self._began
        if self._minute and (seconds >= LEAST_S or not self._told):
            self._write(seconds, disk)

    def _let_go(self) -> None:
        if self._gpus is not None:
            self._gpus.close()

    def _write(self, seconds: float, disk: float) -> None:
        self._told = self._minute
        values = self._minutes[str(self._minute)] = {
            "CPUUtilization": round(100 * self._cpu_s / max(seconds, 0.001), 3),
            "MemoryUtilization": round(100 * self._peak_bytes / self._memory_bytes, 3),
            "DiskUtilization": round(100 * disk, 3),
        }
        if self._gpus is not None:
            values["GPUUtilization"] = round(100 * self._gpu_s / max(seconds, 0.001), 3)
            values["GPUMemoryUtilization"] = round(100 * self._gpu_share, 3)
        while len(self._minutes) > KEPT:
            del self._minutes[min(self._minutes, key=int)]
        aside = f"{self._path}.new"
        try:
            with open(aside, "w", encoding="utf-8", opener=_private) as file:
                file.write(dumps(self._minutes))
            os.rename(aside, self._path)
        except OSError:
            pass  # the disk is full, which others see to: the next minute may find room


def _now() -> int:
    """The minute that it is."""
    return int(time.time()) // MINUTE * MINUTE


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
