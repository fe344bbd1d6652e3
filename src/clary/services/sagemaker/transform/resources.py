"""The transform job as a resource: what Create refuses, and what Describe shows.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.compute.agent.associating import CSV, FORMATS, media_type
from clary.compute.agent.invocation import LARGEST_PRODUCT_MB
from clary.compute.agent.jsonpath import JsonPath, PathError
from clary.core.errors import NotAvailableYet, ResourceInUse, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.execution.api import queued, remove_job, stop_job
from clary.services.sagemaker.execution.hosts import check_count
from clary.services.sagemaker.execution.keys import check_keys
from clary.services.sagemaker.execution.tracking import tracked
from clary.services.sagemaker.models.api import containers_of, models
from clary.services.sagemaker.transform.experiment import story
from clary.services.sagemaker.transform.job import MODEL, TransformJobs, transform_keys
from clary.state.transaction import Transaction


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    model = models.find(context, transaction, params["ModelName"]).document
    containers = containers_of(model)
    if not containers:
        raise ValidationException(f"The model {params['ModelName']} has no container.")
    resources = params["TransformResources"]
    check_count(resources["InstanceCount"], resources["InstanceType"], "transform")
    _check_places(params)
    _check_payload(params)
    _check_processing(params)
    params["TransformInput"] = {"CompressionType": "None", "SplitType": "None", **params["TransformInput"]}
    params["TransformOutput"] = {"AssembleWith": "None", "KmsKeyId": "", **params["TransformOutput"]}
    processing = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    params["DataProcessing"] = processing | params.get("DataProcessing", {})
    # The model may be deleted while the job waits.
    params[MODEL] = {name: value for name, value in model.items() if name != "CreatedBy"}
    check_keys(context, transform_keys(params))


def _check_places(params: Mapping[str, Any]) -> None:
    source = params["TransformInput"]["DataSource"]["S3DataSource"]
    if source["S3DataType"] == "AugmentedManifestFile":
        raise ValidationException("S3DataType AugmentedManifestFile is not compatible with transform jobs.")
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile"):
        raise NotAvailableYet(f"S3DataType {source['S3DataType']} is not available in Clary yet.")
    uris = [source["S3Uri"], params["TransformOutput"]["S3OutputPath"]]
    if "DataCaptureConfig" in params:
        uris.append(params["DataCaptureConfig"]["DestinationS3Uri"])
    for uri in uris:
        if not uri.startswith("s3://") or not uri.removeprefix("s3://").partition("/")[0]:
            raise ValidationException(f"The S3 URI {uri} is invalid.")


def _check_payload(params: Mapping[str, Any]) -> None:
    payload, concurrent = params.get("MaxPayloadInMB", 0), params.get("MaxConcurrentTransforms", 0)
    if payload > LARGEST_PRODUCT_MB:
        raise ValidationException(
            f"The value of MaxPayloadInMB cannot be greater than {LARGEST_PRODUCT_MB} MB, and it is {payload}."
        )
    if payload * concurrent > LARGEST_PRODUCT_MB:
        raise ValidationException(
            f"The value of (MaxConcurrentTransforms * MaxPayloadInMB) cannot exceed {LARGEST_PRODUCT_MB} MB, and it is "
            f"{payload * concurrent}."
        )


def _check_processing(params: Mapping[str, Any]) -> None:
    """Refuse filters, joins and inference ids that no record could ever have."""
    processing = params.get("DataProcessing", {})
    given = media_type(params["TransformInput"].get("ContentType", ""))
    answered = media_type(params["TransformOutput"].get("Accept", "")) or given
    joins = processing.get("JoinSource", "None") == "Input"
    before = _check_filter("InputFilter", processing.get("InputFilter", "$"), given)
    after = _check_filter("OutputFilter", processing.get("OutputFilter", "$"), answered)
    for member, media, used in (("ContentType", given, before or joins), ("Accept", answered, after or joins)):
        if used and media not in FORMATS:
            raise ValidationException(
                f"DataProcessing needs {member} to be one of {', '.join(FORMATS)}, and it is {media or 'not given'}."
            )
    if params.get("DataCaptureConfig", {}).get("GenerateInferenceId", False) and answered not in FORMATS:
        raise ValidationException(
            f"GenerateInferenceId needs Accept to be one of {', '.join(FORMATS)}, and it is {answered or 'not given'}."
        )
    if joins and (given == CSV) != (answered == CSV):
        raise ValidationException(f"JoinSource Input cannot join {given} with {answered}.")
    if (before or after or joins) and params["TransformInput"].get("SplitType", "None") not in ("None", "Line"):
        raise ValidationException("DataProcessing needs the SplitType None or Line.")


def _check_filter(member: str, text: str, media: str) -> bool:
    """Whether there is a filter; raises ``ValidationException`` for one that cannot be."""
    try:
        path = JsonPath(text)
    except PathError as error:
        raise ValidationException(f"{member} is invalid: {error}.") from error
    if path.by_name and media == CSV:
        raise ValidationException(f"{member} is invalid: rows of CSV have indexes and no names, and it is {text}.")
    return not path.is_root


_JOBS = TransformJobs()

transform_jobs = Resource(
    SAGEMAKER,
    "TransformJob",
    status="TransformJobStatus",
    initial="InProgress",
    descending=True,
    missing=lambda name, arn: ValidationException(f"Could not find requested job with name: {name}"),
    present=lambda name, arn: ResourceInUse(
        "Job name must be unique within an AWS account and region, and a transform job with this name already exists "
        f"({arn})"
    ),
    prepare=_prepare,
    added=queued(_JOBS, tracked(story)),
    stop=stop_job("transform"),
    remove=remove_job("transform"),
    reconcile=_JOBS,
    tells=(StateChange("SageMaker Transform Job State Change", members("TransformJobStatus")),),
)
