"""How Application Auto Scaling speaks of its resources.

Reference: https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ServiceError, ValidationException
from clary.resources.dialect import Dialect

SERVICE = "application-autoscaling"
TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")
"""The members that name a scalable target, and what policies and scheduled actions belong to."""


class ObjectNotFoundException(ServiceError):
    """The target, policy or action is not registered."""

    code = "ObjectNotFoundException"
    status = 400


SCALING = Dialect(
    service=SERVICE,
    verbs={
        "register": ("Register{noun}",),
        "put": ("Put{noun}",),
        "list": ("Describe{nouns}",),
        "delete": ("Deregister{noun}", "Delete{noun}"),
    },
    missing=lambda noun, name, arn: ObjectNotFoundException(f"No {noun} found for {name}"),
    present=lambda noun, name, arn: ValidationException(f"{noun} {name} is registered already."),
    page=50,
)


def within(params: Mapping[str, Any]) -> str:
    """What policies, scheduled actions and activities of the target that ``params`` name have as their parent."""
    return "/".join(params[member] for member in TARGET)


def target_text(params: Mapping[str, Any]) -> str:
    """The target that ``params`` name, as the errors name it."""
    namespace, resource, dimension = (params[member] for member in TARGET)
    return f"service namespace: {namespace}, resource ID: {resource}, scalable dimension: {dimension}"
