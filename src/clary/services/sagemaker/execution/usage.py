"""What a job has used, as the metrics that SageMaker publishes of its instances.

One value at the end of the job stands for all of it: the mean utilization of the CPU, and the most memory in use.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker.execution.api import RUN
from clary.state.records import Record
from clary.state.series_points import Metric, Point, Summary
from clary.state.transaction import Transaction

_PERCENT = "Percent"
_SPAN = 60


def publish_usage(transaction: Transaction, record: Record, namespace: str, time: float) -> None:
    """Keep ``CPUUtilization`` (percent, 100 for each core) and ``MemoryUtilization`` (percent of what the job may use)
    of each host of a job that ended at ``time``.

    Nothing is kept of a host whose process never ran, or whose agent did not live to tell.
    """
    run: Mapping[str, Any] = record.document[RUN]
    for host, used in run.get("used", {}).items():
        values = (
            100 * used["cpu_s"] / max(used["seconds"], 0.001),
            100 * used["peak_bytes"] / run["room"]["memory"],
        )
        points = [
            Point(metric, _PERCENT, _SPAN, int(time), _one(value))
            for metric, value in zip(_metrics(record, namespace, host), values, strict=True)
        ]
        transaction.series.add(record.key.account, record.key.region, points, time)


def forget_usage(transaction: Transaction, record: Record, namespace: str) -> None:
    """Remove what ``publish_usage`` has kept of a job."""
    metrics = [metric for host in record.document[RUN].get("used", {}) for metric in _metrics(record, namespace, host)]
    if metrics:
        transaction.series.forget(record.key.account, record.key.region, metrics)


def _metrics(record: Record, namespace: str, host: str) -> list[Metric]:
    of_host = (("Host", f"{record.name}/{host}"),)
    return [Metric(namespace, name, of_host) for name in ("CPUUtilization", "MemoryUtilization")]


def _one(value: float) -> Summary:
    summary = Summary()
    summary.add(value)
    return summary
