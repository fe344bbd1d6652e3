"""SageMaker as one service: the resources of its capabilities, and the operations that the grammar does not give."""

from __future__ import annotations

from collections.abc import Mapping

from clary.resources.context import Handler, ServiceApp
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.services.sagemaker.dialect import SAGEMAKER
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
IRREGULAR: Mapping[str, Handler] = {**experiments.OPERATIONS, **lineage_operations.OPERATIONS}


def app() -> ServiceApp:
    """The service."""
    return service(SAGEMAKER, RESOURCES, IRREGULAR)
