"""What every change is tried with: the control plane is killed while a job runs, and nobody notices."""

from __future__ import annotations

from typing import Any


def test_a_training_job_survives_the_control_plane(plant: Any) -> None:
    plant.train("job", "wait")
    job = plant.job()
    plant.await_middle(job)
    agent = plant.pid(job)
    plant.kill("control")
    plant.go(job)
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Completed", described
    assert "Restarting" not in [each["Status"] for each in described["SecondaryStatusTransitions"]]
    assert plant.model(described) == {f"part-{step}": bytes([step]) * 100_000 for step in range(6)}
    assert plant.lines("job") == [*(f"step {step}" for step in range(6)), "all steps done"]
    assert agent not in plant.processes()
    plant.await_rest()


def test_a_job_whose_creation_was_answered_runs(plant: Any) -> None:
    plant.train("job")
    plant.kill("control")
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Completed", described
    assert plant.lines("job") == [*(f"step {step}" for step in range(6)), "all steps done"]
