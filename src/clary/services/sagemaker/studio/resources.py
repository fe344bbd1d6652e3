"""What Studio and notebooks keep, as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateStudioLifecycleConfig.html
"""

from __future__ import annotations

from clary.core.errors import ValidationException
from clary.resources.resource import Resource
from clary.services.sagemaker.dialect import SAGEMAKER

code_repositories = Resource(
    SAGEMAKER,
    "CodeRepository",
    arn="code-repository/{name}",
    missing=lambda name, arn: ValidationException(f'Cannot find CodeRepository: "{arn}"'),
    present=lambda name, arn: ValidationException(f"Cannot create a duplicate CodeRepository ({arn})"),
)
studio_lifecycle_configs = Resource(
    SAGEMAKER,
    "StudioLifecycleConfig",
    arn="studio-lifecycle-config/{name}",
    paths={"AppTypeEquals": "StudioLifecycleConfigAppType"},
)
app_image_configs = Resource(SAGEMAKER, "AppImageConfig", arn="app-image-config/{name}")
notebook_lifecycle_configs = Resource(
    SAGEMAKER,
    "NotebookInstanceLifecycleConfig",
    arn="notebook-instance-lifecycle-config/{name}",
    missing=lambda name, arn: ValidationException("RecordNotFound"),
    present=lambda name, arn: ValidationException(
        f"Unable to create Notebook Instance Lifecycle Config {arn}. "
        "(Details: Notebook Instance Lifecycle Config already exists.)"
    ),
)
RESOURCES = (code_repositories, studio_lifecycle_configs, app_image_configs, notebook_lifecycle_configs)
