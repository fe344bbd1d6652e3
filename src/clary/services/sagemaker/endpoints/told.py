"""What the default event bus is told of endpoints: their statuses, and how far a deployment is.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

import re

from clary.resources.told import Detail, StateChange, members


def _shouted(detail: Detail, before: Detail | None) -> Detail:
    """Events write ``IN_SERVICE`` where the API says ``InService``."""
    return {**detail, "EndpointStatus": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", detail["EndpointStatus"]).upper()}


def _phases(detail: Detail) -> list[tuple[str, str]]:
    """Each variant of the deployment that is under way, and what is done with it."""
    under_way = detail.get("PendingDeploymentSummary", {}).get("ProductionVariants", ())
    return [(each["VariantName"], status["Status"]) for each in under_way for status in each["VariantStatus"]]


ENDPOINT_CHANGES = (
    StateChange("SageMaker Endpoint State Change", members("EndpointStatus"), finish=_shouted),
    StateChange("SageMaker Endpoint Deployment State Change", _phases, finish=_shouted),
)
