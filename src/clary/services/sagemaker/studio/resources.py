"""What Studio and notebooks keep, as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateStudioLifecycleConfig.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.resources.resource import Resource
from clary.resources.told import StateChange, members
from clary.services.sagemaker.dialect import SAGEMAKER
from clary.services.sagemaker.studio import domains
from clary.state.records import Record
from clary.state.transaction import Transaction


def _amend_repository(_: Context, __: Transaction, record: Record, changes: dict[str, Any]) -> None:
    if "GitConfig" in changes:
        changes["GitConfig"] = {**record.document["GitConfig"], **changes["GitConfig"]}


code_repositories = Resource(
    SAGEMAKER,
    "CodeRepository",
    sort_by="@name",
    amend=_amend_repository,
    arn="code-repository/{name}",
    missing=lambda name, arn: ValidationException(f'Cannot find CodeRepository: "{arn}"'),
    present=lambda name, arn: ValidationException(f"Cannot create a duplicate CodeRepository ({arn})"),
)
studio_lifecycle_configs = Resource(
    SAGEMAKER,
    "StudioLifecycleConfig",
    descending=True,
    arn="studio-lifecycle-config/{name}",
    paths={"AppTypeEquals": "StudioLifecycleConfigAppType"},
)
app_image_configs = Resource(SAGEMAKER, "AppImageConfig", descending=True)
notebook_lifecycle_configs = Resource(
    SAGEMAKER,
    "NotebookInstanceLifecycleConfig",
    arn="notebook-instance-lifecycle-config/{name}",
    missing=lambda name, arn: ValidationException("RecordNotFound"),
    present=lambda name, arn: ValidationException(
        f"Unable to create Notebook Instance Lifecycle Config {arn}. "
        "(Details: Notebook Instance Lifecycle Config already exists.)"
    ),
    tells=(
        StateChange(
            "SageMaker Notebook Lifecycle Config State Change",
            members("NotebookInstanceLifecycleConfigArn"),
            deleted=True,
        ),
    ),
)
notebook_instances = Resource(
    SAGEMAKER,
    "NotebookInstance",
    status="NotebookInstanceStatus",
    sort_by="@name",
    missing=lambda name, arn: ValidationException("RecordNotFound"),
    later="Notebook instances",
)
RESOURCES = (
    *domains.RESOURCES,
    code_repositories,
    studio_lifecycle_configs,
    app_image_configs,
    notebook_lifecycle_configs,
    notebook_instances,
)
