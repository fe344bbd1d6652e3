"""The agents of one job: on several hosts, and for several containers on each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from clary.compute.placement.base import Observation, Placement
from clary.compute.spec import ImageSpec, JobSpec
from clary.services.sagemaker.execution.hosts import Agents, hosts_named, instance_types, with_containers


class Kept:
    """A placement that remembers what it was to launch, and shows what it is told to."""

    def __init__(self) -> None:
        self.launched: dict[str, JobSpec] = {}
        self.ends: dict[str, Mapping[str, Any]] = {}
        self.minutes: dict[str, Mapping[int, Mapping[str, float]]] = {}

    def launch(self, spec: JobSpec, ticket: str) -> None:
        self.launched[spec.id] = spec

    def observe(self, id: str) -> Observation:
        ended = self.ends.get(id)
        events = ({"event": "running"}, *([ended] if ended else ()))
        return Observation(id, alive=not ended, started=True, attempt=1, events=events)

    def usage(self, id: str) -> Mapping[int, Mapping[str, float]]:
        return self.minutes.get(id, {})


def agents(hosts: int, containers: int) -> tuple[Kept, Agents, list[str]]:
    kept = Kept()
    keys = [host.key for host in with_containers(hosts_named([("ml.m5.large", "")] * hosts), containers)]
    return kept, Agents(cast(Placement, kept), "job", keys), keys


@pytest.mark.parametrize(
    ("hosts", "containers", "cluster", "series"),
    [
        (1, 1, [], [[]]),
        (2, 1, ["job", "job-2"], [[], []]),
        (1, 2, [], [["job", "job-2"]] * 2),
        (2, 2, ["job", "job-3"], [["job", "job-2"]] * 2 + [["job-3", "job-4"]] * 2),
    ],
)
def test_every_agent_knows_the_others_of_its_job(
    hosts: int, containers: int, cluster: list[str], series: list[list[str]]
) -> None:
    kept, those, keys = agents(hosts, containers)
    assert len(instance_types(with_containers(hosts_named([("ml.m5.large", "")] * hosts), containers))) == hosts
    those.launch({key: JobSpec("pending", ImageSpec("python")) for key in keys}, "ticket")
    assert [spec.cluster for spec in kept.launched.values()] == [cluster] * len(keys)
    assert [spec.series for spec in kept.launched.values()] == series


def used(cpu: float, memory: float) -> dict[str, float]:
    return {"CPUUtilization": cpu, "MemoryUtilization": memory}


def test_the_containers_of_a_host_use_what_they_use_together() -> None:
    kept, those, _ = agents(2, 2)
    kept.minutes = {
        "job": {60: used(20, 10), 120: used(30, 10)},
        "job-2": {120: used(5, 1), 180: used(1, 1)},
        "job-3": {120: used(7, 7)},
    }
    assert those.usage() == {
        "algo-1": {60: used(20, 10), 120: used(35, 11), 180: used(1, 1)},
        "algo-2": {120: used(7, 7)},
    }


def test_a_job_has_ended_when_all_have() -> None:
    kept, those, _ = agents(2, 2)
    ids = ["job", "job-2", "job-3", "job-4"]
    for id in ids[:3]:
        kept.ends[id] = {"event": "completed", "time": 1.0}
    assert those.observe().terminal is None
    kept.ends[ids[3]] = {"event": "completed", "time": 3.0}
    assert those.observe().terminal == {"event": "completed", "time": 3.0}
    # One that fails fails all, and it is the first failure that counts.
    kept.ends["job-2"] = {"event": "failed", "time": 0.5, "message": "why"}
    kept.ends["job"] = {"event": "failed", "time": 0.6, "message": "what came of it"}
    failed = those.observe().terminal
    assert failed is not None and failed["message"] == "why"
