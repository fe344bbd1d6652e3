"""Blob files: immutable, named by a number, published only by a row of the index.

A blob is written under its last name at once. Nothing refers to it until the index commits, so that a crash can leave a
file without a row, which the next start sweeps away, and never a row without a whole file.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from clary.core.locks import is_held

from .hold import NAME as HOLD

_FOLDER_BITS = 36
"""Blobs of the same 2**36 nanoseconds (69 s) share a folder: few folders to sync per commit, few files in each."""


class Numbers:
    """Rising numbers, close to the clock in nanoseconds; never one twice, also if the clock goes back."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._lock = threading.Lock()

    def __call__(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns())
            return self._last


class BlobFiles:
    """The folder of blob files, and the memory of who is reading which."""

    def __init__(self, root: Path, numbers: Numbers) -> None:
        self.root = root
        self._hold = root.parent / HOLD
        self._numbers = numbers
        self._lock = threading.Lock()
        self._lookups: set[object] = set()
        self._pins: Counter[int] = Counter()
        self._doomed: dict[int, frozenset[object]] = {}
        self.streams = 0
        """How many files are being read at the pace of whoever takes their bytes."""

    def path(self, blob: int) -> Path:
        return self.root / f"{blob >> _FOLDER_BITS:x}" / f"{blob:x}"

    def create(self) -> tuple[int, int]:
        """A new blob: its number and a file descriptor to write to. Raises ``OSError``."""
        while True:
            blob = self._numbers()
            path = self.path(blob)
            try:
                return blob, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
            except FileNotFoundError:
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_folder(self.root)
            except FileExistsError:
                # Left by a process whose clock was ahead of ours; the sweep decides about it.
                continue

    def discard(self, blob: int) -> None:
        """Removes the file of a blob that was never published."""
        self.path(blob).unlink(missing_ok=True)

    # A reader looks a blob up and then opens it; between the two a delete may commit. So files are removed only after
    # every lookup that began before the commit has ended, and no reader has the blob pinned.

    @contextlib.contextmanager
    def lookup(self) -> Iterator[None]:
        """Around reading the index and pinning what was found."""
        token = object()
        with self._lock:
            self._lookups.add(token)
        try:
            yield
        finally:
            with self._lock:
                self._lookups.discard(token)
                ready = self._ready()
            self._unlink(ready)

    def pin(self, blobs: Iterable[int]) -> None:
        """Keeps the files of ``blobs`` until ``unpin``."""
        with self._lock:
            self._pins.update(blobs)

    def unpin(self, blobs: Iterable[int]) -> None:
        with self._lock:
            self._pins.subtract(blobs)
            self._pins = +self._pins
            ready = self._ready()
        self._unlink(ready)

    def reclaim(self, blobs: Iterable[int]) -> None:
        """Removes the files of blobs that the index has let go, as soon as nobody reads them."""
        with self._lock:
            waiting = frozenset(self._lookups)
            self._doomed.update((blob, waiting) for blob in blobs)
            ready = self._ready()
        self._unlink(ready)

    def _ready(self) -> list[int]:
        if not self._doomed or is_held(self._hold):
            return []
        ready = [b for b, waiting in self._doomed.items() if b not in self._pins and not waiting & self._lookups]
        for blob in ready:
            del self._doomed[blob]
        return ready

    def _unlink(self, blobs: list[int]) -> None:
        for blob in blobs:
            self.path(blob).unlink(missing_ok=True)

    def sweep(self, before: int, known: Callable[[list[int]], set[int]], stop: threading.Event) -> int:
        """Removes blob files numbered below ``before`` that the index does not ``know``; the number of files removed.

        Ends early once ``stop`` is set. Folders left empty go too, except the newest ones, where files are being made.
        """
        removed = 0
        for folder in sorted(self.root.iterdir()):
            batch: list[int] = []
            with os.scandir(folder) as entries:
                for entry in entries:
                    if stop.is_set():
                        return removed
                    with contextlib.suppress(ValueError):
                        batch.append(int(entry.name, 16))
                    if len(batch) == 500:
                        removed += self._sweep(batch, before, known)
                        batch = []
            removed += self._sweep(batch, before, known)
            if int(folder.name, 16) < before >> _FOLDER_BITS:
                with contextlib.suppress(OSError):  # not empty
                    folder.rmdir()
        return removed

    def _sweep(self, batch: list[int], before: int, known: Callable[[list[int]], set[int]]) -> int:
        if is_held(self._hold):
            return 0  # what the index has let go since then goes with the next start
        old = [blob for blob in batch if blob < before]
        orphans = set(old) - known(old)
        for blob in orphans:
            self.path(blob).unlink(missing_ok=True)
        return len(orphans)


def sync_folder(folder: Path) -> None:
    """Makes the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
