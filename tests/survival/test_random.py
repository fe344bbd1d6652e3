"""The control plane is killed at random moments, also while it starts: every job still ends exactly once."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")

JOBS, KILLS = 6, 10


@pytest.mark.parametrize("seed", [1, 2])
def test_jobs_under_random_kills(plant: Any, wait_until: Any, seed: int) -> None:
    chance = random.Random(seed)
    creations = sorted(chance.sample(range(KILLS), JOBS))
    for kill in range(KILLS):
        if kill in creations:
            plant.train(f"job-{creations.index(kill)}")
        # The moment is the very thing that is tried here; there is no condition to wait for.
        time.sleep(chance.uniform(0, 0.6))
        pid = plant.pid("control")
        plant.kill("control")
        wait_until(lambda pid=pid: plant.pid("control") != pid)
    for number in range(JOBS):
        name = f"job-{number}"
        described = plant.await_end(name)
        assert described["TrainingJobStatus"] == "Completed", described
        transitions = [each["Status"] for each in described["SecondaryStatusTransitions"]]
        assert len(transitions) == len(set(transitions)), transitions
        assert transitions[-2:] == ["Uploading", "Completed"]
        assert plant.lines(name) == [*(f"step {step}" for step in range(6)), "all steps done"]
        assert len(plant.model(described)) == 6
    assert len(plant.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]) == JOBS
    plant.await_rest()
