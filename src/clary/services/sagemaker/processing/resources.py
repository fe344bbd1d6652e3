"""The processing job as a resource: what Create refuses, and what Describe shows.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import NotAvailableYet, ResourceInUse, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.execution.api import queued, remove_job, stop_job
from clary.services.sagemaker.execution.hosts import check_count
from clary.services.sagemaker.execution.keys import check_keys
from clary.services.sagemaker.execution.tracking import tracked
from clary.services.sagemaker.processing.experiment import story
from clary.services.sagemaker.processing.job import ProcessingJobs, processing_keys
from clary.state.transaction import Transaction

DEFAULT_MAX_RUNTIME_SECONDS = 86_400


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    cluster = params["ProcessingResources"]["ClusterConfig"]
    if "InstanceCount" not in cluster or "InstanceType" not in cluster:
        raise ValidationException("ProcessingResources must name an InstanceCount and an InstanceType.")
    check_count(cluster["InstanceCount"], cluster["InstanceType"], "processing")
    inputs = params.get("ProcessingInputs", [])
    outputs = params.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _check_unique("input", (each["InputName"] for each in inputs))
    _check_unique("output", (each["OutputName"] for each in outputs))
    for each in inputs:
        _check_s3(each, "S3Input", f"Processing input {each['InputName']}")
    for each in outputs:
        _check_s3(each, "S3Output", f"Processing output {each['OutputName']}")
    check_keys(context, processing_keys(params))
    params.setdefault("StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS})


def _check_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValidationException(f"Processing {what} names must be unique: {name}")
        seen.add(name)


def _check_s3(given: Mapping[str, Any], member: str, what: str) -> None:
    place = given.get(member)
    if place is None:
        raise NotAvailableYet(f"{what}: only {member} is available in Clary yet.")
    if place.get("S3InputMode") == "Pipe":
        raise NotAvailableYet(f"{what}: Pipe mode is not available in Clary yet.")
    if place.get("S3CompressionType", "None") != "None":
        raise NotAvailableYet(f"{what}: S3CompressionType {place['S3CompressionType']} is not available in Clary yet.")
    if not place["S3Uri"].startswith("s3://"):
        raise ValidationException(f"{what}: the S3 URI {place['S3Uri']} is invalid.")
    path = place.get("LocalPath", "")
    if not path.startswith("/opt/ml/processing/") or ".." in path.split("/"):
        raise ValidationException(f"{what}: LocalPath {path!r} must be a folder below /opt/ml/processing.")


_JOBS = ProcessingJobs()

processing_jobs = Resource(
    SAGEMAKER,
    "ProcessingJob",
    arn="processing-job/{name}",
    status="ProcessingJobStatus",
    initial="InProgress",
    missing=lambda name, arn: ValidationException(f"Could not find requested job with name: {name}"),
    present=lambda name, arn: ResourceInUse(
        "Job name must be unique within an AWS account and region, and a processing job with this name already exists "
        f"({arn})"
    ),
    prepare=_prepare,
    added=queued(_JOBS, tracked(story)),
    stop=stop_job("processing"),
    remove=remove_job("processing"),
    reconcile=_JOBS,
    tells=(StateChange("SageMaker Processing Job State Change", members("ProcessingJobStatus")),),
)
