"""The algorithm as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAlgorithm.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ConflictException, NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.algorithms.specification import check_training
from clary.services.sagemaker.algorithms.validation import UNDER_WAY, details, follow
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.records import Record
from clary.state.transaction import Transaction


def _prepare(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    for profile in params.get("ValidationSpecification", {}).get("ValidationProfiles", ()):
        if "TransformJobDefinition" in profile:
            raise NotAvailableYet(
                "The validation of an algorithm's inference code (TransformJobDefinition) is not available in Clary "
                "yet; leave it out, and its training code is validated."
            )
    params.setdefault("CertifyForMarketplace", False)
    check_training(params["TrainingSpecification"])
    params["TrainingSpecification"].setdefault("SupportsDistributedTraining", False)


def _remove(_: Context, __: Transaction, record: Record) -> bool:
    if record.status in UNDER_WAY:
        raise ConflictException(f"The algorithm {record.arn} cannot be deleted while it is in status {record.status}.")
    return True


algorithms = Resource(
    SAGEMAKER,
    "Algorithm",
    status="AlgorithmStatus",
    # One with a validation begins as Pending: see ``operations.py``.
    initial="Completed",
    computed={"AlgorithmStatusDetails": lambda _, __, record: details(record)},
    missing=lambda name, arn: ValidationException(f"Algorithm {arn} does not exist."),
    present=lambda name, arn: ValidationException(f"Algorithm already exists: {arn}"),
    prepare=_prepare,
    remove=_remove,
    reconcile=follow,
    tells=(StateChange("SageMaker Algorithm State Change", members("AlgorithmStatus")),),
)
RESOURCES = (algorithms,)
