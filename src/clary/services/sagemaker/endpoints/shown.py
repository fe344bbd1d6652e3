"""What ``DescribeEndpoint`` shows of the variants that serve, and of those that are being deployed.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantSummary.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker.endpoints.deployment import instances
from clary.services.sagemaker.endpoints.lifecycle import SERVING
from clary.services.sagemaker.models.api import containers_of
from clary.state.records import Record


def variants(record: Record, deployment: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """``ProductionVariants`` of a deployment; none if there is none."""
    return [_variant(record, deployment, each) for each in deployment["variants"]] if deployment else []


def pending(record: Record) -> dict[str, Any] | None:
    """``PendingDeploymentSummary`` of an update that is under way."""
    serving = record.document.get(SERVING, {})
    deployment = serving.get("next")
    if deployment is None or serving.get("current") is None:
        return None
    shifting = serving.get("shift") is not None
    status = {"Status": "Baking" if shifting else "Creating", "StartTime": deployment["since"]}
    shown = variants(record, deployment)
    return {
        "EndpointConfigName": deployment["config"],
        "StartTime": deployment["since"],
        "ProductionVariants": [{**each, "VariantStatus": [status]} for each in shown],
    }


def _variant(record: Record, deployment: Mapping[str, Any], each: Mapping[str, Any]) -> dict[str, Any]:
    variant, images = each["variant"], [container.get("Image") for container in containers_of(each["model"])]
    chains = instances(deployment, variant["VariantName"]).values()
    shown = {
        "VariantName": variant["VariantName"],
        "DeployedImages": [
            {"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": record.created}
            for image in images
            if image
        ],
        "CurrentWeight": each["weight"],
        "DesiredWeight": each["weight"],
    }
    serverless = variant.get("ServerlessConfig")
    if serverless is not None:
        return shown | {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
    return shown | {
        "CurrentInstanceCount": sum(all(server.get("address") for server in chain) for chain in chains),
        "DesiredInstanceCount": each["count"],
    }
