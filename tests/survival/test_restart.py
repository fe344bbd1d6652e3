"""``clary down`` leaves jobs and model servers at work; the next ``clary up`` finds them, and ``reset`` ends them."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

import pytest

import clary

pytestmark = pytest.mark.slow("survival")


def test_down_and_up(plant: Any) -> None:
    plant.train("job", "wait")
    plant.deploy("endpoint")
    plant.await_service("endpoint")
    server = plant.invoke("endpoint", "before")
    job = plant.job()
    plant.await_middle(job)
    at_work = set(plant.job_processes())
    plant.down()
    assert set(plant.processes()) == at_work
    plant.go(job)
    plant.up()
    assert plant.invoke("endpoint", "before") == server
    described = plant.await_end("job")
    assert described["TrainingJobStatus"] == "Completed", described
    assert "Restarting" not in [each["Status"] for each in described["SecondaryStatusTransitions"]]
    plant.delete_endpoint("endpoint")
    plant.await_rest()


def test_a_job_that_ended_while_nobody_was_there(plant: Any, wait_until: Any) -> None:
    script = "import os, pathlib, time\nml = pathlib.Path(os.environ['CLARY_ML_ROOT'])\n(ml / 'reached').touch()\n"
    script += "while not (ml / 'go').exists(): time.sleep(0.01)\nraise SystemExit('enough')\n"
    plant.train("job", script=script)
    job = plant.job()
    plant.await_middle(job)
    plant.down()
    plant.go(job)
    # It writes nothing to the store but its output folder, which is empty: it ends without a platform.
    wait_until(lambda: plant.placement.observe(job).terminal is not None)
    plant.up()
    described = plant.await_end("job", 10)
    assert described["TrainingJobStatus"] == "Failed"
    assert "exit code: 1" in described["FailureReason"]


def test_the_lease_of_a_dead_control_plane_is_not_waited_for(plant: Any) -> None:
    plant.train("job", "wait")
    job = plant.job()
    plant.await_middle(job)
    plant.kill("control")
    plant.go(job)
    began = time.monotonic()
    plant.await_end("job")
    assert time.monotonic() - began < 15  # a lease lasts for 30 s


def test_reset_ends_jobs_and_servers(plant: Any, wait_until: Any) -> None:
    plant.deploy("endpoint")
    plant.await_service("endpoint")
    for number in range(3):
        plant.train(f"job-{number}", "wait")
    wait_until(lambda: len(plant.placement.list()) == 4)
    plant.reset()
    plant.await_rest()
    assert plant.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []


def test_reset_just_after_creation(plant: Any) -> None:
    """The reconcilers are about to launch what is being forgotten."""
    for turn in range(5):
        if turn:
            plant.client("s3").create_bucket(Bucket="survival")
        for number in range(4):
            plant.train(f"job-{number}", "wait")
        plant.reset()
        assert plant.placement.list() == []
        plant.await_rest()


def test_a_reset_that_was_cut_short_is_finished(plant: Any, wait_until: Any) -> None:
    plant.train("job", "wait")
    plant.await_middle(plant.job())
    plant.kill("supervisor", "edge", "control")
    with sqlite3.connect(plant.home / "state" / "clary.db") as database:
        database.execute("DELETE FROM resources WHERE kind = 'TrainingJob'")
    database.close()
    plant.up()
    plant.await_rest()


def test_an_end_that_was_recorded_and_not_cleaned_up(plant: Any, wait_until: Any) -> None:
    plant.train("job", "wait")
    job = plant.job()
    plant.await_middle(job)
    plant.kill("supervisor", "edge", "control")
    with sqlite3.connect(plant.home / "state" / "clary.db") as database:
        database.execute("UPDATE resources SET status = 'Failed', wake_at = NULL WHERE kind = 'TrainingJob'")
    database.close()
    plant.up()
    plant.await_rest()
    assert plant.lines("job") == ["step 0", "step 1", "step 2"]


def test_a_test_server_that_was_killed_leaves_no_jobs(plant: Any) -> None:
    with clary.server() as aws:
        other = type(plant)(aws.home)
        other.url = aws.url
        other.client("s3").create_bucket(Bucket="survival")
        other.train("job", "wait")
        other.await_middle(other.job())
        other.kill("supervisor", "edge", "control")
        assert other.processes()
    assert other.processes() == {}
    assert not aws.home.exists()
