"""Runs the reconcilers: one look at a time for each resource that has work to do.

The database says which resources have work (``wake_at``); this process leases them, and keeps in memory when to look at
each next, so that waiting for a job costs no writes. The leases of a process that dies run out, and another goes on, or
its successor of the same name takes them over.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import NamedTuple

from clary.control.measured import Durations
from clary.control.spans import trace_look
from clary.control.wake import Others
from clary.core.exposition import Family, single
from clary.core.ids import token
from clary.core.tracing import Span, Tracer
from clary.resources.context import Platform, Reconciler
from clary.state.records import Record, VersionConflict
from clary.state.transaction import Transaction

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0
CLAIM_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 60.0
FAULT_SECONDS = 1.0
"""How long the scheduler rests when the database does not take its leases, for example because the disk is full."""

LONGEST_ERROR = 300
"""Characters of an error that are kept for people; the log has all."""


@dataclass
class Look:
    """One look at one resource, under a lease (see ``clary.resources.context.Reconciliation``)."""

    platform: Platform
    record: Record
    fence: int
    saved: bool = False
    """Whether the look has changed the resource."""
    spans: list[Span] = field(default_factory=list)
    """Those that were told to be over."""

    def save(self, also: Callable[[Transaction], object] | None = None) -> None:
        """Store ``record``, and in the same transaction what ``also``, called with it, does.

        Raises ``VersionConflict`` if the record changed since it was read or if the lease is lost.
        """
        self.record.modified = self.platform.clock()
        with self.platform.database.write() as transaction:
            transaction.update(self.record, fence=self.fence)
            if also is not None:
                also(transaction)
        self.saved = True

    def rest(self, until: float) -> None:
        """Store ``record`` and give the lease back, until somebody changes it or until that time."""
        self.record.wake_at = until
        self.record.modified = self.platform.clock()
        with self.platform.database.write() as transaction:
            transaction.update(self.record, fence=self.fence, release=True)
        self.saved = True

    def delete(self, also: Callable[[Transaction], object] | None = None) -> None:
        """Remove the record; otherwise as ``save``."""
        with self.platform.database.write() as transaction:
            transaction.delete(self.record)
            if also is not None:
                also(transaction)

    def trace(self, spans: Iterable[Span]) -> None:
        """Tell spans that are over, which are sent if the look is saved."""
        self.spans += spans


class Failing(NamedTuple):
    """A resource whose looks fail: how often in a row, and how the last one did."""

    times: int
    error: str


class Scheduler:
    """Leases resources and calls their reconcilers, each in a thread, never two at once for the same resource."""

    def __init__(self, name: str, reconcilers: Mapping[tuple[str, str], Reconciler], executor: Executor) -> None:
        """``name`` is that of the process, of which there is one at a time."""
        self._reconcilers = reconcilers
        self._executor = executor
        self._name = name
        self._owner = f"{name}:{token(16)}"
        self._fences: dict[int, int] = {}
        self._due: list[tuple[float, int]] = []
        self._next: dict[int, float] = {}
        self._running: set[int] = set()
        self._again: set[int] = set()
        self.failing: dict[int, Failing] = {}
        """By row; for the loop's thread, and for others to copy."""
        self._durations = Durations()
        self._event = asyncio.Event()
        self._unknown = True
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._gate = threading.Condition()
        self._looking = 0
        self._quiet = False
        self._claimed = self._renewed = float("-inf")
        self._latest = float("inf")
        self.others = Others(())
        """The processes that share the work."""
        self.tracer: Tracer | None = None
        """Takes the spans of looks, where that is wanted."""
        self._taken_over = False

    def wake(self, row_id: int) -> None:
        """Look at this resource now; may be called from any thread."""
        self._loop.call_soon_threadsafe(self.heard, row_id, False)

    def heard(self, row_id: int, passed_on: bool) -> None:
        """The same in the loop's thread; ``passed_on`` if it is another process that heard of it."""
        if row_id in self._fences:
            self._plan(row_id, 0.0)
        else:
            self._unknown = True
            if not passed_on:
                self.others.tell(row_id)
        self._event.set()

    def _plan(self, row_id: int, seconds: float) -> None:
        if row_id in self._running:
            # It changed while it was looked at: that look may have missed it.
            self._again.add(row_id)
            return
        at = self._loop.time() + seconds
        self._next[row_id] = at
        heapq.heappush(self._due, (at, row_id))

    async def run(self, platform: Platform) -> None:
        """Work until cancelled."""
        self._platform = platform
        while True:
            try:
                await self._see_to_leases()
            except Exception:
                # Were this the end, every job would stay as it is for ever.
                log.exception("leases cannot be taken, again in %.0f s", FAULT_SECONDS)
                self._unknown = True
                await asyncio.sleep(FAULT_SECONDS)
                continue
            self._start_due()
            pause = CLAIM_SECONDS
            if self._due:
                pause = min(pause, max(0.0, self._due[0][0] - self._loop.time()))
            try:
                await asyncio.wait_for(self._event.wait(), pause)
            except TimeoutError:
                continue
            finally:
                self._event.clear()

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Within the block no reconciler runs: those under way are waited for. Not for the loop's thread."""
        with self._gate:
            self._gate.wait_for(lambda: not self._quiet)
            self._quiet = True
            self._gate.wait_for(lambda: not self._looking)
        try:
            yield
        finally:
            with self._gate:
                self._quiet = False
                self._gate.notify_all()

    async def _see_to_leases(self) -> None:
        now = self._loop.time()
        if not self._taken_over:
            await self._loop.run_in_executor(self._executor, self._take_over)
        self._taken_over = True
        if self._unknown or now - self._claimed >= CLAIM_SECONDS:
            self._unknown = False
            self._claimed = now
            await self._claim()
        if now - self._renewed >= RENEW_SECONDS:
            self._renewed = now
            if self._fences:
                await self._loop.run_in_executor(self._executor, self._renew)

    async def _claim(self) -> None:
        for record in await self._loop.run_in_executor(self._executor, self._claim_due):
            self._fences[record.id] = record.fence
            self._plan(record.id, 0.0)

    def _claim_due(self) -> list[Record]:
        now = self._platform.clock()
        if now < self._latest:
            # The clock was set back, now or before this process began: what was to be done at once is not to wait.
            with self._platform.database.write() as transaction:
                transaction.make_due(now)
        self._latest = now
        with self._platform.database.read() as transaction:
            if not transaction.any_due(now):
                return []
        with self._platform.database.write() as transaction:
            return transaction.claim(self._owner, now, now + LEASE_SECONDS)

    def _take_over(self) -> None:
        with self._platform.database.write() as transaction:
            transaction.take_over(self._name)

    def _renew(self) -> None:
        with self._platform.database.write() as transaction:
            transaction.renew(self._owner, self._platform.clock() + LEASE_SECONDS)

    def _start_due(self) -> None:
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            at, row_id = heapq.heappop(self._due)
            if self._next.get(row_id) != at or row_id in self._running:
                continue
            del self._next[row_id]
            self._running.add(row_id)
            task = self._loop.create_task(self._look(row_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look(self, row_id: int) -> None:
        try:
            seconds = await self._loop.run_in_executor(self._executor, self._reconcile, row_id, self._fences[row_id])
        except VersionConflict:
            seconds = 0.0
        except Exception as error:
            failures = self.failing[row_id].times + 1 if row_id in self.failing else 1
            self.failing[row_id] = Failing(failures, f"{type(error).__name__}: {error}"[:LONGEST_ERROR])
            seconds = min(LONGEST_PAUSE_SECONDS, 0.5 * 2**failures)
            log.exception("reconciling row %d failed %d times, again in %.0f s", row_id, failures, seconds)
        else:
            self.failing.pop(row_id, None)
        self._running.discard(row_id)
        again = row_id in self._again
        self._again.discard(row_id)
        if seconds is None:
            # The lease is given back; what happened meanwhile has made it due, so that it is claimed anew.
            self._fences.pop(row_id, None)
            self._unknown = True
        else:
            self._plan(row_id, 0.0 if again else seconds)
        self._event.set()

    def _reconcile(self, row_id: int, fence: int) -> float | None:
        with self._gate:
            self._gate.wait_for(lambda: not self._quiet)
            self._looking += 1
        try:
            return self._reconcile_row(row_id, fence)
        finally:
            with self._gate:
                self._looking -= 1
                self._gate.notify_all()

    def _reconcile_row(self, row_id: int, fence: int) -> float | None:
        with self._platform.database.read() as transaction:
            record = transaction.by_id(row_id)
        if record is None or record.fence != fence or record.wake_at is None:
            return None
        kind = record.key.kind
        reconciler = self._reconcilers[record.key.service, kind]
        begun = perf_counter()
        failed = True
        try:
            began = time.time()
            look = Look(self._platform, record, fence)
            seconds = reconciler(look)
            failed = False
            if self.tracer is not None and look.saved:
                trace_look(self.tracer, record, look.spans, began, time.time())
        except VersionConflict:
            failed = False  # it is looked at again at once
            raise
        finally:
            self._durations.add(kind, perf_counter() - begun, failed)
        return seconds

    def families(self) -> list[Family]:
        """What was counted, for Prometheus; from any thread."""
        return [
            self._durations.family("clary_reconcile_seconds", "Looks of the reconcilers at resources.", "kind"),
            self._durations.failures("clary_reconcile_failures_total", "Looks that ended with an error.", "kind"),
            single("clary_reconcile_failing", "gauge", "Resources whose last look failed.", len(self.failing)),
            single("clary_leases", "gauge", "Resources with work that this process looks after.", len(self._fences)),
            single("clary_looks_in_progress", "gauge", "Looks that are under way.", len(self._running)),
            single("clary_looks_due", "gauge", "Resources that wait for a look, or for its time.", len(self._next)),
        ]
