"""Where the values of a metric come from: the points that were put, and what training jobs measured.

What a training job measures is kept with the job already (see ``clary.state.metrics``); here it is only shown under the
name that SageMaker gives it in CloudWatch.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/training-metrics.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from clary.resources.context import Platform
from clary.services.sagemaker.execution.api import RUN, agents
from clary.services.sagemaker.training.metrics import final_metrics, measured
from clary.state.metrics import Measurement
from clary.state.records import Key, Record
from clary.state.series_points import Metric, Summary
from clary.state.transaction import Transaction

TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
TRAINING_JOB = "TrainingJobName"
TRAINING_JOB_KIND = ("sagemaker", "TrainingJob", "")
"""Service, kind and parent of training jobs among the resources."""
_NO_UNIT = "None"
_AT_WORK = ("InProgress", "Stopping")


class Reader(Protocol):
    """Whose metrics are read: what asks for them, such as a request's context."""

    @property
    def platform(self) -> Platform: ...

    @property
    def account(self) -> str: ...

    @property
    def region(self) -> str: ...


@dataclass(frozen=True)
class Place:
    """A ``Reader`` where no request asks."""

    platform: Platform
    account: str
    region: str


@dataclass(frozen=True)
class Wanted:
    """Which points of a metric are wanted."""

    metric: Metric
    start: int
    end: int
    """The first second, and the one after the last."""
    period: int
    """The seconds that one point sums up; the first begins at ``start``."""
    unit: str | None
    """The unit that values must have, where it matters."""
    percentiles: bool
    """Whether more must be known of each point than count, sum, minimum and maximum."""


Sums = dict[tuple[int, str], Summary]
"""By the start of a period and the unit, in the order of time."""


def summed_up(context: Reader, transaction: Transaction, wanted: Wanted) -> Sums:
    """The values of a metric, period by period and apart by their units."""
    sums: Sums = {}
    for time, unit, summary in _points(context, transaction, wanted):
        key = (time - (time - wanted.start) % wanted.period, unit)
        if key in sums:
            sums[key].merge(summary)
        else:
            sums[key] = summary
    job = training_job(context, transaction, wanted.metric)
    if job is not None and wanted.unit in (None, _NO_UNIT):
        for value in _measured(context, transaction, job, wanted):
            time = int(value.time)
            key = (time - (time - wanted.start) % wanted.period, _NO_UNIT)
            if key not in sums:
                sums[key] = Summary() if wanted.percentiles else Summary(sketch=None)
            sums[key].add(value.value)
    return dict(sorted(sums.items()))


def merged(context: Reader, transaction: Transaction, wanted: Wanted) -> dict[int, Summary]:
    """The values of a metric, period by period, whatever their units."""
    found: dict[int, Summary] = {}
    for (time, _), summary in summed_up(context, transaction, wanted).items():
        if time in found:
            found[time].merge(summary)
        else:
            found[time] = summary
    return found


def _points(context: Reader, transaction: Transaction, wanted: Wanted) -> Iterator[tuple[int, str, Summary]]:
    row = transaction.series.row(context.account, context.region, wanted.metric)
    if row is not None:
        yield from transaction.series.read(
            row, wanted.start, wanted.end, wanted.period, wanted.unit, wanted.percentiles
        )


def training_job(context: Reader, transaction: Transaction, metric: Metric) -> Record | None:
    """The training job that measured ``metric``, if it is one of a job's."""
    if metric.namespace != TRAINING_JOBS or len(metric.dimensions) != 1 or metric.dimensions[0][0] != TRAINING_JOB:
        return None
    name = metric.dimensions[0][1]
    return transaction.get(Key(context.account, context.region, *TRAINING_JOB_KIND, name))


def last_values(context: Reader, job: Record) -> list[dict[str, Any]]:
    """What a training job measured last of each metric, as ``FinalMetricDataList`` tells it."""
    if job.status in _AT_WORK:
        return final_metrics(_files(context, job))
    return list(job.document.get("FinalMetricDataList", []))


def _measured(context: Reader, transaction: Transaction, job: Record, wanted: Wanted) -> Iterator[Measurement]:
    if job.status not in _AT_WORK:
        yield from transaction.metrics.values(job.id, wanted.metric.name, wanted.start, wanted.end)
        return
    # What a job measures is put into the database when it has ended; until then it stands in its file.
    for value in measured(_files(context, job)):
        if value.name == wanted.metric.name and wanted.start <= value.time < wanted.end:
            yield value


def _files(context: Reader, job: Record) -> Sequence[Path]:
    """Where a job that is at work reports its metrics; none before it is launched."""
    launched = job.document.get(RUN, {}).get("launched")
    return agents(context.platform, job).metrics() if launched else []
