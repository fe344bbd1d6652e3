"""The model as a resource.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModel.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import NotAvailableYet, ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.registry.api import package_containers
from clary.state.transaction import Transaction


def _prepare(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    if "ExecutionRoleArn" not in params:
        raise ValidationException("ExecutionRoleArn is required.")
    if context.platform.settings.test_mode and "PrimaryContainer" not in params and "Containers" not in params:
        # Public suites make models of nothing, which are only kept.
        params["EnableNetworkIsolation"] = params.get("EnableNetworkIsolation", False)
        return
    if ("PrimaryContainer" in params) == ("Containers" in params):
        raise ValidationException("You must provide either PrimaryContainer or Containers, and not both.")
    containers = [params["PrimaryContainer"]] if "PrimaryContainer" in params else params["Containers"]
    if not containers:
        raise ValidationException("Containers must not be empty.")
    if params.get("InferenceExecutionConfig", {}).get("Mode", "Serial") != "Serial":
        raise NotAvailableYet("Containers that are invoked directly are not available in Clary yet.")
    for container in containers:
        if "ModelPackageName" in container:
            _take_over(context, transaction, container)
        _check_container(container)
    params.setdefault("EnableNetworkIsolation", False)


def _take_over(context: Context, transaction: Transaction, container: dict[str, Any]) -> None:
    """Fill in what a container has of the model package that it names."""
    [packaged, *more] = package_containers(context, transaction, container)
    if more:
        raise NotAvailableYet("Models of several containers are not available in Clary yet.")
    for member in ("Image", "ModelDataUrl", "ModelDataSource"):
        if member in container:
            raise ValidationException(f"{member} must not be given together with ModelPackageName.")
        if member in packaged:
            container[member] = packaged[member]
    container["Environment"] = {**packaged.get("Environment", {}), **container.get("Environment", {})}


def _check_container(container: dict[str, Any]) -> None:
    if "Image" not in container:
        raise ValidationException("You must specify Image or ModelPackageName for a container.")
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise ValidationException("ModelDataUrl and ModelDataSource must not be given together.")
    container.setdefault("Mode", "SingleModel")
    if container["Mode"] != "SingleModel":
        raise NotAvailableYet("Multi-model containers are not available in Clary yet.")
    container.setdefault("Environment", {})


models = Resource(
    SAGEMAKER,
    "Model",
    arn="model/{name}",
    descending=True,
    missing=lambda name, arn: ValidationException(f'Could not find model "{arn}".'),
    present=lambda name, arn: ValidationException(f'Cannot create already existing model "{arn}".'),
    prepare=_prepare,
    tells=(StateChange("SageMaker Model State Change", members("ModelArn"), deleted=True),),
)
