"""The built-in algorithms as JSON: hyperparameters, metrics and descriptions as each has them in its folder, images as
the catalogue has them.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/algos.html
"""

from __future__ import annotations

from functools import cache
from typing import Any

from clary.compute.images.catalog import catalogue
from clary_runtimes.algorithms import registry
from clary_runtimes.algorithms.specification import (
    Boolean,
    Categorical,
    Continuous,
    Hyperparameter,
    Integer,
    Interval,
    Names,
    Specification,
)


def is_machinery(name: str) -> bool:
    """Whether a hyperparameter is one by which Amazon's containers set their own machinery, and nobody else does."""
    return name.startswith("_") or name == "force_dense"


@cache
def described() -> dict[str, Any]:
    """All built-in algorithms, by their titles. Reads files once."""
    found = [_algorithm(name) for name in registry.ALGORITHMS]
    return {"algorithms": sorted(found, key=lambda each: str(each["title"]).lower())}


def _algorithm(name: str) -> dict[str, Any]:
    algorithm = registry.Algorithm(name)
    text, specification = algorithm.description(), algorithm.specification
    images = [image for image in catalogue().images.values() if image.variables.get("CLARY_RUNTIME") == name]
    return {
        "name": name,
        **{key: text[key] for key in ("title", "kind", "summary", "page", "channels")},
        # The newest version first.
        "images": [example for image in reversed(images) for example in image.examples],
        "repositories": sorted({repository for image in images for repository in image.repositories}),
        "hyperparameters": [
            _hyperparameter(parameter, specification, text)
            for parameter in specification.parameters.values()
            if not is_machinery(parameter.name)
        ],
        "metrics": [
            {"name": each["Name"], "direction": algorithm.direction(each["Name"])}
            for each in algorithm.metric_definitions()
        ],
    }


def _hyperparameter(parameter: Hyperparameter, specification: Specification, text: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "type": parameter.kind,
        "required": parameter.required,
        "default": parameter.default,
        "range": " or ".join(filter(None, (_range(parameter), *parameter.words))),
        "tunable": parameter.tunable,
        "recommended": list(parameter.recommended or ()),
        "aliases": [alias for alias, name in specification.aliases.items() if name == parameter.name],
        "description": text["hyperparameters"].get(parameter.name, ""),
        "start": text.get("start", {}).get(parameter.name, ""),
    }


def _range(parameter: Hyperparameter) -> str:
    """Which values of its type it may have, as a person reads it; empty where it may have all."""
    if isinstance(parameter, (Integer, Continuous)):
        return _interval(parameter.range)
    if isinstance(parameter, (Categorical, Boolean)):
        return ", ".join(parameter.range)
    if isinstance(parameter, Names):
        return f"some of {parameter.described.strip('[]')}".replace("'", "")
    return "" if type(parameter) is Hyperparameter else parameter.expectation


def _interval(interval: Interval) -> str:
    low, high = interval.minimum, interval.maximum
    if low is not None and high is not None and not interval.open_minimum and not interval.open_maximum:
        return f"{_number(low)} to {_number(high)}"
    parts = []
    if low is not None:
        parts.append(f"{'more than' if interval.open_minimum else 'at least'} {_number(low)}")
    if high is not None:
        parts.append(f"{'less than' if interval.open_maximum else 'at most'} {_number(high)}")
    return ", ".join(parts)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"
