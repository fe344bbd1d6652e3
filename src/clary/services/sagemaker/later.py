"""The nouns that do not work yet: Create says so, and there are none to describe, list, change or delete.

One that comes to life moves into the folder of its capability.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from __future__ import annotations

from functools import partial

from clary.core.errors import ResourceNotFound, ValidationException
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER

_noun = partial(Resource, SAGEMAKER)

# Jobs on models
_JOBS = (
    _noun(
        "AutoMLJob",
        also={"create": ("CreateAutoMLJobV2",), "describe": ("DescribeAutoMLJobV2",)},
        arn="automl-job/{name}",
        status="AutoMLJobStatus",
        sort_by="@name",
        descending=True,
        missing=lambda name, arn: ResourceNotFound(f"Amazon SageMaker can't find an AutoML job called {name}."),
        later="AutoML jobs",
    ),
    _noun("CompilationJob", status="CompilationJobStatus", later="Compilation jobs"),
    _noun("OptimizationJob", status="OptimizationJobStatus", page=50, later="Optimization jobs"),
    _noun(
        "Job",
        names=("JobCategory", "JobName"),
        arn="job/{JobCategory}/{name}",
        status="JobStatus",
        page=50,
        later="Model customization jobs",
    ),
    _noun("JobSchemaVersion", names=("JobCategory", "JobConfigSchemaVersion"), page=5),
    _noun("TrainingSession", status="TrainingSessionStatus", later="Training sessions"),
)

# Inference
_recommendations_jobs = _noun(
    "InferenceRecommendationsJob",
    names=("JobName",),
    arn_member="JobArn",
    status="Status",
    later="Inference recommendations jobs",
)
_INFERENCE = (
    _recommendations_jobs,
    _noun(
        "InferenceRecommendationsJobStep", names=("JobName", "StepName"), parent=_recommendations_jobs, status="Status"
    ),
    _noun(
        "InferenceComponent",
        status="InferenceComponentStatus",
        descending=True,
        missing=lambda name, arn: ValidationException(f'Could not find inference component "{arn}".'),
        later="Inference components",
    ),
    _noun("InferenceExperiment", names=("Name",), status="Status", later="Inference experiments"),
    _noun("InferenceRouter", status="Status", later="Inference routers"),
)

# Clusters and capacity
clusters = _noun("Cluster", arn="cluster/{id}", status="ClusterStatus", later="HyperPod clusters")
_CLUSTERS = (
    clusters,
    _noun("ClusterNode", names=("ClusterName", "NodeId"), parent=clusters),
    _noun("ClusterEvent", names=("ClusterName", "EventId"), parent=clusters, descending=True),
    _noun("ClusterOperation", names=("ClusterName", "OperationId"), parent=clusters, status="Status", descending=True),
    _noun(
        "ClusterExtension",
        names=("ClusterName", "ExtensionName"),
        arn_member="ExtensionArn",
        parent=clusters,
        status="Status",
        later="Extensions of HyperPod clusters",
    ),
    _noun(
        "ClusterSchedulerConfig",
        names=("ClusterSchedulerConfigId",),
        status="Status",
        descending=True,
        later="Scheduler configurations of HyperPod clusters",
    ),
    _noun(
        "ComputeQuota",
        names=("ComputeQuotaId",),
        status="Status",
        descending=True,
        later="Compute quotas of HyperPod clusters",
    ),
    _noun("TrainingPlan", status="Status", later="Training plans"),
    _noun(
        "TrainingPlanExtensionHistory",
        names=("TrainingPlanArn",),
        arn="training-plan/{name}",
        missing=lambda name, arn: ResourceNotFound(f"TrainingPlan '{name}' does not exist."),
    ),
    _noun("ReservedCapacity", names=("ReservedCapacityArn",), status="Status"),
)

# Applications
_APPLICATIONS = (
    _noun("MlflowApp", names=("Arn",), arn_member="Arn", status="Status", descending=True, later="MLflow apps"),
    _noun("PartnerApp", names=("Arn",), arn_member="Arn", status="Status", later="Partner AI apps"),
)

RESOURCES = (*_JOBS, *_INFERENCE, *_CLUSTERS, *_APPLICATIONS)
