"""Counts what goes to endpoints: a request adds a few numbers in memory, and every second control is told their sums.

Each second's sums wait until control has kept them. They go in numbered batches, so that a batch which control kept
before it died is not kept twice when it is sent again. While control is away, what waits is put together, minute by
minute, so that it needs no more memory than there are minutes and endpoints.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from itertools import islice
from math import ceil, log

import msgspec

from clary.core.errors import ServiceError
from clary.core.exposition import Family, Sample
from clary.core.ids import token
from clary.edge.forward import Control
from clary.services.cloudwatch.api import Batch, Metric, Point, Summary
from clary.state.series_sketch import PER_LOG, Sketch
from clary.wire.http import Request

NAMESPACE = "AWS/SageMaker"
PATH = "/_clary/metrics"
"""Where control takes batches."""
EVERY_SECONDS = 1.0
LAST_SECONDS = 2.0
"""How long the process stays at its end to tell control what is left."""
MOST_TOLD = 200
"""How many minutes of endpoints go in one batch."""
MOST_WAITING = 2_000
"""From so many minutes of endpoints on, what waits is put together hour by hour."""
_MINUTE, _HOUR = 60, 3_600

logger = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode


Variant = tuple[str, str, str, str]
"""What invocations are counted by: account, region, endpoint, and the variant's name."""


class Counts:
    """The invocations of one variant within a second; latencies are microseconds."""

    __slots__ = ("answered_4xx", "answered_5xx", "errors", "invocations", "model", "overhead", "per_instance")

    def __init__(self) -> None:
        self.invocations = self.answered_4xx = self.answered_5xx = self.errors = 0
        self.per_instance = 0.0
        self.model = Latency()
        self.overhead = Latency()


class Latency:
    """How long something took: the same as ``Summary`` knows, quicker to add to."""

    __slots__ = ("buckets", "count", "least", "most", "sum")

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0.0
        self.least = float("inf")
        self.most = 0.0
        self.buckets: dict[int, int | float] = {}

    def summary(self) -> Summary:
        """For control."""
        return Summary(self.count, self.sum, self.least, self.most, Sketch(positive=self.buckets))


class Totals:
    """What was counted of one variant since the process began; seconds."""

    __slots__ = ("answered_4xx", "answered_5xx", "invocations", "model", "overhead")

    def __init__(self) -> None:
        self.invocations = self.answered_4xx = self.answered_5xx = 0
        self.model = [0.0, 0.0]
        """How many there were, and the sum of their seconds."""
        self.overhead = [0.0, 0.0]

    def add(self, counts: Counts) -> None:
        """What a second has brought."""
        self.invocations += counts.invocations
        self.answered_4xx += counts.answered_4xx
        self.answered_5xx += counts.answered_5xx
        for total, latency in ((self.model, counts.model), (self.overhead, counts.overhead)):
            total[0] += latency.count
            total[1] += latency.sum / 1e6


