"""Checkpoints: uploaded while the job runs, there again for the next job and the next attempt.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-checkpoints.html
"""

from __future__ import annotations

import os
import signal
from typing import Any

from parity_lab import BUCKET, SKLEARN, Lab, eventually

SAVING: dict[str, Any] = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints"}}

RESUME = """
    import os, pathlib, sys, time
    folder = pathlib.Path("/opt/ml/checkpoints")
    known = sorted(file.name for file in folder.iterdir())
    print("finds", *known, flush=True)
    if not known:
        for epoch in range(3):
            (folder / f"epoch-{epoch}.part").write_text("in the making")
            (folder / f"epoch-{epoch}.part").rename(folder / f"epoch-{epoch}")
            (folder / f"epoch-{epoch}").write_text(f"state {epoch}")
        print("has saved", flush=True)
        time.sleep(600)
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / "last").write_text((folder / known[-1]).read_text())
    """


def saved(lab: Lab, count: int) -> None:
    """Wait until there are at least ``count`` checkpoints in the store."""

    def look() -> bool:
        return bool(lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="checkpoints/")["KeyCount"] >= count)

    eventually(look, f"{count} checkpoints are in the store")


def finds(lab: Lab, name: str) -> list[str]:
    return [line.removeprefix("finds").strip() for line in lab.log_of(name).splitlines() if line.startswith("finds")]


def test_a_second_job_goes_on_where_a_stopped_one_was(lab: Lab) -> None:
    lab.start_script("first", RESUME, **SAVING)
    lab.await_log("first", "has saved")
    lab.sagemaker.stop_training_job(TrainingJobName="first")
    assert lab.ended("first")["SecondaryStatus"] == "Stopped"
    lab.start_script("second", RESUME, **SAVING)
    job = lab.completed("second")
    assert finds(lab, "second") == ["epoch-0 epoch-1 epoch-2"]
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"last": b"state 2"}
    assert job["CheckpointConfig"] == SAVING["CheckpointConfig"]


def agent(lab: Lab) -> int:
    """The process id of the only agent at work."""
    [lock] = [file for file in (lab.server.home / "jobs").glob("TrainingJob-*/lock") if file.read_text()]
    return int(lock.read_text().split()[0])


def test_an_attempt_whose_agent_is_killed_is_made_again_from_what_was_uploaded(lab: Lab) -> None:
    lab.start_script("killed", RESUME, **SAVING, RetryStrategy={"MaximumRetryAttempts": 1})
    lab.await_log("killed", "has saved")
    saved(lab, 3)
    os.kill(agent(lab), signal.SIGKILL)
    job = lab.completed("killed")
    assert finds(lab, "killed") == ["", "epoch-0 epoch-1 epoch-2"]
    assert job["RetryStrategy"] == {"MaximumRetryAttempts": 1}
    steps = [(step["Status"], step["StatusMessage"]) for step in job["SecondaryStatusTransitions"]]
    began = ["Starting", "Downloading", "Training"]
    assert [status for status, _ in steps] == [*began, "Restarting", *began, "Uploading", "Completed"]
    assert steps[3][1] == "Starting again because the agent that ran it died."
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"last": b"state 2"}


def test_no_more_attempts_are_made_than_the_retry_strategy_says(lab: Lab) -> None:
    command = {"ContainerEntrypoint": ["/bin/sh", "-c", "echo here; sleep 600"]}
    lab.start("fragile", SKLEARN, AlgorithmSpecification=command, RetryStrategy={"MaximumRetryAttempts": 1})
    lab.await_log("fragile", "here")
    for attempt in (1, 2):

        def began(count: int = attempt) -> bool:
            return lab.log_of("fragile").splitlines().count("here") == count

        eventually(began, f"attempt {attempt} has begun")
        os.kill(agent(lab), signal.SIGKILL)
    job = lab.ended("fragile")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("InternalServerError: the agent that ran it died; attempt 2 was the last")


CHANGING = """
    import os, pathlib, shutil, time
    folder = pathlib.Path("/opt/ml/checkpoints")
    end = time.monotonic() + 14
    number = 0
    while time.monotonic() < end:
        number += 1
        deep = folder / "deep" / str(number % 3)
        deep.mkdir(parents=True, exist_ok=True)
        for each in range(30):
            (deep / f"{each}.part").write_bytes(b"x" * 50_000)
            (deep / f"{each}.part").rename(deep / f"{each}.bin")
        shutil.rmtree(folder / "deep" / str((number + 1) % 3), ignore_errors=True)
        with (folder / "shrinking").open("wb") as file:
            file.write(b"y" * 3_000_000)
            file.truncate(10)
    (folder / "last").write_text("the end")
    shutil.rmtree(folder / "deep")
    """


def test_files_may_come_and_go_while_they_are_uploaded(lab: Lab) -> None:
    lab.start_script("changing", CHANGING, **SAVING)
    lab.completed("changing")
    assert "is not uploaded" not in lab.log_of("changing")
    assert lab.get(f"s3://{BUCKET}/checkpoints/last") == b"the end"
    assert lab.get(f"s3://{BUCKET}/checkpoints/shrinking") == b"y" * 10


MANY = """
    import pathlib
    folder = pathlib.Path("/opt/ml/checkpoints")
    found = sum(1 for file in folder.rglob("*") if file.is_file())
    print("finds", found, flush=True)
    for number in range(0 if found else 1200):
        file = folder / f"{number % 10}" / f"{number}"
        file.parent.mkdir(exist_ok=True)
        file.write_text(str(number))
    """


def test_many_files(lab: Lab) -> None:
    times = []
    for name in ("many", "many-again"):
        lab.start_script(name, MANY, **SAVING)
        lab.completed(name)
        times.append(lab.s3.head_object(Bucket=BUCKET, Key="checkpoints/7/7")["LastModified"])
    assert times[0] == times[1], "what was restored is not uploaded again"
    assert finds(lab, "many-again") == ["1200"]
    pages: Any = lab.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="checkpoints/")
    assert sum(len(page.get("Contents", [])) for page in pages) == 1200


def test_a_built_in_algorithm_goes_on_from_its_checkpoints(lab: Lab) -> None:
    train = lab.put("checkpoints-of-xgboost.csv", "".join(f"{n % 2},{n % 2 + n % 3},{n % 5}\n" for n in range(200)))
    saving = {"CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/trees", "LocalPath": "/opt/ml/trees"}}
    for name, rounds in (("trees", 5), ("more-trees", 8)):
        lab.start(name, channels={"train": train}, hyperparameters={"num_round": rounds}, **saving)
        lab.completed(name)
    kept = [each["Key"] for each in lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="trees/")["Contents"]]
    assert "trees/xgboost-checkpoint.7" in kept
    assert "Resuming from iteration 5" in lab.log_of("more-trees")
    assert "Resuming" not in lab.log_of("trees")
