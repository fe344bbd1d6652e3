"""How SageMaker speaks of its resources.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Operations_Amazon_SageMaker_Service.html
"""

from __future__ import annotations

from clary.core.errors import ResourceInUse, ResourceNotFound
from clary.resources.dialect import Dialect

SAGEMAKER = Dialect(
    service="sagemaker",
    verbs={
        "create": ("Create{noun}",),
        "describe": ("Describe{noun}",),
        "list": ("List{nouns}",),
        "update": ("Update{noun}",),
        "delete": ("Delete{noun}",),
        "stop": ("Stop{noun}",),
        "start": ("Start{noun}",),
    },
    missing=lambda noun, name, arn: ResourceNotFound(f"{noun} '{name}' does not exist."),
    present=lambda noun, name, arn: ResourceInUse(f"{noun} '{name}' already exists ({arn})."),
    principal="sagemaker.amazonaws.com",
)
