"""Training jobs show what they read, save, use and keep; built-in algorithms are trained from their pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from studio_contents import IMAGE

from clary.testing.server import Server

pytestmark = pytest.mark.slow("studio")

JOB_MS = 120_000


def row(studio: Any, table: str, name: str) -> Any:
    """A row of a table by its header."""
    return (
        studio.page.get_by_role("table", name=table)
        .get_by_role("row")
        .filter(has=studio.page.get_by_role("rowheader", name=name, exact=True))
    )


def train(server: Server, contents: Any, name: str, command: str, place: dict[str, int], **more: Any) -> None:
    """Start a training job that runs a command of the shell."""
    server.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=server.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", command],
        },
        OutputDataConfig={"S3OutputPath": f"s3://{contents.bucket}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, **place},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
        **more,
    )


def test_a_job_shows_its_channels_its_checkpoints_and_its_warm_pool(studio: Any, contents: Any) -> None:
    studio.open(f"/training-jobs/{contents.kept_job}?tab=artifacts")
    train, stream = row(studio, "Inputs", "train"), row(studio, "Inputs", "stream")
    expect(train).to_contain_text("File")
    expect(train).to_contain_text("as the job")
    expect(stream).to_contain_text("Pipe")
    expect(stream).to_contain_text("Gzip")
    for shown in (train, stream):
        expect(shown).to_contain_text("text/csv")
        expect(shown).to_contain_text("S3Prefix")
        expect(shown).to_contain_text("Fully replicated")
    # No channel has a record wrapper or attributes.
    expect(studio.page.get_by_role("columnheader", name="Record wrapper")).to_have_count(0)
    expect(studio.page.get_by_role("columnheader", name="Attributes")).to_have_count(0)

    saved = studio.page.get_by_role("table", name="Checkpoints")
    expect(saved.get_by_role("link")).to_have_count(4)
    expect(studio.page.get_by_text("/opt/ml/checkpoints")).to_be_visible()
    expect(row(studio, "Checkpoints", "epoch-2.txt")).to_contain_text("8 B")
    saved.get_by_role("link", name="best/model.txt").click()
    expect(studio.heading("model.txt")).to_be_visible()

    studio.open(f"/training-jobs/{contents.kept_job}?tab=artifacts")
    stream.get_by_role("link").click()
    expect(studio.page.get_by_role("link", name="wine.csv.gz")).to_be_visible()

    studio.open(f"/training-jobs/{contents.kept_job}?tab=usage")
    for said in ("Available", "10 min 0 s", "ml.m5.large", "$0.115 an hour"):
        expect(studio.page.get_by_text(said).first).to_be_visible()
    expect(studio.page.get_by_role("heading", name="Managed spot training")).to_have_count(0)


def test_a_folder_that_was_named_without_its_slash_is_found(studio: Any, contents: Any) -> None:
    studio.expected.append("404 (Not Found)")
    studio.open(f"/storage/{contents.bucket}/checkpoints/{contents.kept_job}")
    expect(studio.page.get_by_role("link", name="epoch-1.txt")).to_be_visible()


def test_checkpoints_appear_while_the_job_runs(studio: Any, contents: Any, studio_server: Server) -> None:
    command = "for i in 1 2; do echo $i > /opt/ml/checkpoints/saved-$i; sleep 2; done; exec sleep 100"
    uri = f"s3://{contents.bucket}/checkpoints/saves"
    train(studio_server, contents, "saves", command, {}, CheckpointConfig={"S3Uri": uri})
    studio.open("/training-jobs/saves?tab=artifacts")
    expect(studio.page.get_by_text("None yet")).to_be_visible()
    expect(row(studio, "Checkpoints", "saved-1")).to_be_visible(timeout=JOB_MS)
    expect(row(studio, "Checkpoints", "saved-2")).to_be_visible(timeout=JOB_MS)
    links = studio.page.get_by_role("table", name="Checkpoints").get_by_role("link")
    assert links.all_inner_texts() == ["saved-2", "saved-1"]
    expect(studio.page.get_by_text("In progress").first).to_be_visible()
    studio.tab("Usage and cost")
    expect(studio.page.get_by_text("Would have cost on AWS so far")).to_be_visible()
    studio_server.client("sagemaker").stop_training_job(TrainingJobName="saves")


def test_a_warm_pool_tells_which_job_has_taken_it(studio: Any, contents: Any, studio_server: Server) -> None:
    keep = {"KeepAlivePeriodInSeconds": 300, "VolumeSizeInGB": 2}
    train(studio_server, contents, "pool-first", "true", keep)
    studio.open("/training-jobs/pool-first?tab=usage")
    expect(studio.page.get_by_text("Available", exact=True)).to_be_visible(timeout=JOB_MS)
    train(studio_server, contents, "pool-second", "true", keep)
    # The first job has ended, and is looked at all the same.
    expect(studio.page.get_by_text("Reused", exact=True)).to_be_visible(timeout=JOB_MS)
    studio.page.get_by_role("link", name="pool-second").click()
    expect(studio.heading("pool-second")).to_be_visible()


def test_a_spot_job_shows_its_interruptions_and_what_they_saved(
    studio: Any, contents: Any, studio_server: Server
) -> None:
    job = studio_server.client("sagemaker").describe_training_job(TrainingJobName=contents.spot_job)
    saved = round((1 - job["BillableTimeInSeconds"] / job["TrainingTimeInSeconds"]) * 100)
    assert saved > 0
    studio.open(f"/training-jobs/{contents.spot_job}?tab=usage")
    expect(studio.page.get_by_text(f"{saved} %", exact=True)).to_be_visible()
    expect(studio.page.get_by_text("Interrupted at")).to_be_visible()
    expect(studio.page.get_by_text("4 min 0 s")).to_be_visible()


def test_an_algorithm_leads_to_a_form_that_creates_a_job_that_trains(
    studio: Any, contents: Any, studio_server: Server, screenshots: Path
) -> None:
    studio.open("/")
    studio.page.get_by_role("link", name="Built-in algorithms").click()
    studio.page.get_by_role("searchbox", name="Find an algorithm").fill("correct")
    studio.page.get_by_role("link", name="XGBoost").click()
    expect(studio.heading("XGBoost")).to_be_visible()
    expect(row(studio, "Hyperparameters", "num_round required")).to_contain_text("at least 1")
    studio.tab("Metrics")
    expect(row(studio, "Metrics", "validation:auc")).to_contain_text("Higher")
    expect(row(studio, "Metrics", "validation:rmse")).to_contain_text("Lower")
    studio.tab("Channels")
    expect(row(studio, "Channels", "train")).to_contain_text("text/csv")

    studio.button("Train with it").click()
    expect(studio.heading("Create training job")).to_be_visible()
    assert studio.violations() == []
    studio.page.screenshot(path=screenshots / "algorithm-form-light.png", full_page=True)
    studio.button("Create").click()
    expect(studio.page.get_by_text("This is required").first).to_be_visible()
    studio.page.get_by_label("S3 URI").locator("visible=true").first.fill(f"s3://{contents.bucket}/rows/train/")
    studio.page.get_by_label("S3 output path").locator("visible=true").fill(f"s3://{contents.bucket}/output")
    studio.button("Create").click()

    expect(studio.heading("xgboost-2")).to_be_visible()
    name = studio.page.get_by_role("heading", level=1).inner_text()
    expect(studio.page.get_by_text("Completed").first).to_be_visible(timeout=JOB_MS)
    job = studio_server.client("sagemaker").describe_training_job(TrainingJobName=name)
    assert job["HyperParameters"] == {"num_round": "100"}
    assert job["InputDataConfig"][0]["ContentType"] == "text/csv"
    expect(row(studio, "Final values", "train:rmse")).to_contain_text("Lower")


def test_a_job_of_an_algorithm_explains_its_hyperparameters(studio: Any, contents: Any) -> None:
    studio.open(f"/training-jobs/{contents.built_in_job}")
    # Training and validation share a chart.
    expect(studio.page.get_by_role("img", name="auc. train:auc: 12 points")).to_be_visible()
    expect(studio.page.get_by_role("img", name="validation:auc: 12 points")).to_be_visible()
    expect(row(studio, "Final values", "validation:auc")).to_contain_text("Higher")
    studio.tab("Configuration")
    # By its alias.
    expect(row(studio, "Hyperparameters", "learning_rate")).to_contain_text("How much of each new tree counts")
    expect(row(studio, "Hyperparameters", "max_depth")).to_have_count(0)
    studio.page.get_by_text("Show those left as they are").click()
    expect(row(studio, "Hyperparameters", "max_depth")).to_contain_text("not given")
    studio.page.get_by_role("link", name="XGBoost").click()
    expect(studio.heading("XGBoost")).to_be_visible()
