"""Autotune: ranges, early stopping and convergence chosen where the request leaves them open.

A hyperparameter of a built-in algorithm gets the range that the algorithm's page recommends; another one a range around
the example value that ``AutoParameters`` gives, two orders of magnitude wide.

Reference: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Autotune.html
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from clary.core.errors import ValidationException
from clary.services.sagemaker.training.api import SCRIPT, find_algorithm
from clary.services.sagemaker.tuning.definitions import CHOSEN, CONFIG
from clary_runtimes.algorithms.specification import Hyperparameter

_MEMBERS = {
    "Integer": "IntegerParameterRanges",
    "Continuous": "ContinuousParameterRanges",
    "Categorical": "CategoricalParameterRanges",
}
_WIDTH = 10
_BELOW_ONE = 0.99
"""Where the range around a fraction ends: it may be a probability, or a momentum."""
_TRUTHS = ("true", "false")


def autotune(params: dict[str, Any]) -> None:
    """Fill in what a ``CreateHyperParameterTuningJob`` request leaves to Autotune.

    Raises ``ValidationException`` for ``AutoParameters`` without it.
    """
    enabled = params.get("Autotune", {}).get("Mode") == "Enabled"
    config = params[CONFIG]
    several = params.get("TrainingJobDefinitions")
    places = (
        [(each, "HyperParameterRanges", each) for each in several]
        if several
        else [(config, "ParameterRanges", params["TrainingJobDefinition"])]
    )
    for holder, member, definition in places:
        if not enabled and holder.get(member, {}).get("AutoParameters"):
            raise ValidationException("AutoParameters can only be specified when the Mode of Autotune is Enabled.")
        if enabled:
            given = holder.setdefault(member, {})
            holder[CHOSEN] = deepcopy(given)
            _add_ranges(holder[CHOSEN], definition)
            # As on AWS, Describe shows the ranges that were asked for, and not the examples.
            given.pop("AutoParameters", None)
    if not enabled:
        return
    if config["Strategy"] != "Hyperband" and not (several and len(several) > 1):
        config.setdefault("TrainingJobEarlyStoppingType", "Auto")
    criteria = config.setdefault("TuningJobCompletionCriteria", {})
    criteria.setdefault("ConvergenceDetected", {"CompleteOnConvergence": "Enabled"})


def _add_ranges(ranges: dict[str, Any], definition: dict[str, Any]) -> None:
    static = definition.setdefault("StaticHyperParameters", {})
    algorithm = None
    if SCRIPT not in static:
        algorithm = find_algorithm(definition["AlgorithmSpecification"].get("TrainingImage", ""))
    known: Mapping[str, Hyperparameter] = algorithm.specification.parameters if algorithm else {}
    given = {each["Name"] for member in _MEMBERS.values() for each in ranges.get(member, ())}
    hints = {each["Name"]: each["ValueHint"] for each in ranges.get("AutoParameters", ()) if each["Name"] not in given}
    for name, hint in hints.items():
        parameter = known.get(name)
        found = _recommended(parameter) if parameter is not None else _around(hint)
        if found is None:
            # It cannot be tuned, so the example is its value.
            static[name] = hint
        else:
            _add(ranges, name, *found)
    if given or hints:
        return
    for name, parameter in known.items():
        if name not in static and (found := _recommended(parameter)) is not None:
            _add(ranges, name, *found)


def _add(ranges: dict[str, Any], name: str, kind: str, values: list[str]) -> None:
    limits = {"Values": values} if kind == "Categorical" else {"MinValue": values[0], "MaxValue": values[1]}
    scaling = {} if kind == "Categorical" else {"ScalingType": "Auto"}
    ranges.setdefault(_MEMBERS[kind], []).append({"Name": name, **limits, **scaling})


def _recommended(parameter: Hyperparameter) -> tuple[str, list[str]] | None:
    if not parameter.tunable or parameter.recommended is None or parameter.kind not in _MEMBERS:
        return None
    return parameter.kind, list(parameter.recommended)


def _around(hint: str) -> tuple[str, list[str]] | None:
    """The kind of hyperparameter that has ``hint`` as an example value, and a range around it."""
    text = hint.strip('"')
    if text.lower() in _TRUTHS:
        other = next(truth for truth in _TRUTHS if truth != text.lower())
        return "Categorical", [hint, hint.replace(text, other.title() if text.istitle() else other)]
    try:
        value = float(text)
    except ValueError:
        return None
    if text.lstrip("+-").isdigit():
        whole = int(text)
        if whole <= 0:
            return "Integer", [str(_WIDTH * whole), str(_WIDTH * max(1, -whole))]
        return "Integer", [str(max(1, whole // _WIDTH)), str(_WIDTH * whole)]
    if not abs(value) < float("inf"):
        return None
    if value <= 0:
        return "Continuous", [repr(_WIDTH * value), repr(-_WIDTH * value or 1.0)]
    if value < 1:
        return "Continuous", [repr(value / _WIDTH), repr(min(max(_BELOW_ONE, value), _WIDTH * value))]
    return "Continuous", [repr(value / _WIDTH), repr(_WIDTH * value)]
