"""What Studio and notebooks keep, as resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateStudioLifecycleConfig.html
"""

from __future__ import annotations

from clary.core.errors import ValidationException
from clary.resources.resource import Resource

code_repositories = Resource(
    service="sagemaker",
    noun="CodeRepository",
    arn="code-repository/{name}",
    missing=lambda name, arn: ValidationException(f'Cannot find CodeRepository: "{arn}"'),
    present=lambda name, arn: ValidationException(f"Cannot create a duplicate CodeRepository ({arn})"),
)
studio_lifecycle_configs = Resource(
    service="sagemaker",
    noun="StudioLifecycleConfig",
    arn="studio-lifecycle-config/{name}",
    filters={"AppTypeEquals": "StudioLifecycleConfigAppType"},
)
app_image_configs = Resource(service="sagemaker", noun="AppImageConfig", arn="app-image-config/{name}")
notebook_lifecycle_configs = Resource(
    service="sagemaker",
    noun="NotebookInstanceLifecycleConfig",
    arn="notebook-instance-lifecycle-config/{name}",
    missing=lambda name, arn: ValidationException("RecordNotFound"),
    present=lambda name, arn: ValidationException(
        f"Unable to create Notebook Instance Lifecycle Config {arn}. "
        "(Details: Notebook Instance Lifecycle Config already exists.)"
    ),
)
RESOURCES = (code_repositories, studio_lifecycle_configs, app_image_configs, notebook_lifecycle_configs)
