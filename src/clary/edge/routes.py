"""Where endpoints are served, held in memory and read anew when it changed."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass

from clary.state.database import Database


@dataclass(frozen=True)
class Variant:
    """One production variant: its name, its share of the traffic, and the addresses of its servers."""

    name: str
    weight: float
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class EndpointRoute:
    """The variants of an endpoint in service."""

    arn: str
    variants: tuple[Variant, ...]

    def choose(self) -> Variant:
        """A variant by its weight."""
        if len(self.variants) == 1:
            return self.variants[0]
        return random.choices(self.variants, [variant.weight for variant in self.variants])[0]

    def variant(self, name: str) -> Variant | None:
        """The variant called ``name``."""
        return next((variant for variant in self.variants if variant.name == name), None)


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
        return {a for route in self._routes.values() for variant in route.variants for a in variant.addresses}

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
                    tuple(Variant(v["name"], float(v["weight"]), tuple(v["addresses"])) for v in document["variants"]),
                )
                for key, document in documents.items()
            }
            self._revision = revision
        return True
