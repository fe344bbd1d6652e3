"""What other capabilities need of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.services.sagemaker.models.resources import models

__all__ = ["containers_of", "models"]


def containers_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The containers of a model, in the order in which a request goes through them; none of a model of nothing."""
    if "PrimaryContainer" in document:
        return [document["PrimaryContainer"]]
    containers: Sequence[Mapping[str, Any]] = document.get("Containers", [])
    return containers
