"""Where endpoints and tracking servers are served, held in memory and read anew when it changed."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.edge.capture import Capture
from clary.services.sagemaker.mlflow.api import KIND as TRACKING_SERVER
from clary.state.database import Database

Instance = tuple[str, ...]
"""The addresses of an instance's containers, in the order in which a request goes through them."""


@dataclass(frozen=True)
class Variant:
    """One production variant: its name, its share of the traffic, and the instances that serve it."""

    name: str
    weight: float
    instances: tuple[Instance, ...]
    concurrency: int = 0
    """How many requests it takes at once; 0 for as many as come."""
    capture: Capture | None = None
    """What is captured of it."""


@dataclass(frozen=True)
class Fleet:
    """The variants of one deployment, and its part of the traffic, from 0 to 1."""

    share: float
    variants: tuple[Variant, ...]


@dataclass(frozen=True)
class EndpointRoute:
    """The deployments of an endpoint in service: one, or two while its traffic is shifted."""

    arn: str
    fleets: tuple[Fleet, ...]

    def choose(self) -> Variant:
        """A variant by its weight; among variants that all weigh nothing, any."""
        variants = self._fleet().variants
        if len(variants) == 1:
            return variants[0]
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights if any(weights) else None)[0]

    def variant(self, name: str) -> Variant | None:
        """The variant called ``name``."""
        return next((variant for variant in self._fleet().variants if variant.name == name), None)

    def _fleet(self) -> Fleet:
        if len(self.fleets) == 1:
            return self.fleets[0]
        return random.choices(self.fleets, [fleet.share for fleet in self.fleets])[0]


@dataclass(frozen=True)
class TrackingRoute:
    """Where a tracking server is served."""

    arn: str
    account: str
    server: str
    """Its id, which is in its addresses."""
    address: str | None
    """``None`` while it does not answer."""
    stopped: bool
    """Whether that is meant to be so."""


class Routes:
    """The routing table of the data planes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revision = -1
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, str, str], EndpointRoute] = {}
        self._tracking: dict[str, TrackingRoute] = {}

    def get(self, account: str, region: str, name: str) -> EndpointRoute | None:
        """Where the endpoint is served, or ``None`` if it is not known."""
        return self._routes.get((account, region, name))

    def tracking(self, name: str) -> TrackingRoute | None:
        """Where the tracking server with this id, or with this ARN, is served, or ``None`` if it is not known."""
        return self._tracking.get(name)

    def addresses(self) -> set[str]:
        """The addresses of all model servers in service."""
        return {
            address
            for route in self._routes.values()
            for fleet in route.fleets
            for variant in fleet.variants
            for instance in variant.instances
            for address in instance
        }

    def refresh(self) -> bool:
        """Read the table if it changed; whether it did. It costs one short read of the database."""
        # One at a time: an older state must not replace a newer one.
        with self._lock:
            with self._database.read() as transaction:
                revision = transaction.revision("routes")
                if revision == self._revision:
                    return False
                documents = transaction.routes()
            self._routes = {
                key: EndpointRoute(
                    document["arn"],
                    tuple(
                        Fleet(float(fleet["share"]), tuple(_variant(each) for each in fleet["variants"]))
                        for fleet in document["fleets"]
                    ),
                )
                for key, document in documents.items()
                if not key[2].startswith(f"{TRACKING_SERVER}/")
            }
            self._tracking = {
                name: route
                for key, document in documents.items()
                if key[2].startswith(f"{TRACKING_SERVER}/")
                for route in (TrackingRoute(account=key[0], **document),)
                for name in (route.server, route.arn)
            }
            self._revision = revision
        return True


def _variant(document: Mapping[str, Any]) -> Variant:
    instances = tuple(tuple(instance) for instance in document["instances"])
    capture = Capture.of(document.get("capture"))
    return Variant(document["name"], float(document["weight"]), instances, document.get("concurrency", 0), capture)
