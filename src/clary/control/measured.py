"""What a control process counts of its own work: looks of the reconcilers, and transactions."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from typing import Literal

from clary.core.exposition import Family, Sample
from clary.state.database import Database
from clary.state.transaction import Transaction

BOUNDS = (0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Seconds; the upper ends of the buckets."""


class Durations:
    """How long things of several kinds took; for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted: dict[str, list[float]] = {}
        """By kind: a count for each bucket and beyond, and then the sum of seconds."""
        self._failed: dict[str, int] = {}

    def add(self, kind: str, seconds: float, failed: bool = False) -> None:
        """Something of this kind is over."""
        with self._lock:
            if failed:
                self._failed[kind] = self._failed.get(kind, 0) + 1
            counted = self._counted.get(kind)
            if counted is None:
                counted = self._counted[kind] = [0.0] * (len(BOUNDS) + 2)
            counted[bisect_left(BOUNDS, seconds)] += 1
            counted[-1] += seconds

    def family(self, name: str, text: str, label: str) -> Family:
        """The histogram, with the kind under ``label``."""
        samples: list[Sample] = []
        with self._lock:
            for kind, counted in self._counted.items():
                total = 0.0
                for bound, count in zip((*BOUNDS, "+Inf"), counted, strict=False):
                    total += count
                    samples.append(Sample({label: kind, "le": str(bound)}, total, "_bucket"))
                samples += [Sample({label: kind}, counted[-1], "_sum"), Sample({label: kind}, total, "_count")]
        return Family(name, "histogram", text, samples)

    def failures(self, name: str, text: str, label: str) -> Family:
        """How many of them failed, with the kind under ``label``."""
        with self._lock:
            return Family(name, "counter", text, [Sample({label: kind}, count) for kind, count in self._failed.items()])


class MeasuredDatabase(Database):
    """A database whose transactions are counted, with the time they wait for their turn."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._durations = Durations()

    def read(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]
        """As the database's own."""
        return self._measured("read", super().read())

    def write(self) -> AbstractContextManager[Transaction]:  # type: ignore[override]
        """As the database's own."""
        return self._measured("write", super().write())

    @contextmanager
    def _measured(
        self, kind: Literal["read", "write"], entered: AbstractContextManager[Transaction]
    ) -> Iterator[Transaction]:
        begun = perf_counter()
        try:
            with entered as transaction:
                yield transaction
        finally:
            self._durations.add(kind, perf_counter() - begun)

    def families(self) -> list[Family]:
        """What was counted, for Prometheus."""
        text = "Transactions, with the time they waited for their turn."
        return [self._durations.family("clary_database_transaction_seconds", text, "access")]
