"""What is known of the built-in algorithms before their code runs: hyperparameters and metrics.

The declarations belong to the algorithms, which ship in ``clary_runtimes``; they need the standard library alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from clary.compute.images.catalog import ImageNotExact, ImageNotFound, catalogue
from clary.core.errors import ValidationException
from clary_runtimes.algorithms import registry
from clary_runtimes.algorithms.registry import Algorithm

SCRIPT = "sagemaker_program"
"""The hyperparameter that makes a framework image run the user's script, whose the other hyperparameters are then."""


def find_algorithm(image: str) -> Algorithm | None:
    """The built-in algorithm that an image has, if it has one."""
    try:
        match = catalogue().find(image)
    except (ImageNotFound, ImageNotExact):
        return None
    return registry.find(match.image.variables.get("CLARY_RUNTIME", ""))


def check_hyperparameters(image: str, hyperparameters: Mapping[str, str]) -> None:
    """Refuse hyperparameters that a built-in algorithm does not take.

    Raises ``ValidationException`` with the algorithm's own message.
    """
    algorithm = find_algorithm(image)
    if algorithm is None or SCRIPT in hyperparameters:
        return
    if messages := algorithm.validate(hyperparameters):
        raise ValidationException("; ".join(messages))


def metric_definitions(image: str) -> list[dict[str, str]]:
    """The metrics that a built-in algorithm reports without being asked."""
    algorithm = find_algorithm(image)
    return algorithm.metric_definitions() if algorithm else []
