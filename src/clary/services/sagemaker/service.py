"""SageMaker as one service: the resources of its capabilities, and the operations that the grammar does not give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.resources.context import Context, Handler, ServiceApp
from clary.resources.grammar import Operations, operations
from clary.resources.resource import Resource
from clary.resources.tagging import add_tags, delete_tags, list_tags
from clary.services.sagemaker.endpoints.configs import endpoint_configs
from clary.services.sagemaker.endpoints.resources import endpoints
from clary.services.sagemaker.experiments import resources as experiments
from clary.services.sagemaker.labeling import resources as labeling
from clary.services.sagemaker.lineage import operations as lineage_operations
from clary.services.sagemaker.lineage import resources as lineage
from clary.services.sagemaker.models.resources import models
from clary.services.sagemaker.processing.resources import processing_jobs
from clary.services.sagemaker.registry import resources as registry
from clary.services.sagemaker.studio import resources as studio
from clary.services.sagemaker.training.resources import training_jobs
from clary.wire.catalog import service

NAME = "sagemaker"

RESOURCES: tuple[Resource, ...] = (
    training_jobs,
    processing_jobs,
    models,
    endpoint_configs,
    endpoints,
    *experiments.RESOURCES,
    *lineage.RESOURCES,
    *registry.RESOURCES,
    *studio.RESOURCES,
    *labeling.RESOURCES,
)
IRREGULAR: Mapping[str, Handler] = {
    "AddTags": add_tags,
    "ListTags": list_tags,
    "DeleteTags": delete_tags,
    **experiments.OPERATIONS,
    **lineage_operations.OPERATIONS,
}


def _resource_of(context: Context, operation: str, params: Mapping[str, Any]) -> str:
    """The ARN that an operation on one resource acts on, for the policies."""
    for resource in RESOURCES:
        if operation.endswith(resource.noun) and (name := params.get(resource.name_member)):
            if str(name).startswith("arn:"):
                return str(name)
            return resource.make_arn(context.account, context.region, name)
    return str(params.get("ResourceArn", "*"))


def app() -> ServiceApp:
    """The service, with its operations read off botocore's installed model."""
    return ServiceApp(
        name=NAME,
        operations=Operations(lambda: {**operations(RESOURCES, service(NAME).model), **IRREGULAR}),
        reconcilers={resource.noun: resource.reconcile for resource in RESOURCES if resource.reconcile},
        resource_of=_resource_of,
    )
