"""Warm start: what up to five earlier tuning jobs found, as a beginning for a new one.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-warm-start.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperParameterTuningJobWarmStartConfig.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.core.errors import ResourceLimitExceeded, ValidationException
from clary.services.sagemaker.tuning.checks import MOST_JOBS, job_limit
from clary.services.sagemaker.tuning.definitions import CONFIG, Definition, definitions
from clary.services.sagemaker.tuning.ranges import point_of
from clary.services.sagemaker.tuning.trials import State, best_of, summary
from clary.state.records import Record

IDENTICAL = "IdenticalDataAndAlgorithm"
_TERMINAL = ("Completed", "Failed", "Stopped")
_ALGORITHM = ("TrainingImage", "AlgorithmName")


def parent_names(params: Mapping[str, Any]) -> list[str]:
    """The names of the parents of a request. Raises ``ValidationException`` for one that is named twice, or is the new
    job itself."""
    names = []
    for each in params.get("WarmStartConfig", {}).get("ParentHyperParameterTuningJobs", ()):
        name = each.get("HyperParameterTuningJobName")
        if not name:
            raise ValidationException("HyperParameterTuningJobName is required for each parent tuning job.")
        names.append(name)
    if len(set(names)) != len(names):
        raise ValidationException(f"The parent tuning jobs must be unique: {', '.join(names)}")
    return names


def check_parents(params: Mapping[str, Any], parents: Sequence[Record]) -> None:
    """Refuse parents that a tuning job with these members cannot begin from.

    Raises ``ValidationException`` and ``ResourceLimitExceeded``.
    """
    if params[CONFIG]["Strategy"] not in ("Bayesian", "Random"):
        raise ValidationException(
            f"Warm start is available for the strategies Bayesian and Random, not for {params[CONFIG]['Strategy']}."
        )
    own = definitions(params)[0]
    kind = params["WarmStartConfig"]["WarmStartType"]
    launched = 0
    for parent in parents:
        if parent.status not in _TERMINAL:
            raise ValidationException(
                f"The parent tuning job {parent.name} is in status {parent.status}. Parent tuning jobs must be in one "
                f"of the statuses {', '.join(_TERMINAL)}."
            )
        every = definitions(parent.document)
        if len(every) > 1:
            raise ValidationException(
                f"The parent tuning job {parent.name} has several training job definitions; warm start needs parents "
                "with one."
            )
        _check_alike(own, every[0], parent.name, kind)
        launched += len(State.of(parent.document).trials)
    if launched + job_limit(params[CONFIG], [own]) > MOST_JOBS:
        raise ResourceLimitExceeded(
            f"The account-level service limit 'Number of training jobs per hyperparameter tuning job' is {MOST_JOBS}, "
            f"and the parent tuning jobs launched {launched} already."
        )


def _check_alike(own: Definition, other: Definition, name: str, kind: str) -> None:
    if own.objective != other.objective:
        raise ValidationException(
            f"The objective metric of the tuning job must be that of the parent tuning job {name}: "
            f"{other.objective['Type']} {other.metric}."
        )
    ours, theirs = (len(each.static) + len(each.ranges) for each in (own, other))
    if ours != theirs:
        raise ValidationException(
            "The total number of static plus tunable hyperparameters must remain the same as it is in the parent "
            f"tuning job {name}: {theirs}, and it is {ours}."
        )
    if kind != IDENTICAL:
        return
    # That the data is the same is the caller's word: it may have been uploaded again, to another place.
    algorithms = [[each.given["AlgorithmSpecification"].get(m) for m in _ALGORITHM] for each in (own, other)]
    if algorithms[0] != algorithms[1]:
        raise ValidationException(
            f"The algorithm must be that of the parent tuning job {name} for a warm start of type {IDENTICAL}. Use "
            "TransferLearning for another version of it."
        )


def observations(params: Mapping[str, Any], parents: Sequence[Record]) -> list[dict[str, Any]]:
    """What the training jobs of the parents found, as the search is told it: the ``point`` in the new ranges, the
    ``value``, the ``group``, which is the number of the parent, and whether the value is ``similar``: comparable.

    Jobs with hyperparameters that lie outside of the new ranges tell nothing.
    """
    ranges = definitions(params)[0].ranges
    similar = params["WarmStartConfig"]["WarmStartType"] == IDENTICAL
    found = []
    for group, parent in enumerate(parents):
        static = definitions(parent.document)[0].static
        for trial in State.of(parent.document).judged():
            point = point_of(ranges, {**static, **trial.tuned})
            if point is not None:
                found.append({"point": point, "value": trial.objective, "group": group, "similar": similar})
    return found


def best_of_parents(params: Mapping[str, Any], parents: Sequence[Record]) -> dict[str, Any] | None:
    """The summary of the best training job of the parents, if they are comparable."""
    if params["WarmStartConfig"]["WarmStartType"] != IDENTICAL:
        return None
    best: dict[str, Any] | None = None
    for parent in parents:
        every = definitions(parent.document)
        trial = best_of(State.of(parent.document).trials, every)
        if trial is None:
            continue
        shown = summary(parent, trial, every)
        if best is None or every[0].better(_value(shown), _value(best)):
            best = shown
    return best


def _value(shown: Mapping[str, Any]) -> float:
    value: float = shown["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
    return value
