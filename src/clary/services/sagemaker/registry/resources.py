"""Model package groups as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
"""

from __future__ import annotations

from clary.core.errors import ValidationException
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER

model_package_groups = Resource(
    SAGEMAKER,
    "ModelPackageGroup",
    arn="model-package-group/{name}",
    status="ModelPackageGroupStatus",
    initial="Completed",
    missing=lambda name, arn: ValidationException(f"ModelPackageGroup {arn} does not exist."),
    present=lambda name, arn: ValidationException(f"Model Package Group already exists: {arn}"),
)
RESOURCES = (model_package_groups,)
