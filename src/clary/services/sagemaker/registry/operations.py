"""Listing model packages by their kind, describing many at once, and the policies of groups.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListModelPackages.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clary.core.errors import ServiceError, ValidationException
from clary.core.names import owner_of
from clary.resources.context import Context
from clary.resources.paging import page, query
from clary.resources.view import viewer
from clary.services.iam.policy import PolicyError
from clary.services.iam.resource_policies import checked
from clary.services.sagemaker.registry.resources import POLICY, model_package_groups, model_packages
from clary.state.records import Condition
from clary.wire.catalog import service


def list_model_packages(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``ListModelPackages``: those without versions, unless a group or another kind is asked for."""
    kind = params.pop("ModelPackageType", "Unversioned")
    group = params.pop("ModelPackageGroupName", None)
    contains = params.pop("NameContains", None)
    row = service("sagemaker").operation("ListModelPackages").output_shape.members["ModelPackageSummaryList"].member
    look = viewer(model_packages, row)
    with context.platform.database.read() as transaction:
        wanted = query(model_packages, context, transaction, params)
        conditions = list(wanted.conditions)
        if group is not None:
            # Of a group that is not there, there are none.
            conditions.append(Condition("@parent", "equals", group.rsplit("/", 1)[-1]))
        elif kind == "Unversioned":
            conditions.append(Condition("@parent", "equals", ""))
        elif kind == "Versioned":
            conditions.append(Condition("ModelPackageVersion", "from", 1))
        if contains is not None:
            column = "@name" if kind == "Unversioned" and group is None else "ModelPackageGroupName"
            conditions.append(Condition(column, "contains", contains))
        wanted = replace(wanted, conditions=tuple(conditions))
        records, following = page(wanted, transaction.find(wanted), context, transaction)
        rows = [look(context, transaction, record) for record in records]
    return {"ModelPackageSummaryList": rows} | ({"NextToken": following} if following else {})


def batch_describe(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``BatchDescribeModelPackage``: those that are there, and why the others cannot be shown."""
    shape = service("sagemaker").operation("BatchDescribeModelPackage").output_shape
    look = viewer(model_packages, shape.members["ModelPackageSummaries"].value)
    found, errors = {}, {}
    with context.platform.database.read() as transaction:
        for arn in params["ModelPackageArnList"]:
            try:
                owner = replace(context, account=owner_of(arn, context.account))
                record = model_packages.named(owner, transaction, {"ModelPackageArn": arn})
            except ServiceError as error:
                errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
            else:
                found[arn] = look(context, transaction, record)
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": errors}


def put_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``PutModelPackageGroupPolicy``: keep who of other accounts may use a group."""
    try:
        checked(params["ResourcePolicy"])
    except PolicyError as error:
        raise ValidationException(f"ResourcePolicy is not a valid policy document. {error}") from error
    with context.platform.database.write() as transaction:
        record = model_package_groups.named(context, transaction, params)
        record.document[POLICY] = params["ResourcePolicy"]
        transaction.update(record)
    return {"ModelPackageGroupArn": record.arn}


def get_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``GetModelPackageGroupPolicy``."""
    with context.platform.database.read() as transaction:
        record = model_package_groups.named(context, transaction, params)
    if POLICY not in record.document:
        raise ValidationException(f"Cannot find resource policy for: {record.arn}")
    return {"ResourcePolicy": record.document[POLICY]}


def delete_policy(context: Context, params: dict[str, Any]) -> dict[str, Any]:
    """``DeleteModelPackageGroupPolicy``."""
    with context.platform.database.write() as transaction:
        record = model_package_groups.named(context, transaction, params)
        if record.document.pop(POLICY, None) is None:
            raise ValidationException(f"Cannot find resource policy for: {record.arn}")
        transaction.update(record)
    return {}


OPERATIONS = {
    "ListModelPackages": list_model_packages,
    "BatchDescribeModelPackage": batch_describe,
    "PutModelPackageGroupPolicy": put_policy,
    "GetModelPackageGroupPolicy": get_policy,
    "DeleteModelPackageGroupPolicy": delete_policy,
}
