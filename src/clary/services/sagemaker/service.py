"""SageMaker as one service: the resources of its capabilities, and the operations that the grammar does not give."""

from __future__ import annotations

from collections.abc import Mapping

from clary.resources.context import Handler, ServiceApp
from clary.resources.resource import Resource
from clary.resources.service import service
from clary.services.sagemaker import later
from clary.services.sagemaker.acted_on import SUBJECTS
from clary.services.sagemaker.algorithms import operations as algorithm_operations
from clary.services.sagemaker.algorithms import resources as algorithms
from clary.services.sagemaker.benchmarks import resources as benchmarks
from clary.services.sagemaker.cards import resources as cards
from clary.services.sagemaker.condition_keys import conditions_at, conditions_of
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.edge import operations as edge_operations
from clary.services.sagemaker.edge import resources as edge
from clary.services.sagemaker.endpoints import scaling
from clary.services.sagemaker.endpoints.configs import endpoint_configs
from clary.services.sagemaker.endpoints.resources import endpoints
from clary.services.sagemaker.experiments import operations as experiment_operations
from clary.services.sagemaker.experiments import resources as experiments
from clary.services.sagemaker.features import resources as features
from clary.services.sagemaker.hubs import operations as hub_operations
from clary.services.sagemaker.hubs import resources as hubs
from clary.services.sagemaker.images import resources as images
from clary.services.sagemaker.labeling import resources as labeling
from clary.services.sagemaker.lineage import operations as lineage_operations
from clary.services.sagemaker.lineage import resources as lineage
from clary.services.sagemaker.mlflow import operations as mlflow_operations
from clary.services.sagemaker.mlflow import resources as mlflow
from clary.services.sagemaker.models.resources import models
from clary.services.sagemaker.monitoring import resources as monitoring
from clary.services.sagemaker.pipelines import resources as pipelines
from clary.services.sagemaker.processing.resources import processing_jobs
from clary.services.sagemaker.projects import resources as projects
from clary.services.sagemaker.registry import operations as registry_operations
from clary.services.sagemaker.registry import resources as registry
from clary.services.sagemaker.registry.api import group_policy
from clary.services.sagemaker.search import operations as search
from clary.services.sagemaker.studio import resources as studio
from clary.services.sagemaker.training import warm_pools
from clary.services.sagemaker.training.resources import training_jobs
from clary.services.sagemaker.transform.resources import transform_jobs
from clary.services.sagemaker.tuning import operations as tuning_operations
from clary.services.sagemaker.tuning import resources as tuning

RESOURCES: tuple[Resource, ...] = (
    training_jobs,
    processing_jobs,
    transform_jobs,
    *tuning.RESOURCES,
    models,
    endpoint_configs,
    endpoints,
    *experiments.RESOURCES,
    *lineage.RESOURCES,
    *registry.RESOURCES,
    *cards.RESOURCES,
    *images.RESOURCES,
    *hubs.RESOURCES,
    *projects.RESOURCES,
    *pipelines.RESOURCES,
    *features.RESOURCES,
    *studio.RESOURCES,
    *labeling.RESOURCES,
    *monitoring.RESOURCES,
    *edge.RESOURCES,
    *algorithms.RESOURCES,
    *benchmarks.RESOURCES,
    *mlflow.RESOURCES,
    *later.RESOURCES,
)
IRREGULAR: Mapping[str, Handler] = {
    **algorithm_operations.OPERATIONS,
    **experiment_operations.OPERATIONS,
    **lineage_operations.OPERATIONS,
    **edge_operations.OPERATIONS,
    **registry_operations.OPERATIONS,
    **hub_operations.OPERATIONS,
    **images.OPERATIONS,
    **pipelines.OPERATIONS,
    **scaling.OPERATIONS,
    **tuning_operations.OPERATIONS,
    **mlflow_operations.OPERATIONS,
    **search.operations(RESOURCES),
}


def app() -> ServiceApp:
    """The service."""
    return service(
        SAGEMAKER,
        RESOURCES,
        IRREGULAR,
        reconcilers={warm_pools.KIND: warm_pools.end_pool},
        subjects=SUBJECTS,
        tagging="AddTags",
        policy_of=group_policy,
        conditions_of=conditions_of,
        conditions_at=conditions_at,
    )
