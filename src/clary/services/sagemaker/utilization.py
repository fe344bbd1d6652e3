"""Publishes each minute what the instances of jobs and endpoints used in it.

What a job used in the minute in which it ends is published with its end.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from clary.resources.context import Platform
from clary.services.sagemaker.endpoints.lifecycle import SERVING
from clary.services.sagemaker.execution.api import RUN, JobKind, agents
from clary.services.sagemaker.execution.usage import MINUTE, Minutes, host_points, points, together
from clary.state.records import Record
from clary.state.series_points import Point

log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""How long agents may take to tell of a minute that is over: they look twice a second, or less often at who rests."""
LATE_SECONDS = 3 * MINUTE
"""How long after that what an agent tells is still looked for: it may have been held up."""
TOGETHER = 500
"""How many points are put in one transaction, in which nobody else can write."""

_ENDPOINTS = "/aws/sagemaker/Endpoints"


class Utilization:
    """Publishes it; one process does, for all that are at work."""

    def __init__(self, platform: Platform, kinds: Mapping[str, JobKind]) -> None:
        self._platform = platform
        self._kinds = kinds
        self._published = 0
        """The seconds since the epoch up to which this process has published, if the clock has not been set back."""

    def publish(self) -> float:
        """Publish the minutes that are over; gives the seconds until the next one is."""
        now = self._platform.clock()
        over = int(now - SETTLE_SECONDS) // MINUTE * MINUTE
        # What has been published before is not put again, so more may be looked at than there is to be put.
        within = range(self._published - LATE_SECONDS if self._published <= over else 0, over)
        with self._platform.database.read() as transaction:
            at_work = transaction.active("sagemaker", [*self._kinds, "Endpoint"])
        for record in at_work:
            try:
                self._publish(record, within, now)
            except Exception:
                log.exception("what %s uses cannot be published", record.arn)
        self._published = over
        return over + MINUTE + SETTLE_SECONDS - now

    def _publish(self, record: Record, within: range, now: float) -> None:
        place = record.key.account, record.key.region
        if not (found := self._points(record, within)):
            return
        with self._platform.database.read() as transaction:
            new = transaction.series.lacking(*place, found)
        for start in range(0, len(new), TOGETHER):
            with self._platform.database.write() as transaction:
                transaction.series.put(*place, new[start : start + TOGETHER], now)

    def _points(self, record: Record, within: range) -> list[Point]:
        if record.key.kind in self._kinds:
            if not record.document.get(RUN, {}).get("launched"):
                return []
            usage = agents(self._platform, record).usage()
            return host_points(record, self._kinds[record.key.kind].log_group, usage, within)
        variants: dict[str, list[Minutes]] = {}
        for (variant, _), servers in _instances(record):
            minutes = together(self._platform.placement.usage(server["id"]) for server in servers)
            variants.setdefault(variant, []).append(minutes)
        return [
            point
            for variant, instances in variants.items()
            for point in points(
                _ENDPOINTS, (("EndpointName", record.name), ("VariantName", variant)), instances, within
            )
        ]


def _instances(endpoint: Record) -> Iterator[tuple[tuple[str, int], list[dict[str, Any]]]]:
    """The instances of an endpoint, each with its servers: those of its deployment, of the one that is on its way, and
    those that are about to end."""
    serving = endpoint.document.get(SERVING, {})

    def instance(server: dict[str, Any]) -> tuple[str, int]:
        return server["variant"], server["instance"]

    for each in (serving.get("current"), serving.get("next"), *serving.get("old", ())):
        for name, servers in groupby(sorted(each["servers"], key=instance) if each else (), instance):
            yield name, list(servers)
