"""The one thread that writes the index: everything that waits is committed, and synced to disk, together."""

from __future__ import annotations

import asyncio
import errno
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .blobs import BlobFiles, Numbers, sync_folder
from .errors import InsufficientStorageCapacity
from .index import buckets
from .model import Bucket
from .transaction import Transaction

T = TypeVar("T")
_BATCH = 256
"""Jobs in one commit: enough to hide the cost of a sync, few enough that nobody waits long."""


@dataclass
class _Job:
    change: Callable[[Transaction], Any]
    new_blob: int | None
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    freed: list[int] = field(default_factory=list)
    noticed: asyncio.Event | None = None
    """To be set once the change is on disk, if it left notices."""


class Writer:
    """Runs changes of the index one after the other and commits them in groups; ``buckets`` is what the last commit
    left."""

    def __init__(self, connection: sqlite3.Connection, files: BlobFiles, numbers: Numbers) -> None:
        self._connection = connection
        self._files = files
        self._numbers = numbers
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="objects-writer", daemon=True)
        self.buckets: dict[str, Bucket] = buckets(connection)
        self.noticed = asyncio.Event()
        """Set when there may be notices to deliver; at the start there may be some of before."""
        self.noticed.set()
        self._thread.start()

    async def run(self, change: Callable[[Transaction], T], new_blob: int | None = None) -> T:
        """Runs ``change`` in the writer's thread; returns its result once it is on disk.

        What ``change`` raises undoes it alone and is raised here. ``new_blob`` is a blob file that ``change``
        publishes: its name is made durable first, and the file is removed if the change fails. Cancelling the
        caller does not stop the change.
        Raises ``InsufficientStorageCapacity`` if the disk is full.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Job(change, new_blob, future))
        return await future

    def close(self) -> None:
        """Finishes what waits and closes the connection."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        open_for_work = True
        while open_for_work:
            batch = [self._queue.get()]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            open_for_work = None not in batch
            jobs = [job for job in batch if job is not None]
            if jobs:
                self._commit(jobs)
        self._connection.close()

    def _commit(self, jobs: list[_Job]) -> None:
        folders = {self._files.path(job.new_blob).parent for job in jobs if job.new_blob is not None}
        changed = False
        try:
            for folder in folders:
                sync_folder(folder)
            Transaction.begin(self._connection)
            for job in jobs:
                changed |= self._apply(job)
            Transaction.commit(self._connection, self._numbers())
        except (sqlite3.Error, OSError) as error:
            Transaction.rollback(self._connection)
            for job in jobs:
                job.error = job.error or _translated(error)
        if changed:
            self.buckets = buckets(self._connection)
        for job in jobs:
            if job.error is not None and job.new_blob is not None:
                self._files.discard(job.new_blob)
        self._files.reclaim(blob for job in jobs if job.error is None for blob in job.freed)
        _answer(jobs)

    def _apply(self, job: _Job) -> bool:
        transaction = Transaction(self._connection)
        try:
            with transaction:
                job.result = job.change(transaction)
        except sqlite3.OperationalError:
            # A full disk or a failing one: nothing of this batch can be trusted to be there.
            raise
        except Exception as error:  # noqa: BLE001 - handed to the one who asked for the change
            job.error = error
            return False
        job.freed = transaction.freed
        job.noticed = self.noticed if transaction.has_notices else None
        return transaction.buckets_changed


def _answer(jobs: list[_Job]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
    for job in jobs:
        by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, group in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, group)
        except RuntimeError:
            # The loop is closed: whoever asked is gone, and the change is on disk.
            continue


def _settle(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.noticed is not None and job.error is None:
            job.noticed.set()
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _translated(error: Exception) -> Exception:
    return InsufficientStorageCapacity() if is_full(error) else error


def is_full(error: BaseException) -> bool:
    """Whether ``error`` says that the disk, or the user's share of it, is full."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
