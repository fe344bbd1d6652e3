"""The services that the control plane offers."""

from __future__ import annotations

from clary.resources.context import ServiceApp
from clary.services.iam.service import SERVICE as IAM
from clary.services.logs.service import SERVICE as LOGS
from clary.services.sagemaker.service import app as sagemaker
from clary.services.sts.service import SERVICE as STS


def services() -> dict[str, ServiceApp]:
    """Every service by its name in botocore."""
    return {app.name: app for app in (sagemaker(), IAM, STS, LOGS)}
