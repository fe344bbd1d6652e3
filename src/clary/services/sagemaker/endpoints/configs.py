"""The endpoint configuration as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.models.api import models
from clary.state.transaction import Transaction

_LATER = {
    "AsyncInferenceConfig": "Asynchronous inference",
    "ExplainerConfig": "Online explanations",
    "ShadowProductionVariants": "Shadow variants",
}


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    for member, what in _LATER.items():
        if member in params:
            raise NotAvailableYet(f"{what} ({member}) is not available in Clary yet.")
    if params.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise NotAvailableYet("Data capture is not available in Clary yet.")
    names: set[str] = set()
    for variant in params["ProductionVariants"]:
        if variant["VariantName"] in names:
            raise ValidationException(f"Variant names must be unique: {variant['VariantName']}")
        names.add(variant["VariantName"])
        _check_variant(context, transaction, variant)


def _check_variant(context: Context, transaction: Transaction, variant: dict[str, Any]) -> None:
    if "ServerlessConfig" in variant:
        raise NotAvailableYet("Serverless inference is not available in Clary yet.")
    if "ModelName" not in variant:
        raise NotAvailableYet("Variants for inference components are not available in Clary yet.")
    models.find(context, transaction, variant["ModelName"])
    if "InstanceType" not in variant:
        raise ValidationException(f"InstanceType is required for variant {variant['VariantName']}.")
    if variant.setdefault("InitialInstanceCount", 1) != 1:
        raise NotAvailableYet("Several instances of a variant are not available in Clary yet.")
    variant.setdefault("InitialVariantWeight", 1.0)


endpoint_configs = Resource(
    SAGEMAKER,
    "EndpointConfig",
    arn="endpoint-config/{name}",
    descending=True,
    missing=lambda name, arn: ValidationException(f'Could not find endpoint configuration "{arn}".'),
    present=lambda name, arn: ValidationException(f'Cannot create already existing endpoint configuration "{arn}".'),
    prepare=_prepare,
)
