"""The hosts of one job, which are launched, observed and ended as one.

Each host is an attempt of its own, with its own folder, log and metrics; a job on one host is a case like any other.
What one of them does is what the job does: a host that fails fails the job, and the job has ended when all have.
Where several containers run on a host, each of them is such an attempt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clary.compute.placement.base import Observation, Placement
from clary.compute.spec import JobSpec
from clary.core.errors import ResourceLimitExceeded
from clary.services.sagemaker.execution.usage import Minutes, together

MOST_HOSTS = 20
"""Hosts that one job may have: all of them share this machine."""


@dataclass(frozen=True)
class Host:
    """One of the instances that a job asks for."""

    name: str
    """``algo-1``, ``algo-2`` …"""
    instance_type: str
    group: str = ""
    """The instance group that it belongs to."""
    container: int = 0
    """Which of the containers that run there, beginning with 0."""

    @property
    def key(self) -> str:
        """What its agent is known by within the job: ``algo-1``, and ``algo-1.2`` for a second container."""
        return f"{self.name}.{self.container + 1}" if self.container else self.name


def hosts_named(instance_types: Sequence[tuple[str, str]]) -> list[Host]:
    """The hosts of instances of these types and groups."""
    return [Host(f"algo-{number}", *each) for number, each in enumerate(instance_types, 1)]


def with_containers(hosts: Sequence[Host], count: int) -> list[Host]:
    """Each of the hosts ``count`` times, once for every container that runs there."""
    return [replace(host, container=number) for host in hosts for number in range(count)]


def instance_types(hosts: Iterable[Host]) -> list[str]:
    """The type of each of the instances, whose containers are one host each."""
    return [host.instance_type for host in hosts if host.container == 0]


def check_count(count: int, instance_type: str, use: str) -> None:
    """Refuse a job that is too large for one machine. Raises ``ResourceLimitExceeded``, as AWS does for an account."""
    if count > MOST_HOSTS:
        raise ResourceLimitExceeded(
            f"The account-level service limit '{instance_type} for {use} job usage' is {MOST_HOSTS} Instances, with "
            f"current utilization of 0 Instances and a request delta of {count} Instances."
        )


class Agents:
    """The agents of one job's hosts, by their keys (see ``Host``)."""

    def __init__(self, placement: Placement, job: str, hosts: Sequence[str]) -> None:
        """``job`` is the id of the job, and of its first host's attempts; ``hosts`` are keys."""
        self._placement = placement
        self._job = job
        self._ids = dict(zip(hosts, [job, *(f"{job}-{number}" for number in range(2, len(hosts) + 1))], strict=True))

    def launch(self, specs: Mapping[str, JobSpec], ticket: str) -> None:
        """Start an attempt on each host, where that was not done before. Raises as ``Placement.launch`` does."""
        series: dict[str, list[str]] = {}
        for key, id in self._ids.items():
            series.setdefault(_name(key), []).append(id)
        cluster = [first for first, *_ in series.values()] if len(series) > 1 else []
        for key, spec in specs.items():
            beside = series[_name(key)]
            given = replace(spec, id=self._ids[key], cluster=cluster, series=beside if len(beside) > 1 else [])
            self._placement.launch(given, ticket)

    def observe(self) -> Observation:
        """What is known of the attempts as if they were one."""
        each = [self._placement.observe(id) for id in self._ids.values()]
        attempt = min(one.attempt for one in each)
        if any(one.attempt != attempt for one in each):
            # Some are still those of the attempt before: the control plane died while it launched them.
            return Observation(self._job, any(one.alive for one in each), True, attempt)
        end = _end(each)
        events = [event for event in each[0].events if event is not each[0].terminal]
        if end is not None:
            events.append(end)
        alive = end is None and not any(one.lost for one in each) and any(one.alive for one in each)
        return Observation(self._job, alive, all(one.started for one in each), attempt, events)

    def stop(self) -> None:
        """Ask all of them to end."""
        for id in self._ids.values():
            self._placement.stop(id)

    def remove(self) -> None:
        """End what is left of them; their logs and metrics stay."""
        for id in self._ids.values():
            self._placement.remove(id, keep_log=True)

    def forget(self) -> None:
        """Delete all that is left of them."""
        for id in self._ids.values():
            self._placement.remove(id)

    def logs(self) -> dict[str, Path]:
        """The logs by the keys of the agents."""
        return {host: self._placement.log(id) for host, id in self._ids.items()}

    def usage(self) -> dict[str, Minutes]:
        """What each of the hosts uses, minute by minute."""
        containers: dict[str, list[Minutes]] = {}
        for key, id in self._ids.items():
            containers.setdefault(_name(key), []).append(self._placement.usage(id))
        return {host: together(each) for host, each in containers.items()}

    def metrics(self) -> list[Path]:
        """The files of metrics, one a host."""
        return [self._placement.metrics(id) for id in self._ids.values()]


def host_names(keys: Iterable[str]) -> list[str]:
    """The hosts on which agents of these keys run."""
    return list(dict.fromkeys(map(_name, keys)))


def _name(key: str) -> str:
    """The host that an agent of this key runs on."""
    return key.partition(".")[0]


def _end(each: Sequence[Observation]) -> Mapping[str, Any] | None:
    """The event that ends the job: the first failure, or the last end when all have ended."""
    ends = [one.terminal for one in each if one.terminal is not None]
    if failures := [end for end in ends if end["event"] == "failed"]:
        return min(failures, key=_time)
    if len(ends) < len(each):
        return None
    interrupted = [end for end in ends if end.get("reason") == "interrupted"]
    stopped = [end for end in ends if end["event"] == "stopped"]
    return max(interrupted or stopped or ends, key=_time)


def _time(event: Mapping[str, Any]) -> float:
    return float(event["time"])
