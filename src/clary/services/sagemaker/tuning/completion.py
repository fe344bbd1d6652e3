"""When a tuning job is over: its limits, its completion criteria, and jobs that come to nothing.

References: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-progress.html and
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TuningJobCompletionCriteria.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clary.services.sagemaker.tuning.checks import job_limit
from clary.services.sagemaker.tuning.definitions import CONFIG, Definition
from clary.services.sagemaker.tuning.trials import State, best_of, not_improving

ATTEMPTS = 5
"""After so many training jobs without a single result a tuning job gives up."""
LEAST_TO_CONVERGE = 20
"""Before so many results nothing is said about convergence."""


def converges(state: State, every: Sequence[Definition]) -> bool:
    """Whether the search has come to its end: at least ``LEAST_TO_CONVERGE`` results, of which the last ten, or twice
    as many as there are ranges, have not improved the best by 1%."""
    patience = max(10, 2 * max(len(each.ranges) for each in every))
    return len(state.judged()) >= LEAST_TO_CONVERGE and not_improving(state, every) >= patience


def verdict(
    document: Mapping[str, Any], state: State, every: Sequence[Definition], seconds: float
) -> tuple[str, str] | None:
    """The status that a tuning job is to get that has run for ``seconds``, and why if that is ``Failed``; None while it
    goes on."""
    if why := _fruitless(state):
        return "Failed", why
    config = document[CONFIG]
    criteria = config.get("TuningJobCompletionCriteria", {})
    if seconds >= config["ResourceLimits"].get("MaxRuntimeInSeconds", float("inf")):
        return "Completed", ""
    if _reaches(criteria.get("TargetObjectiveMetricValue"), state, every):
        return "Completed", ""
    most = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    if most is not None and not_improving(state, every) >= most:
        return "Completed", ""
    if (
        state.converged is not None
        and criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled"
    ):
        return "Completed", ""
    if len(state.trials) >= job_limit(config, every) and not state.running:
        if all(trial.status == "Failed" for trial in state.trials):
            return "Failed", _none_succeeded(len(state.trials))
        return "Completed", ""
    return None


def _fruitless(state: State) -> str:
    ended = [trial for trial in state.trials if not trial.runs]
    if len(ended) < ATTEMPTS or any(trial.objective is not None for trial in ended):
        return ""
    if all(trial.status == "Failed" for trial in ended):
        return _none_succeeded(len(ended))
    return (
        f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom algorithm "
        "is emitting the objective metric as defined by the regular expression provided."
    )


def _none_succeeded(count: int) -> str:
    return (
        f"No training job succeeded after {count} attempts. Please take a look at the training job failures to get "
        "more details."
    )


def _reaches(target: float | None, state: State, every: Sequence[Definition]) -> bool:
    best = best_of(state.trials, every)
    if target is None or best is None or best.objective is None:
        return False
    return best.objective == target or every[best.definition].better(best.objective, target)
