"""What the specification of an algorithm's training must satisfy beyond its shape.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TrainingSpecification.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from clary.core.errors import ValidationException

RANGES = {
    "Integer": "IntegerParameterRangeSpecification",
    "Continuous": "ContinuousParameterRangeSpecification",
    "Categorical": "CategoricalParameterRangeSpecification",
}
"""The member that holds the range of a hyperparameter, by its type."""
_NUMBERS = {
    "Integer": re.compile(r"-?[0-9]+"),
    "Continuous": re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?"),
}


def check_training(specification: Mapping[str, Any]) -> None:
    """Raises ``ValidationException`` for hyperparameters, channels and metrics that contradict themselves."""
    parameters = specification.get("SupportedHyperParameters", ())
    metrics = specification.get("MetricDefinitions", ())
    for what, members in (
        ("hyperparameter", parameters),
        ("metric", metrics),
        ("channel", specification["TrainingChannels"]),
    ):
        _check_unique(what, (member["Name"] for member in members))
    for parameter in parameters:
        _check_parameter(parameter)
    known = {metric["Name"] for metric in metrics}
    for objective in specification.get("SupportedTuningJobObjectiveMetrics", ()):
        if objective["MetricName"] not in known:
            raise ValidationException(
                f"The objective metric {objective['MetricName']} is not among the MetricDefinitions."
            )


def is_number(kind: str, text: str) -> bool:
    """Whether ``text`` spells a number as a hyperparameter of type ``Integer`` or ``Continuous`` may."""
    return _NUMBERS[kind].fullmatch(text) is not None


def _check_unique(what: str, names: Iterable[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValidationException(f"The name of a {what} must be unique: {', '.join(repeated)}")


def _check_parameter(parameter: Mapping[str, Any]) -> None:
    name, kind, limits = parameter["Name"], parameter["Type"], parameter.get("Range", {})
    default = parameter.get("DefaultValue")
    if default is not None and parameter.get("IsRequired"):
        raise ValidationException(f"The hyperparameter {name} cannot be required: it has a default value.")
    if any(other != RANGES.get(kind) for other in limits):
        raise ValidationException(f"The range of the hyperparameter {name} does not fit its type {kind}.")
    if parameter.get("IsTunable") and kind == "FreeText":
        raise ValidationException(f"The hyperparameter {name} of type FreeText cannot be tunable.")
    if kind in _NUMBERS:
        bounds = limits.get(RANGES[kind], {})
        lowest, highest, value = (_number(name, kind, text) for text in (*_bounds(bounds), default))
        if lowest is not None and highest is not None and lowest > highest:
            raise ValidationException(f"The range of the hyperparameter {name} ends before it begins.")
        if value is not None and lowest is not None and highest is not None and not lowest <= value <= highest:
            raise ValidationException(f"The default value of the hyperparameter {name} is not in its range.")
    elif kind == "Categorical" and limits and default is not None and default not in limits[RANGES[kind]]["Values"]:
        raise ValidationException(f"The default value of the hyperparameter {name} is not in its range.")


def _bounds(limits: Mapping[str, str]) -> tuple[str | None, str | None]:
    return limits.get("MinValue"), limits.get("MaxValue")


def _number(name: str, kind: str, text: str | None) -> float | None:
    if text is None:
        return None
    if not is_number(kind, text):
        raise ValidationException(f"The hyperparameter {name} has a value that is not {kind}: {text}")
    return float(text)
