"""What other capabilities need of the model registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.core.errors import ValidationException
from clary.core.names import owner_of
from clary.resources.context import Context
from clary.services.sagemaker.registry.resources import POLICY, model_package_groups, model_packages
from clary.state.transaction import Transaction

__all__ = ["group_policy", "model_package_groups", "model_packages", "package_arn", "package_containers"]


def package_arn(context: Context, params: Mapping[str, Any]) -> str:
    """The ARN of the model package that a request is about, for policies: one that is named, else all of a group."""
    named = str(params.get("ModelPackageName") or params.get("ModelPackageArn") or "")
    if named.startswith("arn:"):
        return named
    group = str(params.get("ModelPackageGroupName") or "")
    owner = replace(context, account=owner_of(group, context.account))
    return model_packages.make_arn(owner, named or "*", group.rsplit("/", 1)[-1])


def group_policy(context: Context, arn: str) -> str | None:
    """The policy of a model package group, which is that of its packages too; ``None`` for all other ARNs."""
    kind, _, name = arn.split(":", 5)[-1].partition("/")
    if kind not in ("model-package", "model-package-group"):
        return None
    owner = replace(context, account=owner_of(arn, context.account))
    with context.platform.database.read() as transaction:
        record = transaction.get(model_package_groups.key(owner, name.split("/")[0]))
    return record.document.get(POLICY) if record is not None else None


def package_containers(
    context: Context, transaction: Transaction, container: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """The containers that the model package named by a ``ContainerDefinition`` serves with.

    ``InferenceSpecificationName`` chooses one of its additional specifications. The approval status is for people and
    for their automation: AWS's documentation has it decide nothing here. Raises ``ValidationException`` where the
    package or its specification is not there.
    """
    # Who named a package of another account was allowed to.
    name = str(container.get("ModelPackageName") or "")
    owner = replace(context, account=owner_of(name, context.account))
    package = model_packages.named(owner, transaction, container)
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
