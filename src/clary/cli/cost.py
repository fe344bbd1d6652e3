"""What training jobs have used here, and what their instances would have cost on AWS.

All of it is read through the public API: ``ListTrainingJobs``, ``DescribeTrainingJob``, and the metrics that SageMaker
publishes of instances (https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.cli.client import ApiError, Client
from clary.cli.mistakes import Mistake
from clary.core.prices import FILE, Prices, PricesUnreadable

HOUR = 3600.0
_NAMESPACE = "/aws/sagemaker/TrainingJobs"
_PAGE = 100


def read_prices(file: Path | None) -> Prices:
    """The prices in a file of the user's, or those that come with Clary. Raises ``Mistake``."""
    try:
        return Prices.read(file or FILE)
    except PricesUnreadable as error:
        raise Mistake(str(error)) from error


@dataclass(frozen=True)
class Usage:
    """What one training job used."""

    name: str
    status: str
    instance_type: str
    """Of several instance groups, those of all, separated by commas."""
    instances: int
    seconds: int
    """Billable seconds, of each instance."""
    spot: bool
    cpu: float | None
    """Mean utilization of the CPU in percent, 100 for each core, of all instances; none if nobody could tell."""
    memory: float | None
    """The most memory in use on any instance, in percent of what the job may use there."""
    dollars: float | None
    """On demand on AWS; none for an instance type without a known price."""


def usages(client: Client, prices: Prices, names: list[str]) -> Iterator[Usage]:
    """The training jobs with these names, or all that have ended, the newest first. Raises ``Mistake`` for a name that
    is not there, ``ApiError`` and ``OSError``."""
    for name in names or _ended(client):
        try:
            job = client.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
        except ApiError as error:
            if error.code == "ValidationException":
                raise Mistake(f"There is no training job {name}.") from error
            raise
        yield _usage(client, prices, job)


def _ended(client: Client) -> Iterator[str]:
    more: dict[str, Any] = {}
    while True:
        page = client.call(
            "sagemaker", "ListTrainingJobs", SortBy="CreationTime", SortOrder="Descending", MaxResults=_PAGE, **more
        )
        for each in page["TrainingJobSummaries"]:
            if each["TrainingJobStatus"] not in ("InProgress", "Stopping"):
                yield each["TrainingJobName"]
        if "NextToken" not in page:
            return
        more = {"NextToken": page["NextToken"]}


def _usage(client: Client, prices: Prices, job: dict[str, Any]) -> Usage:
    groups = job["ResourceConfig"].get("InstanceGroups") or [job["ResourceConfig"]]
    counts = [(group.get("InstanceType", ""), group.get("InstanceCount", 1)) for group in groups]
    seconds = job.get("BillableTimeInSeconds", 0)
    known = [prices.hour[kind] * count for kind, count in counts if kind in prices.hour]
    cpu = _metric(client, job, "CPUUtilization", sum(count for _, count in counts))
    memory = _metric(client, job, "MemoryUtilization", sum(count for _, count in counts))
    return Usage(
        name=job["TrainingJobName"],
        status=job["TrainingJobStatus"],
        instance_type=", ".join(dict.fromkeys(kind for kind, _ in counts)),
        instances=sum(count for _, count in counts),
        seconds=seconds,
        spot=job.get("EnableManagedSpotTraining", False),
        cpu=sum(each["Sum"] for each in cpu) / sum(each["SampleCount"] for each in cpu) if cpu else None,
        memory=max((each["Maximum"] for each in memory), default=None),
        dollars=sum(known) * seconds / HOUR if len(known) == len(counts) else None,
    )


def _metric(client: Client, job: dict[str, Any], name: str, instances: int) -> list[dict[str, float]]:
    """What the values of a metric come to on all instances, hour by hour."""
    end = job.get("TrainingEndTime")
    if end is None:
        return []
    answers = [
        client.call(
            "monitoring",
            "GetMetricStatistics",
            Namespace=_NAMESPACE,
            MetricName=name,
            Dimensions=[{"Name": "Host", "Value": f"{job['TrainingJobName']}/algo-{number}"}],
            StartTime=job.get("TrainingStartTime", end) - HOUR,
            EndTime=end + HOUR,
            Period=int(HOUR),
            Statistics=["Sum", "SampleCount", "Maximum"],
        )
        for number in range(1, instances + 1)
    ]
    return [point for answer in answers for point in answer["Datapoints"]]


def table(found: list[Usage], prices: Prices) -> str:
    """The lines that ``clary cost`` prints."""
    rows = [("TRAINING JOB", "STATUS", "INSTANCES", "SECONDS", "CPU", "MEMORY", "ON DEMAND")]
    for each in found:
        dollars = "unknown" if each.dollars is None else f"${each.dollars:.4f}"
        rows.append(
            (
                each.name,
                each.status,
                f"{each.instances} x {each.instance_type}{' (spot)' if each.spot else ''}",
                str(each.seconds),
                "-" if each.cpu is None else f"{each.cpu:.0f} %",
                "-" if each.memory is None else f"{each.memory:.0f} %",
                dollars,
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    total = sum(each.dollars or 0 for each in found)
    lines += [
        "",
        f"On AWS on demand: ${total:.4f} ({prices.region}, prices of {prices.as_of}, {prices.source}). Here: nothing.",
    ]
    if any(each.dollars is None for each in found):
        lines.append("Instance types without a known price are not counted.")
    if any(each.spot for each in found):
        lines.append("Spot instances cost less on AWS; how much less changes by the hour and is not guessed.")
    return "\n".join(lines)
