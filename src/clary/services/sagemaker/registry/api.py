"""What other capabilities need of the model registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.registry.resources import model_package_groups, model_packages
from clary.state.transaction import Transaction

__all__ = ["model_package_groups", "model_packages", "package_containers"]


def package_containers(
    context: Context, transaction: Transaction, container: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The containers that the model package named by a ``ContainerDefinition`` serves with.

    ``InferenceSpecificationName`` chooses one of its additional specifications. The approval status is for people and
    for their automation: AWS's documentation has it decide nothing here. Raises ``ValidationException`` where the
    package or its specification is not there.
    """
    package = model_packages.named(context, transaction, container)
    chosen = container.get("InferenceSpecificationName")
    if chosen is None:
        specification = package.document.get("InferenceSpecification", {})
    else:
        named = {each["Name"]: each for each in package.document.get("AdditionalInferenceSpecifications", ())}
        if chosen not in named:
            raise ValidationException(f"Model package {package.arn} has no inference specification {chosen}.")
        specification = named[chosen]
    containers: list[Mapping[str, Any]] = specification.get("Containers", [])
    if not containers:
        raise ValidationException(f"Model package {package.arn} has no inference specification.")
    return containers
