"""The training job as a resource: what Create refuses, and what Describe shows.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ResourceInUse, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.execution.api import queued, remove_job, stop_job
from clary.services.sagemaker.execution.keys import check_keys
from clary.services.sagemaker.execution.tracking import tracked
from clary.services.sagemaker.training.algorithms import check_hyperparameters, metric_definitions
from clary.services.sagemaker.training.channels import check_channels
from clary.services.sagemaker.training.cluster import check_instances
from clary.services.sagemaker.training.experiment import story
from clary.services.sagemaker.training.job import TrainingJobs, move_on
from clary.services.sagemaker.training.metrics import together
from clary.services.sagemaker.training.outputs import check_folders, model_uri, training_keys
from clary.services.sagemaker.training.own_algorithm import take_algorithm, training_image
from clary.services.sagemaker.training.spot import check_spot
from clary.services.sagemaker.training.updates import amend_job, check_profiler, profiling_status
from clary.services.sagemaker.training.warm_pools import check_warm_pool
from clary.state.records import Record
from clary.state.transaction import Transaction

DEFAULT_MAX_RUNTIME_SECONDS = 86_400


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    algorithm = params.get("AlgorithmSpecification", {})
    if ("TrainingImage" in algorithm) == ("AlgorithmName" in algorithm):
        raise ValidationException("You must specify either TrainingImage or AlgorithmName, and not both.")
    if "ResourceConfig" not in params:
        raise ValidationException("ResourceConfig is required.")
    if "OutputDataConfig" not in params:
        raise ValidationException("OutputDataConfig is required.")
    if "AlgorithmName" in algorithm:
        take_algorithm(context, transaction, params)
    check_instances(params)
    # Describe always has it, and the SDK's `attach` relies on that.
    params["OutputDataConfig"].setdefault("KmsKeyId", "")
    check_channels(params.get("InputDataConfig", []), algorithm["TrainingInputMode"])
    check_folders(params)
    check_keys(context, training_keys(params, params["TrainingJobName"]))
    check_warm_pool(params)
    check_profiler(params.get("ProfilerConfig", {}))
    _check_algorithm(algorithm, training_image(params), params.get("HyperParameters", {}))
    stopping = params.setdefault("StoppingCondition", {})
    stopping.setdefault("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
    check_spot(params)
    params.setdefault("EnableNetworkIsolation", False)
    params.setdefault("EnableInterContainerTrafficEncryption", False)
    params.setdefault("EnableManagedSpotTraining", False)
    params["SecondaryStatusTransitions"] = [
        {
            "Status": "Starting",
            "StartTime": context.platform.clock(),
            "StatusMessage": "Preparing the instances for training",
        }
    ]
    params["SecondaryStatus"] = "Starting"


def _check_algorithm(algorithm: dict[str, Any], image: str, hyperparameters: dict[str, str]) -> None:
    """Refuse what a built-in algorithm does not take, and add the metrics that it reports, which Describe shows too."""
    known: list[dict[str, str]] = []
    if not algorithm.get("ContainerEntrypoint"):
        # With a command of its own the job runs no algorithm of the image, and its hyperparameters are its own affair.
        check_hyperparameters(image, hyperparameters)
        known = metric_definitions(image)
    definitions = together(known, algorithm.get("MetricDefinitions", []))
    if definitions:
        algorithm["MetricDefinitions"] = definitions
    algorithm.setdefault("EnableSageMakerMetricsTimeSeries", bool(definitions))


_ask_to_end = stop_job("training")


def _stop(context: Context, record: Record) -> None:
    _ask_to_end(context, record)
    move_on(record, "Stopping", "Stopping the training job", context.platform.clock())


_JOBS = TrainingJobs()

training_jobs = Resource(
    SAGEMAKER,
    "TrainingJob",
    arn="training-job/{name}",
    status="TrainingJobStatus",
    initial="InProgress",
    missing=lambda name, arn: ValidationException("Requested resource not found."),
    present=lambda name, arn: ResourceInUse(
        "Job name must be unique within an AWS account and region, and a training job with this name already exists "
        f"({arn})"
    ),
    prepare=_prepare,
    added=queued(_JOBS, tracked(story)),
    amend=amend_job,
    # Where the artifacts are to be, from the start: the member is required of every answer.
    computed={
        "ModelArtifacts": lambda _, __, record: {"S3ModelArtifacts": model_uri(record)},
        "ProfilingStatus": lambda _, __, record: profiling_status(record),
    },
    paths={"WarmPoolStatusEquals": "WarmPoolStatus.Status"},
    stop=_stop,
    remove=remove_job("training"),
    reconcile=_JOBS,
    tells=(StateChange("SageMaker Training Job State Change", members("TrainingJobStatus", "SecondaryStatus")),),
)
