"""What the default event bus is told of model packages: their status, and what of them is approved or changed.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from __future__ import annotations

from clary.core.clock import iso
from clary.resources.told import Detail, StateChange, members

_UPDATED = (
    "ModelApprovalStatus",
    "ApprovalDescription",
    "ModelLifeCycle",
    "SourceUri",
    "CustomerMetadataProperties",
    "InferenceSpecification",
)
"""Members whose updates are told, and named in ``UpdatedModelPackageFields``."""


def _named(detail: Detail, before: Detail | None) -> Detail:
    updated = [name for name in _UPDATED if before is not None and before.get(name) != detail.get(name)]
    return {**detail, "UpdatedModelPackageFields": updated} if updated else detail


PACKAGE_CHANGES = (
    StateChange("SageMaker Model Package State Change", members("ModelPackageStatus", *_UPDATED), iso, _named),
)
