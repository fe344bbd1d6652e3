"""What a control process tells of itself and of the work: numbers for Prometheus, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict
from time import perf_counter
from typing import Any

from clary.compute.isolation.select import IsolationUnavailable, select
from clary.control.measured import MeasuredDatabase
from clary.control.scheduler import Failing, Scheduler
from clary.core.exposition import plain, usage
from clary.core.problems import MOST_NAMED, Affected, Problem
from clary.resources.context import Platform
from clary.services.health import work

FAILS_OFTEN = 3
"""From so many failures in a row on, a look is not just unlucky."""
SLOW_SECONDS = 0.5
"""From so long on, a transaction that asks for next to nothing is slow."""


class Watching:
    """Tells it to the edge; from any thread."""

    def __init__(self, platform: Platform, database: MeasuredDatabase, scheduler: Scheduler) -> None:
        self._platform = platform
        self._database = database
        self._scheduler = scheduler

    def numbers(self) -> dict[str, Any]:
        """What this process counts."""
        tracer = self._scheduler.tracer
        spans = tracer.families() if tracer is not None else []
        return {"families": plain([*self._scheduler.families(), *self._database.families(), *spans, *usage()])}

    def work(self) -> dict[str, Any]:
        """How much work there is: the same from every process."""
        return {"families": plain(work.counted(self._platform))}

    def own_problems(self) -> dict[str, Any]:
        """What is wrong with this process and its looks at resources, whosever they are."""
        return {
            "problems": [asdict(each) for each in (*self._failing(), *self._database_problems(), *self._isolation())]
        }

    def problems(self, account: str) -> dict[str, Any]:
        """What is wrong with the work of an account."""
        return {"problems": [asdict(each) for each in work.problems(self._platform, account)]}

    def _failing(self) -> list[Problem]:
        failing: dict[int, Failing] = {
            row: each for row, each in list(self._scheduler.failing.items()) if each.times >= FAILS_OFTEN
        }
        if not failing:
            return []
        worst = max(failing, key=lambda row: failing[row].times)
        affected = []
        with self._platform.database.read() as transaction:
            for row in sorted(failing, key=lambda row: -failing[row].times)[:MOST_NAMED]:
                if (record := transaction.by_id(row)) is not None:
                    affected.append(Affected(record.key.kind, record.name, record.key.region))
        names = ", ".join(f"{each.kind} {each.name}" for each in affected) or f"row {worst}"
        count = len(failing)
        text = f"{names}: the next step has failed {failing[worst].times} times ({failing[worst].error})"
        remedy = f"It is tried again each minute; the log of control has the whole error under row {worst}."
        return [Problem("error", "FailingReconcilers", text, remedy, tuple(affected), count)]

    def _database_problems(self) -> list[Problem]:
        begun = perf_counter()
        with self._platform.database.read() as transaction:
            transaction.any_due(0.0)
        seconds = perf_counter() - begun
        if seconds < SLOW_SECONDS:
            return []
        text = f"The database took {seconds:.1f} s to answer the smallest question"
        return [Problem("warning", "SlowDatabase", text, "See what else uses its disk or its server.")]

    def _isolation(self) -> list[Problem]:
        try:
            select(self._platform.settings)
        except IsolationUnavailable as error:
            text = f"Jobs cannot be held as the settings ask: {error}"
            return [Problem("error", "WeakIsolation", text, "clary doctor says what to install; until then jobs fail.")]
        return []
