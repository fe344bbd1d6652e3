"""What the attempts of an interrupted job have used of its longest run."""

from __future__ import annotations

from typing import Any

from clary.services.sagemaker.training.spot import time_left


def job(*steps: tuple[str, float, float | None]) -> dict[str, Any]:
    return {
        "StoppingCondition": {"MaxRuntimeInSeconds": 100},
        "SecondaryStatusTransitions": [
            {"Status": status, "StartTime": start, **({} if end is None else {"EndTime": end})}
            for status, start, end in steps
        ],
    }


def test_a_new_job_has_all_of_its_time() -> None:
    assert time_left(job()) == 100


def test_only_what_was_trained_counts() -> None:
    first = [("Starting", 0.0, 5.0), ("Training", 5.0, 25.0), ("Interrupted", 25.0, 95.0)]
    assert time_left(job(*first)) == 80
    assert time_left(job(*first, ("Training", 95.0, 125.0), ("Interrupted", 125.0, None))) == 50


def test_an_attempt_has_a_second_at_least() -> None:
    assert time_left(job(("Training", 0.0, 500.0))) == 1
