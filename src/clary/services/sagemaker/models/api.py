"""What other capabilities need of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.services.sagemaker.models.resources import models

__all__ = ["container_of", "models"]


def container_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one container of a model."""
    container: Mapping[str, Any] = document.get("PrimaryContainer") or document["Containers"][0]
    return container
