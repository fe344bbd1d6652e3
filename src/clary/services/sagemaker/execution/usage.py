"""What instances use, as the metrics that SageMaker publishes of them: a value a minute for each.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clary.state.records import Record
from clary.state.series_points import Dimensions, Metric, Point, Summary
from clary.state.transaction import Transaction

NAMES = ("CPUUtilization", "MemoryUtilization", "DiskUtilization", "GPUUtilization", "GPUMemoryUtilization")
"""What agents tell of an instance, the last two where it has a GPU."""
MINUTE = 60
EVER = range(1 << 40)

Minutes = Mapping[int, Mapping[str, float]]
"""By the beginning of each minute, in seconds since the epoch: percentages by the names of metrics."""

_NOT_SUPPORTED = {"/aws/sagemaker/TransformJobs": ("DiskUtilization",)}
_PERCENT = "Percent"


def together(containers: Iterable[Minutes]) -> dict[int, dict[str, float]]:
    """What an instance uses on which these containers run."""
    whole: dict[int, dict[str, float]] = {}
    for minutes in containers:
        for minute, values in minutes.items():
            sums = whole.setdefault(minute, {})
            for name, value in values.items():
                sums[name] = sums.get(name, 0.0) + value
    return whole


def points(namespace: str, dimensions: Dimensions, instances: Iterable[Minutes], within: range) -> list[Point]:
    """The points of the minutes ``within`` these seconds, each of as many values as there are instances."""
    found: dict[tuple[str, int], Summary] = {}
    for minutes in instances:
        for minute, values in minutes.items():
            for name, value in values.items():
                if minute in within and name not in _NOT_SUPPORTED.get(namespace, ()):
                    found.setdefault((name, minute), Summary()).add(value)
    return [
        Point(Metric(namespace, name, dimensions), _PERCENT, MINUTE, minute, summary)
        for (name, minute), summary in found.items()
    ]


def host_points(record: Record, namespace: str, hosts: Mapping[str, Minutes], within: range = EVER) -> list[Point]:
    """The points of a job's hosts, which have metrics of their own each."""
    return [
        point for host, minutes in hosts.items() for point in points(namespace, _of(record, host), [minutes], within)
    ]


def forget_usage(transaction: Transaction, record: Record, namespace: str, hosts: Iterable[str]) -> None:
    """Remove what has been published of a job's hosts."""
    metrics = [Metric(namespace, name, _of(record, host)) for host in hosts for name in NAMES]
    transaction.series.forget(record.key.account, record.key.region, metrics)


def _of(record: Record, host: str) -> Dimensions:
    return (("Host", f"{record.name}/{host}"),)
