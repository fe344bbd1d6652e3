"""A training job is in its middle when processes are killed; it ends as if nothing had been, and only once."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")

PARTS = {f"part-{step}": bytes([step]) * 100_000 for step in range(6)}
LINES = [*(f"step {step}" for step in range(6)), "all steps done"]


def begin(plant: Any) -> str:
    """The id of a job that waits in its middle."""
    plant.train("job", "wait")
    job: str = plant.job()
    plant.await_middle(job)
    return job


def check_end(plant: Any, attempts: int = 1) -> None:
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Completed", described
    transitions = [each["Status"] for each in described["SecondaryStatusTransitions"]]
    once = ["Starting", "Downloading", "Training"]
    assert transitions == [*[*once, "Restarting"] * (attempts - 1), *once, "Uploading", "Completed"]
    assert all(each["EndTime"] >= each["StartTime"] for each in described["SecondaryStatusTransitions"])
    assert plant.model(described) == PARTS
    assert plant.lines("job") == [*LINES[:3] * (attempts - 1), *LINES]
    assert len(plant.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]) == 1
    plant.await_rest()


@pytest.mark.parametrize("victims", [["edge"], ["control"], ["edge", "control"]], ids=" and ".join)
def test_what_the_supervisor_starts_again(plant: Any, victims: list[str]) -> None:
    job = begin(plant)
    plant.kill(*victims)
    plant.go(job)
    check_end(plant)


@pytest.mark.parametrize("more", [[], ["edge"], ["control"], ["edge", "control"]], ids=lambda more: " and ".join(more))
def test_the_supervisor_and_the_next_clary_up(plant: Any, more: list[str]) -> None:
    job = begin(plant)
    agent = plant.pid(job)
    others = [plant.pid("edge"), plant.pid("control")]
    plant.kill("supervisor", *more)
    # The job goes on while there is nobody, and uploads its model when somebody is there again.
    plant.go(job)
    plant.up()
    assert not set(others) & set(plant.processes())
    assert agent in plant.processes() or plant.described("job")["TrainingJobStatus"] == "Completed"
    check_end(plant)


def test_the_agent(plant: Any) -> None:
    job = begin(plant)
    before = set(plant.job_processes())
    plant.kill(job)
    plant.await_middle(job, attempt=2)
    assert not before & set(plant.job_processes()), "something of the first attempt lives"
    plant.go(job)
    check_end(plant, attempts=2)
    messages = [each["StatusMessage"] for each in plant.described("job")["SecondaryStatusTransitions"]]
    assert "Starting again because the agent that ran it died." in messages


def test_the_agent_over_and_over(plant: Any) -> None:
    job = begin(plant)
    for attempt in (1, 2, 3):
        plant.await_middle(job, attempt)
        plant.kill(job)
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"] == "InternalServerError: the agent that ran it died; attempt 3 was the last."
    plant.await_rest()


def test_everything_at_once(plant: Any) -> None:
    job = begin(plant)
    before = set(plant.job_processes())
    plant.kill("supervisor", "edge", "control", job)
    plant.up()
    plant.await_middle(job, attempt=2)
    assert not before & set(plant.job_processes()), "something of the first attempt lives"
    plant.go(job)
    check_end(plant, attempts=2)


def test_the_jobs_own_process_is_the_jobs_own_fault(plant: Any) -> None:
    job = begin(plant)
    plant.kill("control")
    plant.kill_server(job)
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("AlgorithmError: ")
    plant.await_rest()


def test_a_stop_while_processes_die(plant: Any) -> None:
    begin(plant)
    plant.client("sagemaker").stop_training_job(TrainingJobName="job")
    plant.kill("control")
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Stopped"
    plant.await_rest()
    plant.train("other", "wait")
    other = plant.job()
    plant.await_middle(other)
    plant.kill("control", other)
    plant.client("sagemaker").stop_training_job(TrainingJobName="other")
    assert plant.await_end("other")["TrainingJobStatus"] == "Stopped"
    plant.await_rest()
