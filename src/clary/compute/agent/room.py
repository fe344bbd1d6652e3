"""How much of the disk a job takes up, found out without walking through its files all the time.

Nothing here holds a job back: a disk of its own, or a quota, takes a file system made for that. Looked at several times
a second, a job that writes too much is ended soon after.
"""

from __future__ import annotations

import os
import time

from clary.compute.agent.beneath import TooMuchError, allocated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from clary.compute.agent.folder import JobFolder

FULL = "No space left on device. Free some space on the disk that holds Clary's home folder."
LARGEST_RESERVE, SHARE_OF_RESERVE = 256 << 20, 16
"""Bytes of the disk that jobs must leave to the platform, on a small disk that part of it."""
LARGEST_STEP, STEPS = 256 << 20, 20
"""By how many bytes the free space must have fallen, or by which part of what the job may have, to look again."""
LONGEST_S = 30.0
"""Seconds after which its files are looked at in any case: what others free meanwhile would hide what it writes."""
PATIENCE = 20
"""Times as long as looking takes, that pass until the next look."""
_DELETED = " (deleted)"


class Room:
    """What one job may take up: at most ``most`` bytes, and never what the platform needs."""

    def __init__(self, folder: JobFolder, most: int | None) -> None:
        self._path = folder.path
        self._most = most
        disk = os.statvfs(self._path)
        self._reserve = min(LARGEST_RESERVE, disk.f_blocks * disk.f_frsize // SHARE_OF_RESERVE)
        self._first = self._last = disk.f_bavail * disk.f_frsize
        self._step = min(LARGEST_STEP, (most or LARGEST_STEP) // STEPS)
        self._size = disk.f_blocks * disk.f_frsize
        self._taken = 0
        self._looked_at = self._costs = 0.0

    def passed(self, processes: Iterable[int]) -> tuple[str, str] | None:
        """The class and the text of the message, if the job, which runs in these processes, takes up too much."""
        disk = os.statvfs(self._path)
        free = disk.f_bavail * disk.f_frsize
        if free < self._reserve and self._first - free > self._reserve // 4:
            return "AlgorithmError", FULL
        now = time.monotonic()
        if self._most is None or now - self._looked_at < PATIENCE * self._costs:
            return None
        if self._last - free < self._step and now - self._looked_at < LONGEST_S:
            return None
        try:
            self._measure(processes, free)
        except TooMuchError as error:
            return "ClientError", f"The files of the job cannot be kept: {error.strerror}."
        if self._taken > self._most:
            return "ClientError", (
                f"Insufficient disk space: the files of the job take up {self._taken >> 20} MiB, and its volume has"
                f" {self._most >> 20} MiB. Choose a larger VolumeSizeInGB."
            )
        return None

    def share(self, processes: Iterable[int]) -> float:
        """Which part of its volume the job takes up, or of the disk where it has none."""
        since = time.monotonic() - self._looked_at
        # A job with a volume is looked at by ``passed``, and that is often enough.
        if self._most is None and since >= max(LONGEST_S, PATIENCE * self._costs):
            try:
                disk = os.statvfs(self._path)
                self._measure(processes, disk.f_bavail * disk.f_frsize)
            except OSError:
                pass  # what was known before is the best that there is
        return self.known()

    def known(self) -> float:
        """The same, as it was when somebody looked last."""
        return self._taken / (self._most or self._size)

    def _measure(self, processes: Iterable[int], free: int) -> None:
        began = time.monotonic()
        self._taken = self.used(processes)
        self._looked_at, self._last, self._costs = time.monotonic(), free, time.monotonic() - began

    def used(self, processes: Iterable[int]) -> int:
        """Bytes that everything in the job's folder takes up, and files that have no name any more and are still open
        in these processes. Raises ``TooMuchError``."""
        top = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            here = os.fstat(top).st_dev
            return allocated(top) + sum(size for device, size in nameless(processes) if device == here)
        finally:
            os.close(top)


def nameless(processes: Iterable[int]) -> list[tuple[int, int]]:
    """The device of each file that is open in ``processes`` without having a name, such as one in memory alone, and the
    bytes that it takes up."""
    found: dict[tuple[int, int], int] = {}
    for process in processes:
        folder = f"/proc/{process}/fd"
        try:
            for number in os.listdir(folder):
                path = f"{folder}/{number}"
                if os.readlink(path).endswith(_DELETED):
                    status = os.stat(path)
                    found[status.st_dev, status.st_ino] = status.st_blocks * 512
        except OSError:
            continue  # it ended, or closed the file
    return [(device, size) for (device, _), size in found.items()]
