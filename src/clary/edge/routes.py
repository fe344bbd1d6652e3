"""Where endpoints are served, held in memory and read anew when it changed."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from clary.edge.capture import Capture
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


class Routes:
    """The routing table of the inference data plane."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revision = -1
        self._lock = threading.Lock()
        self._routes: dict[tuple[str, str, str], EndpointRoute] = {}

    def get(self, account: str, region: str, name: str) -> EndpointRoute | None:
        """Where the endpoint is served, or ``None`` if it is not known."""
        return self._routes.get((account, region, name))

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
            }
            self._revision = revision
        return True


def _variant(document: Mapping[str, Any]) -> Variant:
    instances = tuple(tuple(instance) for instance in document["instances"])
    capture = Capture.of(document.get("capture"))
    return Variant(document["name"], float(document["weight"]), instances, document.get("concurrency", 0), capture)
