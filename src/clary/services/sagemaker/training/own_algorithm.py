"""Training with an algorithm resource instead of an image.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AlgorithmSpecification.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.algorithms.requests import check_request, hyperparameters
from clary.services.sagemaker.algorithms.resources import algorithms
from clary.services.sagemaker.training.metrics import together
from clary.state.transaction import Transaction

_IMAGE = "_image"
"""In a training job's document: the image of the algorithm that it names, as it was when the job was created."""


def take_algorithm(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    """Check a ``CreateTrainingJob`` request that names an algorithm, and add to it what the algorithm says: its image,
    its metrics and the default values of its hyperparameters.

    Raises ``ValidationException``.
    """
    chosen = params["AlgorithmSpecification"]
    algorithm = algorithms.find(context, transaction, chosen["AlgorithmName"])
    if algorithm.status != "Completed":
        raise ValidationException(f"The algorithm {algorithm.arn} cannot be used in status {algorithm.status}.")
    specification = algorithm.document["TrainingSpecification"]
    check_request(algorithm.name, specification, params)
    if values := hyperparameters(algorithm.name, specification, params.get("HyperParameters", {})):
        params["HyperParameters"] = dict(values)
    if metrics := together(specification.get("MetricDefinitions", ()), chosen.get("MetricDefinitions", ())):
        chosen["MetricDefinitions"] = metrics
    params[_IMAGE] = specification["TrainingImage"]


def training_image(document: Mapping[str, Any]) -> str:
    """The image of a training job, whether it names one or an algorithm."""
    return str(document["AlgorithmSpecification"].get("TrainingImage") or document[_IMAGE])