class Invocations:
    """All that is counted and that control has not kept yet."""

    def __init__(self, control: Control, clock: Callable[[], float] = time.time) -> None:
        self._control = control
        self._clock = clock
        self._counts: dict[Variant, Counts] = {}
        self._waiting: dict[tuple[Variant, int], dict[str, Summary]] = {}
        self._totals: dict[Variant, Totals] = {}
        self._sender = token(16)
        self._number = 0
        self._sent: bytes | None = None
        self._telling: asyncio.Task[None] | None = None

    def count(self, variant: Variant, status: int, model_us: float, overhead_us: float, instances: int = 1) -> None:
        """An invocation came to its end: the model answered with ``status``, or 0 where it did not answer.

        ``model_us`` is how long that took, 0 if it could not be asked, and ``overhead_us`` everything before that since
        the request began. ``instances`` share the variant's invocations.
        """
        counts = self._counts.get(variant)
        if counts is None:
            counts = self._counts[variant] = Counts()
        counts.invocations += 1
        counts.per_instance += 1 / max(1, instances)
        if not 200 <= status < 300:
            counts.errors += 1
            if 400 <= status < 500:
                counts.answered_4xx += 1
            elif not status or status >= 500:
                counts.answered_5xx += 1
        # Written out, for every request comes through here and a call costs as much as what it does.
        if model_us > 0:
            latency, value = counts.model, model_us
            latency.count += 1
            latency.sum += value
            if value < latency.least:
                latency.least = value
            if value > latency.most:
                latency.most = value
            index = ceil(log(value) * PER_LOG)
            latency.buckets[index] = latency.buckets.get(index, 0) + 1
        latency, value = counts.overhead, overhead_us
        latency.count += 1
        latency.sum += value
        if value < latency.least:
            latency.least = value
        if value > latency.most:
            latency.most = value
        index = ceil(log(value) * PER_LOG)
        latency.buckets[index] = latency.buckets.get(index, 0) + 1

    async def tell(self) -> None:
        """Tell control what was counted, second by second, until cancelled."""
        while True:
            # On the second, so that none of them is counted to two minutes.
            await asyncio.sleep(EVERY_SECONDS - self._clock() % EVERY_SECONDS)
            self._collect()
            if self._telling is None or self._telling.done():
                # Beside this, for it waits until control is there.
                self._telling = asyncio.create_task(self._tell())

    async def close(self) -> None:
        """Tell control what is left, if it can be reached."""
        try:
            async with asyncio.timeout(LAST_SECONDS):
                if self._telling is not None:
                    await self._telling
                self._collect()
                while self._waiting or self._sent is not None:
                    await self._tell()
        except TimeoutError:
            logger.warning("metrics of endpoints of the last seconds are lost: the control plane cannot be reached")

    def families(self, is_there: Callable[[str, str, str], bool]) -> Iterator[Family]:
        """What was counted, for Prometheus, of the endpoints that are there still: account, region and name say so."""
        for variant in [each for each in self._totals if not is_there(*each[:3])]:
            del self._totals[variant]
        invocations: list[Sample] = []
        latencies: dict[str, list[Sample]] = {"model": [], "overhead": []}
        for variant, totals in self._totals.items():
            of = dict(zip(("account", "region", "endpoint", "variant"), variant, strict=True))
            failed = {"4xx": totals.answered_4xx, "5xx": totals.answered_5xx}
            for status, count in {"2xx": totals.invocations - sum(failed.values()), **failed}.items():
                invocations.append(Sample({**of, "status": status}, count))
            for name, (times, seconds) in (("model", totals.model), ("overhead", totals.overhead)):
                latencies[name] += [Sample(of, seconds, "_sum"), Sample(of, times, "_count")]
        yield Family("clary_endpoint_invocations_total", "counter", "Invocations, as the model answered.", invocations)
        text = "From asking the model to its whole answer."
        yield Family("clary_endpoint_model_seconds", "summary", text, latencies["model"])
        text = "From the arrival of an invocation to asking the model."
        yield Family("clary_endpoint_overhead_seconds", "summary", text, latencies["overhead"])

    def forget(self) -> None:
        """Forget everything, after a reset."""
        self._counts.clear()
        self._totals.clear()
        self._waiting.clear()
        self._sent = None

    async def _tell(self) -> None:
        """Send a batch, one that was sent in vain before all others."""
        if self._sent is None:
            if not self._waiting:
                return
            self._sent = _encode(self._batch())
        sent = self._sent
        try:
            answer = await self._control.send(Request("POST", PATH, body=sent), "clary", "", None, "metrics")
        except ServiceError as error:
            logger.warning("metrics of endpoints wait for the control plane: %s", error.message)
            return
        if answer.status >= 500:
            logger.warning("control has not kept the metrics of endpoints: %s", answer.body)
            return
        if answer.status != 200:
            logger.error("control does not take the metrics of endpoints, which are lost: %s", answer.body)
        if self._sent is sent:
            self._sent = None

    def _collect(self) -> None:
        """Put what was counted since the last time to what waits."""
        counted, self._counts = self._counts, {}
        # The second that has just ended; the task is called a moment after it.
        minute = int(self._clock() - EVERY_SECONDS / 2) // _MINUTE * _MINUTE
        for variant, counts in counted.items():
            self._totals.setdefault(variant, Totals()).add(counts)
            self._put(variant, minute, _summaries(counts))
        if len(self._waiting) > MOST_WAITING:
            whole, self._waiting = self._waiting, {}
            for (variant, first), summaries in whole.items():
                self._put(variant, first - first % _HOUR, summaries)

    def _put(self, variant: Variant, minute: int, summaries: dict[str, Summary]) -> None:
        present = self._waiting.setdefault((variant, minute), summaries)
        if present is not summaries:
            for name, summary in summaries.items():
                if name in present:
                    present[name].merge(summary)
                else:
                    present[name] = summary

    def _batch(self) -> Batch:
        """The first of what waits, which waits no longer."""
        values: dict[tuple[str, str], list[Point]] = {}
        for key in list(islice(self._waiting, MOST_TOLD)):
            (account, region, endpoint, name), minute = key
            dimensions = (("EndpointName", endpoint), ("VariantName", name))
            points = values.setdefault((account, region), [])
            for metric, summary in self._waiting.pop(key).items():
                unit = "Microseconds" if metric.endswith("Latency") else "None"
                points.append(Point(Metric(NAMESPACE, metric, dimensions), unit, _MINUTE, minute, summary))
        self._number += 1
        return Batch(self._sender, self._number, [(*place, points) for place, points in values.items()])


def _summaries(counts: Counts) -> dict[str, Summary]:
    """By the names that SageMaker gives them; of errors there is a 1 for each that is one, and else a 0."""
    errors = {
        "Invocation4XXErrors": counts.answered_4xx,
        "Invocation5XXErrors": counts.answered_5xx,
        "InvocationModelErrors": counts.errors,
    }
    latencies = {"ModelLatency": counts.model, "OverheadLatency": counts.overhead}
    return {
        "Invocations": _ones(counts.invocations, counts.invocations),
        "InvocationsPerInstance": _alike(counts.per_instance, counts.invocations),
        **{name: _ones(count, counts.invocations) for name, count in errors.items()},
        **{name: latency.summary() for name, latency in latencies.items() if latency.count},
    }


def _ones(ones: int, of: int) -> Summary:
    summary = Summary()
    if ones:
        summary.add(1.0, ones)
    if of > ones:
        summary.add(0.0, of - ones)
    return summary


def _alike(total: float, count: int) -> Summary:
    summary = Summary()
    summary.add(total / count, count)
    return summary
