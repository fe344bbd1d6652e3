"""Where the edge sends the requests for an endpoint: the route that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clary.compute.placement.base import Placement
from clary.services.sagemaker.endpoints.capture import told
from clary.services.sagemaker.endpoints.deployment import Deployment, instances


def route(placement: Placement, arn: str, shares: Sequence[tuple[Deployment, float]]) -> dict[str, Any]:
    """The route of an endpoint whose traffic is shared by deployments.

    Every instance of a variant is a list of addresses, one for each container, and is there only while all of them
    serve. The addresses are noted in the deployments.
    """
    return {
        "arn": arn,
        "fleets": [{"share": share, "variants": _variants(placement, deployment)} for deployment, share in shares],
    }


def _variants(placement: Placement, deployment: Deployment) -> list[dict[str, Any]]:
    for server in deployment["servers"]:
        server["address"] = placement.observe(server["id"]).address
    found = []
    for each in deployment["variants"]:
        variant = each["variant"]
        chains = [
            [server["address"] for server in chain]
            for chain in instances(deployment, variant["VariantName"]).values()
            if all(server["address"] for server in chain)
        ]
        most = variant.get("ServerlessConfig", {}).get("MaxConcurrency", 0)
        found.append(
            {
                "name": variant["VariantName"],
                "weight": each["weight"],
                "instances": chains,
                "concurrency": most,
                "capture": told(deployment["capture"], each["model"]["ExecutionRoleArn"]),
            }
        )
    return found
