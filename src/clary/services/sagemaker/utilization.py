"""Publishes each minute what the instances of jobs and endpoints used in it.

What a job used in the minute in which it ends is published with its end.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from clary.resources.context import Platform
from clary.services.sagemaker.endpoints.deployment import instances, variants_of
from clary.services.sagemaker.endpoints.lifecycle import SERVING
from clary.services.sagemaker.execution.api import RUN, JobKind, agents
from clary.services.sagemaker.execution.usage import MINUTE, host_points, points, together
from clary.state.records import Record
from clary.state.series_points import Point

SETTLE_SECONDS = 5.0
"""How long agents may take to tell of a minute that is over: they look twice a second, or less often at who rests."""

_ENDPOINTS = "/aws/sagemaker/Endpoints"


class Utilization:
    """Publishes it; one process does, for all that are at work."""

    def __init__(self, platform: Platform, kinds: Mapping[str, JobKind]) -> None:
        self._platform = platform
        self._kinds = kinds
        self._told: dict[int, int] = {}
        """By the rows of jobs and endpoints, the last minute that was published of them. What this process does not
        know it publishes again, which changes nothing."""

    def publish(self) -> float:
        """Publish the minutes that are over; gives the seconds until the next one is."""
        now = self._platform.clock()
        over = int(now - SETTLE_SECONDS) // MINUTE * MINUTE
        with self._platform.database.read() as transaction:
            at_work = transaction.active("sagemaker", [*self._kinds, "Endpoint"])
        found: dict[tuple[str, str], list[Point]] = defaultdict(list)
        told: dict[int, int] = {}
        for record in at_work:
            last = self._told.get(record.id, 0)
            new = self._points(record, range(last + 1, over))
            found[record.key.account, record.key.region] += new
            told[record.id] = max((point.time for point in new), default=last)
        if any(found.values()):
            with self._platform.database.write() as transaction:
                for (account, region), new in found.items():
                    transaction.series.add_new(account, region, new, now)
        self._told = told
        return over + MINUTE + SETTLE_SECONDS - now

    def _points(self, record: Record, within: range) -> list[Point]:
        if record.key.kind in self._kinds:
            if not record.document.get(RUN, {}).get("launched"):
                return []
            usage = agents(self._platform, record).usage()
            return host_points(record, self._kinds[record.key.kind].log_group, usage, within)
        return [
            point
            for variant, servers in _variants(record)
            for point in points(
                _ENDPOINTS,
                (("EndpointName", record.name), ("VariantName", variant)),
                [together(self._platform.placement.usage(server["id"]) for server in each) for each in servers],
                within,
            )
        ]


def _variants(endpoint: Record) -> Iterator[tuple[str, list[list[dict[str, Any]]]]]:
    """The variants of an endpoint with the servers of each of their instances, those of a deployment that is on its
    way too."""
    serving = endpoint.document.get(SERVING, {})
    found: dict[str, list[list[dict[str, Any]]]] = {}
    for deployment in (serving.get("current"), serving.get("next")):
        for each in variants_of(deployment) if deployment is not None else ():
            name = each["variant"]["VariantName"]
            found.setdefault(name, []).extend(instances(deployment, name).values())
    yield from found.items()
