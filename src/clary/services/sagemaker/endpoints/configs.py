"""The endpoint configuration as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.endpoints.capture import check_capture, endpoint_keys
from clary.services.sagemaker.execution.hosts import check_count
from clary.services.sagemaker.execution.keys import check_keys
from clary.services.sagemaker.models.api import models
from clary.state.transaction import Transaction

MEMORY_SIZES_MB = (1024, 2048, 3072, 4096, 5120, 6144)
"""https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html"""
_LATER = {
    "AsyncInferenceConfig": "Asynchronous inference",
    "ExplainerConfig": "Online explanations",
    "ShadowProductionVariants": "Shadow variants",
}


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    for member, what in _LATER.items():
        if member in params:
            raise NotAvailableYet(f"{what} ({member}) is not available in Clary yet.")
    if "DataCaptureConfig" in params:
        check_capture(params["DataCaptureConfig"])
    check_keys(context, endpoint_keys(params, [""]))
    if len({"ServerlessConfig" in variant for variant in params["ProductionVariants"]}) > 1:
        raise ValidationException("An endpoint cannot have serverless variants together with others.")
    names: set[str] = set()
    for variant in params["ProductionVariants"]:
        if variant["VariantName"] in names:
            raise ValidationException(f"Variant names must be unique: {variant['VariantName']}")
        names.add(variant["VariantName"])
        _check_variant(context, transaction, variant)


def _check_variant(context: Context, transaction: Transaction, variant: dict[str, Any]) -> None:
    name = variant["VariantName"]
    if "ModelName" not in variant:
        raise NotAvailableYet("Variants for inference components are not available in Clary yet.")
    models.find(context, transaction, variant["ModelName"])
    variant.setdefault("InitialVariantWeight", 1.0)
    if "ServerlessConfig" in variant:
        _check_serverless(name, variant)
        return
    if "InstanceType" not in variant:
        raise ValidationException(f"InstanceType is required for variant {name}.")
    check_count(variant.setdefault("InitialInstanceCount", 1), variant["InstanceType"], "endpoint")


def _check_serverless(name: str, variant: dict[str, Any]) -> None:
    for member in ("InstanceType", "InitialInstanceCount"):
        if member in variant:
            raise ValidationException(f"{member} cannot be given for the serverless variant {name}.")
    config = variant["ServerlessConfig"]
    if config["MemorySizeInMB"] not in MEMORY_SIZES_MB:
        raise ValidationException(
            f"Value '{config['MemorySizeInMB']}' at 'MemorySizeInMB' failed to satisfy constraint: Member must satisfy "
            f"enum value set: {list(MEMORY_SIZES_MB)}"
        )
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise ValidationException(f"ProvisionedConcurrency of variant {name} must not be larger than MaxConcurrency.")


endpoint_configs = Resource(
    SAGEMAKER,
    "EndpointConfig",
    arn="endpoint-config/{name}",
    descending=True,
    missing=lambda name, arn: ValidationException(f'Could not find endpoint configuration "{arn}".'),
    present=lambda name, arn: ValidationException(f'Cannot create already existing endpoint configuration "{arn}".'),
    prepare=_prepare,
    tells=(StateChange("SageMaker Endpoint Config State Change", members("EndpointConfigArn"), deleted=True),),
)
