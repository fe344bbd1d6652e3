"""What instances use is published each minute, once, however often it is looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from clary.core.settings import load
from clary.resources.context import Platform
from clary.services.catalog import services
from clary.services.sagemaker.execution.api import KINDS
from clary.services.sagemaker.execution.usage import NAMES, forget_usage
from clary.services.sagemaker.utilization import Utilization
from clary.state.database import Database
from clary.state.records import Key, Record
from clary.state.series_points import Metric

ACCOUNT, REGION = "123456789012", "us-east-1"
FIRST = 1_700_000_040
"""The beginning of a minute."""


class Site:
    """A platform whose agents use what they are said to."""

    def __init__(self, home: Path) -> None:
        settings = load(home, {})
        settings.create_folders()
        nothing: Any = None
        self.database = Database(settings.database_url)
        self.database.prepare()
        self.now = FIRST + 65.0
        self.minutes: dict[str, Mapping[int, Mapping[str, float]]] = {}
        placement: Any = self
        self.platform = Platform(
            settings=settings,
            database=self.database,
            identity=nothing,
            placement=placement,
            images=nothing,
            programs=nothing,
            functions=nothing,
            wake=lambda row: None,
            clock=lambda: self.now,
            calls=nothing,
        )

    def usage(self, id: str) -> Mapping[int, Mapping[str, float]]:
        return self.minutes.get(id, {})

    def add(self, kind: str, name: str, document: dict[str, Any], region: str = REGION) -> Record:
        key = Key(ACCOUNT, region, "sagemaker", kind, "", name)
        record = Record(key, f"arn:{kind}/{name}", 1.0, 1.0, document, "InProgress", wake_at=1.0)
        with self.database.write() as transaction:
            transaction.insert(record)
        return record

    def another(self) -> Utilization:
        """A process that publishes, and does not know what others have."""
        reconcilers: Any = services()["sagemaker"].reconcilers
        return Utilization(self.platform, {kind: reconcilers[kind] for kind in KINDS})

    def values(
        self, namespace: str, name: str, region: str = REGION, **dimensions: str
    ) -> dict[int, tuple[float, ...]]:
        """Count, mean, least and largest by seconds after the first minute."""
        metric = Metric(namespace, name, tuple(dimensions.items()))
        with self.database.read() as transaction:
            row = transaction.series.row(ACCOUNT, region, metric)
            if row is None:
                return {}
            return {
                time - FIRST: (of.count, of.sum / of.count, of.least, of.most)
                for time, unit, of in transaction.series.read(row, 0, 1 << 40, 3600, "Percent", False)
            }


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.database.close()


def used(cpu: float, memory: float = 10.0, disk: float = 1.0) -> dict[str, float]:
    return dict(zip(NAMES[:3], (cpu, memory, disk), strict=True))


def used_with_gpus(cpu: float, gpu: float, memory: float) -> dict[str, float]:
    return used(cpu) | dict(zip(NAMES[3:], (gpu, memory), strict=True))


def running(*hosts: str) -> dict[str, Any]:
    return {"_run": {"launched": True, "hosts": list(hosts)}}


def test_each_host_of_a_job_has_a_value_a_minute(site: Site) -> None:
    job = site.add("TrainingJob", "mine", running("algo-1", "algo-2"))
    site.add("TrainingJob", "waits", {"_run": {"launched": False}})
    site.add("TrainingJob", "new", {})
    first = f"TrainingJob-{job.id}"
    site.minutes = {first: {FIRST: used(50), FIRST + 60: used(70)}, f"{first}-2": {FIRST: used(5, 90, 33)}}
    publishing = site.another()
    group = "/aws/sagemaker/TrainingJobs"
    # The second minute is not over.
    assert publishing.publish() == 60
    assert site.values(group, "CPUUtilization", Host="mine/algo-1") == {0: (1, 50, 50, 50)}
    assert site.values(group, "DiskUtilization", Host="mine/algo-2") == {0: (1, 33, 33, 33)}
    site.now += 59
    assert publishing.publish() == 1
    assert site.values(group, "CPUUtilization", Host="mine/algo-1") == {0: (1, 50, 50, 50)}
    site.now += 1
    # Another process, which knows nothing of the first one, changes nothing of what there is.
    for each in (publishing, publishing, site.another()):
        each.publish()
    assert site.values(group, "CPUUtilization", Host="mine/algo-1") == {0: (1, 50, 50, 50), 60: (1, 70, 70, 70)}
    with site.database.write() as transaction:
        forget_usage(transaction, job, group, ["algo-1", "algo-2"])
    assert site.values(group, "CPUUtilization", Host="mine/algo-1") == {}


def test_a_host_with_gpus_tells_of_them_and_is_forgotten_with_them(site: Site) -> None:
    job = site.add("TrainingJob", "deep", running("algo-1", "algo-2"))
    first = f"TrainingJob-{job.id}"
    site.minutes = {first: {FIRST: used_with_gpus(50, 390, 210)}, f"{first}-2": {FIRST: used(5)}}
    site.another().publish()
    group, names = "/aws/sagemaker/TrainingJobs", ("GPUUtilization", "GPUMemoryUtilization")
    assert [site.values(group, name, Host="deep/algo-1") for name in names] == [
        {0: (1, 390, 390, 390)},
        {0: (1, 210, 210, 210)},
    ]
    assert [site.values(group, name, Host="deep/algo-2") for name in names] == [{}, {}]
    with site.database.write() as transaction:
        forget_usage(transaction, job, group, ["algo-1", "algo-2"])
    assert [site.values(group, name, Host="deep/algo-1") for name in names] == [{}, {}]


def test_batch_transform_has_no_disk(site: Site) -> None:
    job = site.add("TransformJob", "batch", running("algo-1", "algo-1.2"), region="eu-west-1")
    site.minutes = {f"TransformJob-{job.id}": {FIRST: used(50)}, f"TransformJob-{job.id}-2": {FIRST: used(20)}}
    site.another().publish()
    group = "/aws/sagemaker/TransformJobs"
    assert site.values(group, "CPUUtilization", "eu-west-1", Host="batch/algo-1") == {0: (1, 70, 70, 70)}
    assert site.values(group, "DiskUtilization", "eu-west-1", Host="batch/algo-1") == {}


def servers(*named: tuple[str, str, int, int]) -> list[dict[str, Any]]:
    names = ("id", "variant", "instance", "container")
    return [dict(zip(names, each, strict=True)) for each in named]


CURRENT = servers(
    ("s-0.0", "blue", 0, 0),
    ("s-1.0", "blue", 1, 0),
    ("s-0.1", "blue", 0, 1),
    ("s-1.1", "blue", 1, 1),
    ("s-2.0", "green", 2, 0),
    ("s-2.1", "green", 2, 1),
)


def cpu_of(site: Site, variant: str) -> dict[int, tuple[float, ...]]:
    return site.values("/aws/sagemaker/Endpoints", "CPUUtilization", EndpointName="house", VariantName=variant)


def test_a_variant_has_a_value_of_each_instance(site: Site) -> None:
    serving = {
        "current": {"servers": CURRENT},
        "next": {"servers": servers(("next", "green", 2, 0))},
        "old": [{"servers": servers(("old", "green", 2, 0)), "until": 1.0}],
    }
    site.add("Endpoint", "house", {"_serving": serving})
    site.add("Endpoint", "fresh", {})
    site.add("Endpoint", "fails", {"_serving": {"current": {"servers": []}, "next": None, "old": []}})
    site.minutes = {
        "s-0.0": {FIRST: used(10)},
        "s-0.1": {FIRST: used(20)},
        "s-1.0": {FIRST: used(50)},
        "s-2.1": {FIRST: used(7)},
        "next": {FIRST: used(9)},
        "old": {FIRST: used(11)},
    }
    site.another().publish()
    site.another().publish()
    assert cpu_of(site, "blue") == {0: (2, 40, 30, 50)}
    assert cpu_of(site, "green") == {0: (3, 9, 7, 11)}


def test_an_instance_that_tells_late_is_not_left_out(site: Site) -> None:
    site.add("Endpoint", "house", {"_serving": {"current": {"servers": CURRENT}, "next": None, "old": []}})
    job = site.add("TrainingJob", "mine", running("algo-1", "algo-2"))
    first = f"TrainingJob-{job.id}"
    site.minutes = {"s-0.0": {FIRST: used(10)}, first: {FIRST: used(1)}}
    publishing = site.another()
    publishing.publish()
    assert cpu_of(site, "blue") == {0: (1, 10, 10, 10)}
    site.minutes |= {"s-1.0": {FIRST: used(50)}, f"{first}-2": {FIRST: used(2)}}
    site.now += 60
    publishing.publish()
    assert cpu_of(site, "blue") == {0: (2, 30, 10, 50)}
    late = site.values("/aws/sagemaker/TrainingJobs", "CPUUtilization", Host="mine/algo-2")
    assert late == {0: (1, 2, 2, 2)}


def test_a_clock_that_is_set_back_silences_nobody(site: Site) -> None:
    site.add("Endpoint", "house", {"_serving": {"current": {"servers": CURRENT}, "next": None, "old": []}})
    publishing = site.another()
    site.now += 86_400
    publishing.publish()
    site.now -= 86_400
    site.minutes = {"s-2.0": {FIRST: used(10)}}
    publishing.publish()
    assert cpu_of(site, "green") == {0: (1, 10, 10, 10)}


def test_one_that_cannot_be_published_is_in_nobodys_way(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    site.add("TrainingJob", "odd", {"_run": {"launched": True}})
    job = site.add("TrainingJob", "mine", running("algo-1"))
    site.minutes = {f"TrainingJob-{job.id}": {FIRST: used(50)}}
    site.another().publish()
    assert site.values("/aws/sagemaker/TrainingJobs", "CPUUtilization", Host="mine/algo-1") == {0: (1, 50, 50, 50)}
    assert "TrainingJob/odd" in caplog.text


def test_what_was_not_published_while_nobody_was_there_is_published_later(site: Site) -> None:
    job = site.add("ProcessingJob", "long", running("algo-1"))
    site.minutes = {f"ProcessingJob-{job.id}": {FIRST + 60 * each: used(each) for each in range(100)}}
    site.now = FIRST + 60 * 90.5
    assert site.another().publish() == 35
    found = site.values("/aws/sagemaker/ProcessingJobs", "CPUUtilization", Host="long/algo-1")
    assert list(found) == [60 * each for each in range(90)]
