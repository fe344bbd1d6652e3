"""A model package made of an algorithm and of a model that it has trained.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SourceAlgorithmSpecification.html
"""

from __future__ import annotations

from typing import Any

from clary.core.errors import ValidationException
from clary.resources.context import Context
from clary.services.sagemaker.algorithms.resources import algorithms
from clary.state.transaction import Transaction

_MODEL = ("ModelDataUrl", "ModelDataSource")


def take_inference(context: Context, transaction: Transaction, params: dict[str, Any]) -> None:
    """Give a ``CreateModelPackage`` request the inference specification of the algorithm that it names, with the
    trained model in its container.

    Raises ``ValidationException`` for an algorithm that is not there, is not complete, or cannot infer.
    """
    if "InferenceSpecification" in params:
        raise ValidationException(
            "Both SourceAlgorithmSpecification and InferenceSpecification are provided; a model package has one."
        )
    [source] = params["SourceAlgorithmSpecification"]["SourceAlgorithms"]
    algorithm = algorithms.find(context, transaction, source["AlgorithmName"])
    if algorithm.status != "Completed":
        raise ValidationException(f"The algorithm {algorithm.arn} cannot be used in status {algorithm.status}.")
    specification = algorithm.document.get("InferenceSpecification")
    if specification is None:
        raise ValidationException(f"The algorithm {algorithm.arn} has no InferenceSpecification.")
    first, *others = specification["Containers"]
    kept = {member: value for member, value in first.items() if member not in _MODEL}
    trained = {member: source[member] for member in _MODEL if member in source}
    params["InferenceSpecification"] = {**specification, "Containers": [{**kept, **trained}, *others]}
