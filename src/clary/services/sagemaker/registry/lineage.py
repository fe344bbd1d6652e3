"""What lineage shows of a model package: its group, its creation, and what it holds.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking-auto-creation.html
"""

from __future__ import annotations

from clary.resources.context import Context
from clary.services.sagemaker.lineage.api import activity, artifact, connect, containers_artifacts, logical_group
from clary.state.records import Record
from clary.state.transaction import Transaction


def draw_group(context: Context, transaction: Transaction, group: Record) -> None:
    """Draw the context of a new model package group."""
    _context_of(context, transaction, group.name, group.arn)


def draw_package(context: Context, transaction: Transaction, package: Record) -> None:
    """Draw a new version of a group; a package without a group has no lineage."""
    group = package.document.get("ModelPackageGroupName")
    if group is None:
        return
    held = artifact(context, transaction, "ModelPackage", package.arn)
    name = f"{group}-{package.name}-aws-model-package"
    creation = activity(context, transaction, "ModelPackageCreation", name, package.arn)
    connect(context, transaction, held, creation, "AssociatedWith")
    arn = package.arn.replace(":model-package/", ":model-package-group/").rpartition("/")[0]
    connect(context, transaction, held, _context_of(context, transaction, group, arn), "AssociatedWith")
    for each in containers_artifacts(
        context, transaction, package.document.get("InferenceSpecification", {}).get("Containers", ())
    ):
        connect(context, transaction, each, held, "ContributedTo")


def _context_of(context: Context, transaction: Transaction, group: str, arn: str) -> Record:
    return logical_group(context, transaction, "ModelGroup", f"{group}-aws-model-package-group", arn)
