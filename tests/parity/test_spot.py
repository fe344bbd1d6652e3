"""Managed spot training: interruptions, what is left after them, and how long a job may wait."""

from __future__ import annotations

from typing import Any

import pytest
from parity_lab import BUCKET, SKLEARN, Lab

COUNT = """
    import os, pathlib, signal, sys, time

    def stop(*_):
        print("hears SIGTERM", flush=True)
        (folder / "epoch").write_text(str(epoch))
        sys.exit(0)

    folder = pathlib.Path("/opt/ml/checkpoints")
    folder.mkdir(exist_ok=True)
    file = folder / "epoch"
    epoch = int(file.read_text()) if file.exists() else 0
    print(f"begins at {epoch}", flush=True)
    signal.signal(signal.SIGTERM, stop)
    while epoch < 40:
        time.sleep(0.1)
        epoch += 1
    print(f"ends at {epoch}", flush=True)
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "epoch").write_text(str(epoch))
    """


def spot(interruptions: str, runtime: int = 60, wait: int = 60, checkpoints: bool = True) -> dict[str, Any]:
    request: dict[str, Any] = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": runtime, "MaxWaitTimeInSeconds": wait},
        "Environment": {"CLARY_SPOT_INTERRUPTIONS": interruptions},
    }
    return request | ({"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints"}} if checkpoints else {})


def steps(job: dict[str, Any]) -> list[str]:
    return [step["Status"] for step in job["SecondaryStatusTransitions"]]


def test_an_interrupted_job_goes_on_from_its_checkpoints(lab: Lab) -> None:
    lab.start_script("spot", COUNT, **spot("2+3"))
    job = lab.completed("spot")
    log = lab.log_of("spot").splitlines()
    begins = [int(line.removeprefix("begins at ")) for line in log if line.startswith("begins at ")]
    assert begins[0] == 0 and 1 <= begins[1] < 40
    assert [line for line in log if line in ("hears SIGTERM", "ends at 40")] == ["hears SIGTERM", "ends at 40"]
    first = ["Starting", "Downloading", "Training", "Interrupted"]
    assert steps(job) == [*first, "Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["EnableManagedSpotTraining"] is True
    [waited] = [
        (step["EndTime"] - step["StartTime"]).total_seconds()
        for step in job["SecondaryStatusTransitions"]
        if step["Status"] == "Interrupted"
    ]
    assert waited >= 3
    assert job["TrainingTimeInSeconds"] - job["BillableTimeInSeconds"] == pytest.approx(waited, abs=1.01)
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"epoch": b"40"}


def test_without_checkpoints_it_begins_anew(lab: Lab) -> None:
    lab.start_script("anew", COUNT, **spot("1, 1", checkpoints=False))
    job = lab.completed("anew")
    assert [line for line in lab.log_of("anew").splitlines() if line.startswith("begins")] == ["begins at 0"] * 3
    assert steps(job).count("Interrupted") == 2


def test_waiting_and_running_together_have_a_longest_time(lab: Lab) -> None:
    lab.start_script("impatient", COUNT, **spot("2+600", runtime=3, wait=6))
    job = lab.ended("impatient")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")
    assert steps(job)[-2:] == ["Interrupted", "MaxWaitTimeExceeded"]
    assert "FailureReason" not in job
    assert lab.get(f"s3://{BUCKET}/checkpoints/epoch").isdigit()


def test_the_longest_wait_ends_a_job_that_runs(lab: Lab) -> None:
    endless = {"ContainerEntrypoint": ["/bin/sh", "-c", "sleep 600"]}
    changes = spot("0.5,0.5", runtime=4, wait=4)
    lab.start("slow", SKLEARN, AlgorithmSpecification=endless, **changes)
    job = lab.ended("slow")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_the_longest_run_is_that_of_all_attempts(lab: Lab) -> None:
    endless = {"ContainerEntrypoint": ["/bin/sh", "-c", "sleep 600"]}
    lab.start("long", SKLEARN, AlgorithmSpecification=endless, **spot("2", runtime=3, wait=60))
    job = lab.ended("long")
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
    assert job["BillableTimeInSeconds"] <= 6


def test_an_interrupted_job_can_be_stopped_while_it_waits(lab: Lab) -> None:
    lab.start_script("stopped", COUNT, **spot("0.5+600", runtime=600, wait=3600))
    lab.await_status("stopped", "Interrupted")
    lab.sagemaker.stop_training_job(TrainingJobName="stopped")
    job = lab.ended("stopped")
    assert steps(job)[-3:] == ["Interrupted", "Stopping", "Stopped"]


@pytest.mark.parametrize("interruptions", ["", "  "])
def test_a_job_that_nobody_interrupts(lab: Lab, interruptions: str) -> None:
    name = f"calm-{len(interruptions)}"
    command = {"ContainerEntrypoint": ["/bin/sh", "-c", "exit 0"]}
    lab.start(name, SKLEARN, AlgorithmSpecification=command, **spot(interruptions))
    assert "Interrupted" not in steps(lab.completed(name))
