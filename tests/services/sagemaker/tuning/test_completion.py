"""When a tuning job is over."""

from __future__ import annotations

from typing import Any

import pytest

from clary.services.sagemaker.tuning.completion import converges, verdict
from clary.services.sagemaker.tuning.definitions import definitions
from clary.services.sagemaker.tuning.trials import State, Trial, best_of, not_improving


def job(limit: int = 100, direction: str = "Maximize", **criteria: Any) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": direction, "MetricName": "score"},
            "ResourceLimits": {"MaxParallelTrainingJobs": 2, "MaxNumberOfTrainingJobs": limit},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]},
            "TuningJobCompletionCriteria": criteria,
        },
        "TrainingJobDefinition": {},
    }


def state(*objectives: float | None, status: str = "Completed") -> State:
    trials = [
        Trial(f"t-{number}", 0, {}, number, status, number, number + 0.5, objective)
        for number, objective in enumerate(objectives)
    ]
    return State(seed=1, trials=trials)


def ends(document: dict[str, Any], state: State, seconds: float = 0.0) -> tuple[str, str] | None:
    return verdict(document, state, definitions(document), seconds)


def test_it_goes_on_while_there_is_something_to_do() -> None:
    assert ends(job(), state(0.1, 0.2)) is None
    running = state(0.1, 0.2)
    running.trials[1].status = "InProgress"
    assert ends(job(limit=2), running) is None


def test_the_number_of_jobs() -> None:
    assert ends(job(limit=2), state(0.1, 0.2)) == ("Completed", "")


@pytest.mark.parametrize(
    ("direction", "target", "over"),
    [("Maximize", 0.5, True), ("Maximize", 0.51, False), ("Minimize", 0.1, True), ("Minimize", 0.05, False)],
)
def test_the_target(direction: str, target: float, over: bool) -> None:
    document = job(direction=direction, TargetObjectiveMetricValue=target)
    assert (ends(document, state(0.1, 0.5, None)) is not None) == over


def test_no_improvement_counts_from_the_last_one_of_a_percent() -> None:
    document = job(BestObjectiveNotImproving={"MaxNumberOfTrainingJobsNotImproving": 3})
    every = definitions(document)
    assert not_improving(state(0.5, 0.6, 0.4, 0.604), every) == 2
    # Each step is less than 1%, and together they are more.
    assert not_improving(state(0.600, 0.604, 0.609), every) == 0
    assert ends(document, state(0.5, 0.6, 0.4, 0.604)) is None
    assert ends(document, state(0.5, 0.6, 0.4, 0.604, 0.1)) == ("Completed", "")


def test_the_longest_run() -> None:
    document = job()
    document["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxRuntimeInSeconds"] = 120
    assert ends(document, state(0.1), 119.0) is None
    assert ends(document, state(0.1), 120.0) == ("Completed", "")


def test_convergence_is_seen_after_twenty_results() -> None:
    document = job(ConvergenceDetected={"CompleteOnConvergence": "Enabled"})
    every = definitions(document)
    flat = state(*[0.5] * 19)
    assert not converges(flat, every)
    flat = state(*[0.5] * 20)
    assert converges(flat, every)
    assert not converges(state(*[0.5] * 15, *[0.9] * 9), every)
    assert ends(document, flat) is None
    flat.converged = 7.0
    assert ends(document, flat) == ("Completed", "")
    assert ends(job(), flat) is None


def test_five_failures_are_enough() -> None:
    assert ends(job(), state(*[None] * 4, status="Failed")) is None
    over = ends(job(), state(*[None] * 5, status="Failed"))
    assert over is not None and over[0] == "Failed"
    assert over[1].startswith("No training job succeeded after 5 attempts.")
    over = ends(job(limit=2), state(None, None, status="Failed"))
    assert over is not None and over[1].startswith("No training job succeeded after 2 attempts.")


def test_jobs_that_report_nothing_are_in_vain() -> None:
    over = ends(job(), state(*[None] * 5))
    assert over is not None and over[1].startswith("No objective metrics found after running 5 training jobs.")
    assert ends(job(), state(*[None] * 5, 0.1)) is None


@pytest.mark.parametrize(("direction", "name"), [("Maximize", "t-1"), ("Minimize", "t-0")])
def test_the_best_is_the_first_of_equals(direction: str, name: str) -> None:
    best = best_of(state(0.1, 0.5, 0.5, None, 0.1).trials, definitions(job(direction=direction)))
    assert best is not None and best.name == name
