"""The algorithm as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateAlgorithm.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.algorithms.specification import check_training
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.state.transaction import Transaction


def _prepare(_: Context, __: Transaction, params: dict[str, Any]) -> None:
    if "ValidationSpecification" in params:
        raise NotAvailableYet("The validation of algorithms (ValidationSpecification) is not available in Clary yet.")
    if params.setdefault("CertifyForMarketplace", False):
        raise NotAvailableYet("Certification for AWS Marketplace (CertifyForMarketplace) is not available in Clary.")
    check_training(params["TrainingSpecification"])
    params["TrainingSpecification"].setdefault("SupportsDistributedTraining", False)


algorithms = Resource(
    SAGEMAKER,
    "Algorithm",
    status="AlgorithmStatus",
    initial="Completed",
    # What is not validated and not scanned has no statuses of that.
    computed={"AlgorithmStatusDetails": lambda *_: {"ValidationStatuses": [], "ImageScanStatuses": []}},
    missing=lambda name, arn: ValidationException(f"Algorithm {arn} does not exist."),
    present=lambda name, arn: ValidationException(f"Algorithm already exists: {arn}"),
    prepare=_prepare,
)
RESOURCES = (algorithms,)
