"""Model package groups and their versions as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/model-registry.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ConflictException, NotAvailableYet, ValidationException
from clary.resources.changes import next_number
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.registry.lineage import draw_group, draw_package
from clary.services.sagemaker.registry.source_algorithm import take_inference
from clary.services.sagemaker.registry.told import PACKAGE_CHANGES
from clary.state.records import Record
from clary.state.transaction import Transaction

POLICY = "_policy"
"""In a group's document: the policy that ``PutModelPackageGroupPolicy`` has given it."""
_MOST_ADDITIONAL = 15
_CLONED = (
    "InferenceSpecification",
    "AdditionalInferenceSpecifications",
    "ModelMetrics",
    "DriftCheckBaselines",
    "Domain",
    "Task",
    "SamplePayloadUrl",
)
"""What a package that is made of another one has of it, unless the request says otherwise."""
_DONE: dict[str, Any] = {"ValidationStatuses": [], "ImageScanStatuses": []}


def _remove_group(context: Context, transaction: Transaction, record: Record) -> bool:
    if transaction.count(model_packages.query(context).within(record.name)):
        raise ConflictException(f"Cannot delete Model Package Group: {record.arn} because it still contains packages.")
    return True


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    group, name = params.get("ModelPackageGroupName"), params.get("ModelPackageName")
    if group and name:
        raise ValidationException("Both ModelPackageName and ModelPackageGroupName are provided in the input. ")
    if not group and not name:
        raise ValidationException("Missing ARN.")
    if "ValidationSpecification" in params:
        raise NotAvailableYet("Validation of model packages (ValidationSpecification) is not available in Clary yet.")
    _check_images(params)
    if group:
        # What may be called by its ARN is kept by its name.
        params["ModelPackageGroupName"] = model_package_groups.find(context, transaction, group).name
        params.setdefault("ModelApprovalStatus", "PendingManualApproval")
        params.setdefault("ModelPackageRegistrationType", "Registered")
    if "SourceAlgorithmSpecification" in params:
        take_inference(context, transaction, params)
    if "SourceUri" in params:
        _take_over(context, transaction, params)
    params.setdefault("CertifyForMarketplace", False)
    params["ModelPackageStatusDetails"] = _DONE


def _take_over(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    """Fill in what a package is made of that ``SourceUri`` names: another package, or a model."""
    source = params["SourceUri"]
    if (package := model_packages.by_arn(context, transaction, source)) is not None:
        for member in _CLONED:
            if member in package.document:
                params.setdefault(member, package.document[member])
    elif (model := transaction.by_arn(source)) is not None and model.key.account == context.account:
        primary = model.document.get("PrimaryContainer")
        containers = [primary] if primary is not None else model.document.get("Containers", [])
        known = ("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource", "Environment")
        specification = params.setdefault("InferenceSpecification", {})
        specification.setdefault(
            "Containers", [{name: each[name] for name in known if name in each} for each in containers]
        )


def _check_images(params: Mapping[str, Any]) -> None:
    specifications = [params.get("InferenceSpecification"), *params.get("AdditionalInferenceSpecifications", ())]
    for specification in filter(None, specifications):
        for container in specification.get("Containers", ()):
            if "Image" not in container and "ModelDataUrl" not in container:
                raise ValidationException("A container of an inference specification needs an Image.")


def _name(_: Resource, context: Context, transaction: Transaction, params: dict[str, Any]) -> str:
    if "ModelPackageGroupName" not in params:
        return str(params["ModelPackageName"])
    group = model_package_groups.find(context, transaction, params["ModelPackageGroupName"])
    params["ModelPackageVersion"] = next_number(transaction, group)
    return str(params["ModelPackageVersion"])


def _locate(context: Context, transaction: Transaction, params: Mapping[str, Any]) -> Record | None:
    named = str(params.get("ModelPackageName") or params.get("ModelPackageArn") or "")
    if named.startswith("arn:"):
        return model_packages.by_arn(context, transaction, named)
    return transaction.get(model_packages.key(context, named, ""))


def _amend(context: Context, transaction: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if added := changes.pop("AdditionalInferenceSpecificationsToAdd", None):
        present = record.document.get("AdditionalInferenceSpecifications", [])
        names = [specification["Name"] for specification in (*present, *added)]
        if len(set(names)) != len(names):
            raise ValidationException("The names of additional inference specifications must be unique.")
        if len(names) > _MOST_ADDITIONAL:
            raise ValidationException(f"There can be at most {_MOST_ADDITIONAL} additional inference specifications.")
        changes["AdditionalInferenceSpecifications"] = [*present, *added]
    if "ModelCard" in changes:
        changes["ModelCard"] = {**record.document.get("ModelCard", {}), **changes["ModelCard"]}
    _check_images(changes)


model_package_groups = Resource(
    SAGEMAKER,
    "ModelPackageGroup",
    status="ModelPackageGroupStatus",
    initial="Completed",
    missing=lambda name, arn: ValidationException(f"ModelPackageGroup {arn} does not exist."),
    present=lambda name, arn: ValidationException(f"Model Package Group already exists: {arn}"),
    added=draw_group,
    remove=_remove_group,
)
model_packages = Resource(
    SAGEMAKER,
    "ModelPackage",
    names=("ModelPackageGroupName", "ModelPackageVersion"),
    arn="model-package/{ModelPackageGroupName}/{name}",
    generated=_name,
    locate=_locate,
    status="ModelPackageStatus",
    initial="Completed",
    computed={
        # A version is called by its group, as a package without versions is by its own name.
        "ModelPackageName": lambda _, __, record: record.document.get("ModelPackageName") or record.key.parent,
        "ModelPackageVersion": lambda _, __, record: record.document.get("ModelPackageVersion"),
    },
    missing=lambda name, arn: ValidationException(f"Model package {arn} does not exist."),
    present=lambda name, arn: ConflictException(f"Model Package already exists: {arn}"),
    prepare=_prepare,
    added=draw_package,
    amend=_amend,
    tells=PACKAGE_CHANGES,
)
RESOURCES = (model_package_groups, model_packages)
