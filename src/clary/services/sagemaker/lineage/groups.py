"""Lineage groups: all entities of an account in a region belong to its one group.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xaccount-lineage-tracking.html
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from clary.core.errors import ResourceInUse
from clary.resources import changes
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.lineage.persons import BY_PERSONS
from clary.state.transaction import Transaction

GROUP = "sagemaker-default-lineage-group"

lineage_groups = Resource(SAGEMAKER, "LineageGroup", computed=BY_PERSONS)


def group_arn(context: Context) -> str:
    """The ARN of the group that the entities of the caller's account belong to."""
    return lineage_groups.make_arn(context, GROUP)


def join_group(context: Context, transaction: Transaction) -> None:
    """Make the group with the first entity that belongs to it."""
    if transaction.get(lineage_groups.key(context, GROUP)) is None:
        with suppress(ResourceInUse):
            changes.add(lineage_groups, context, transaction, {"LineageGroupName": GROUP, "DisplayName": GROUP})


def get_lineage_group_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetLineageGroupPolicy``: the group; it has no policy, since nothing shares it with other accounts."""
    with context.platform.database.read() as transaction:
        return {"LineageGroupArn": lineage_groups.named(context, transaction, params).arn}
