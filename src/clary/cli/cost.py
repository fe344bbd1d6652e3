"""What training jobs have used here, and what their instances would have cost on AWS.

All of it is read through the public API: ``ListTrainingJobs``, ``DescribeTrainingJob``, and the metrics that SageMaker
publishes of instances (https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clary.cli.client import ApiError, Client
from clary.cli.mistakes import Mistake

PRICES = Path(__file__).with_name("prices.toml")
HOUR = 3600.0
_NAMESPACE = "/aws/sagemaker/TrainingJobs"
_PAGE = 100


@dataclass(frozen=True)
class Prices:
    """Dollars an hour by instance type, and where they are from."""

    hour: dict[str, float]
    source: str
    region: str
    as_of: str

    @classmethod
    def read(cls, file: Path = PRICES) -> Prices:
        """The prices in a TOML file laid out as ``prices.toml``. Raises ``Mistake``."""
        try:
            document = tomllib.loads(file.read_text("utf-8"))
            hour = {str(name): float(price) for name, price in document["hour"].items()}
            prices = cls(hour, *(str(document[name]) for name in ("source", "region", "as_of")))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Mistake(f"The prices in {file} cannot be read: {error!r}.") from error
        if any(not 0 <= price < float("inf") for price in hour.values()):
            raise Mistake(f"The prices in {file} cannot be read: a price is not a number of dollars.")
        return prices


@dataclass(frozen=True)
class Usage:
    """What one training job used."""

    name: str
    status: str
    instance_type: str
    instances: int
    seconds: int
    """Billable seconds, of each instance."""
    spot: bool
    cpu: float | None
    """Mean utilization of the CPU in percent, 100 for each core; none if nobody could tell."""
    memory: float | None
    """The most memory in use, in percent of what the job may use."""
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
    resources = job["ResourceConfig"]
    kind, instances = resources.get("InstanceType", ""), resources.get("InstanceCount", 1)
    seconds = job.get("BillableTimeInSeconds", 0)
    price = prices.hour.get(kind)
    return Usage(
        name=job["TrainingJobName"],
        status=job["TrainingJobStatus"],
        instance_type=kind,
        instances=instances,
        seconds=seconds,
        spot=job.get("EnableManagedSpotTraining", False),
        cpu=_metric(client, job, "CPUUtilization"),
        memory=_metric(client, job, "MemoryUtilization"),
        dollars=None if price is None else price * instances * seconds / HOUR,
    )


def _metric(client: Client, job: dict[str, Any], name: str) -> float | None:
    end = job.get("TrainingEndTime")
    if end is None:
        return None
    answer = client.call(
        "monitoring",
        "GetMetricStatistics",
        Namespace=_NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": "Host", "Value": f"{job['TrainingJobName']}/algo-1"}],
        StartTime=end - HOUR,
        EndTime=end + HOUR,
        Period=int(HOUR),
        Statistics=["Maximum"],
    )
    values = [point["Maximum"] for point in answer["Datapoints"]]
    return max(values, default=None)


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
