"""What lineage shows of an endpoint: its context, the deployment, and what was deployed.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-auto-creation.html
"""

from __future__ import annotations

from clary.core.ids import token
from clary.resources.context import Context
from clary.services.sagemaker.endpoints.configs import endpoint_configs
from clary.services.sagemaker.lineage.api import activity, artifact, connect, containers_artifacts, logical_group
from clary.services.sagemaker.models.api import containers_of, models
from clary.state.records import Record
from clary.state.transaction import Transaction


def draw_endpoint(context: Context, transaction: Transaction, endpoint: Record) -> None:
    """Draw the context of a new endpoint and the deployment that makes it; models that were deleted are left out."""
    group = logical_group(context, transaction, "Endpoint", f"{endpoint.name}-aws-endpoint", endpoint.arn)
    name = f"{endpoint.name}-{token(8)}-aws-deployment"
    deployment = activity(context, transaction, "ModelDeployment", name, endpoint.arn)
    connect(context, transaction, deployment, group, "AssociatedWith")
    config = endpoint_configs.find(context, transaction, endpoint.document["EndpointConfigName"])
    for variant in config.document["ProductionVariants"]:
        model = transaction.get(models.key(context, variant["ModelName"]))
        if model is None:
            continue
        containers = containers_of(model.document)
        packages = [each["ModelPackageName"] for each in containers if "ModelPackageName" in each]
        deployed = containers_artifacts(context, transaction, containers)
        deployed += [artifact(context, transaction, "ModelPackage", arn) for arn in packages]
        for each in deployed:
            connect(context, transaction, each, deployment, "ContributedTo")
