"""Tuning jobs are followed, compared, stopped, deleted, and made from others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import studio_tuning as tuning
from playwright.sync_api import expect

from clary.testing.server import Server

pytestmark = pytest.mark.slow("studio")

JOB_MS = 120_000


def trials(server: Server, name: str) -> list[dict[str, Any]]:
    """The training jobs of a tuning job, in the order in which they were made."""
    found = server.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100
    )
    return list(found["TrainingJobSummaries"])


def value(trial: dict[str, Any]) -> float:
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def test_the_trials_are_sorted_and_the_best_is_named(studio: Any, contents: Any, studio_server: Server) -> None:
    page = studio.page
    every = trials(studio_server, contents.tuning_job)
    judged = [each for each in every if each["TrainingJobStatus"] == "Completed"]
    best = max(judged, key=value)
    studio.open("/")
    page.get_by_role("link", name="Tuning jobs").click()
    row = page.get_by_role("row", name=re.compile(f" {contents.tuning_job} "))
    expect(row).to_contain_text(f"{tuning.TRIALS} of {tuning.TRIALS}")
    score = re.compile(r"(-?[\d.]+)\s+score")
    expect(row).to_contain_text(score)
    shown = score.search(row.inner_text())
    assert shown is not None and abs(float(shown[1]) - value(best)) < 0.001
    row.get_by_role("link").click()
    expect(studio.heading(contents.tuning_job)).to_be_visible()
    expect(page.get_by_text(f"{len(judged)} completed, {len(every) - len(judged)} failed")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("it diverged"))).to_have_count(len(every) - len(judged))
    expect(page.get_by_text(best["TunedHyperParameters"]["momentum"])).to_be_visible()

    studio.tab(f"Trials ({len(every)})")
    table = page.get_by_role("table", name="Trials")
    expect(table.get_by_role("rowheader")).to_have_text([each["TrainingJobName"] for each in every])
    table.get_by_role("columnheader", name="score").get_by_role("button").first.press("Enter")
    page.wait_for_url("**sort=objective**")
    ordered = [each["TrainingJobName"] for each in sorted(judged, key=value, reverse=True)]
    expect(table.get_by_role("rowheader").first).to_have_text(ordered[0])
    assert table.get_by_role("rowheader").all_inner_texts()[: len(ordered)] == ordered
    expect(table.get_by_role("row", name=re.compile("Best"))).to_have_count(1)
    expect(table.get_by_role("row", name=re.compile("Best"))).to_contain_text(best["TrainingJobName"])
    table.get_by_role("link", name=best["TrainingJobName"]).click()
    expect(studio.heading(best["TrainingJobName"])).to_be_visible()
    page.get_by_role("link", name=contents.tuning_job, exact=True).click()
    expect(studio.heading(contents.tuning_job)).to_be_visible()


def test_parts_of_the_axes_are_chosen_with_the_mouse_and_the_keyboard(studio: Any, contents: Any) -> None:
    page = studio.page
    judged = [each for each in trials(contents.server, contents.tuning_job) if each["TrainingJobStatus"] == "Completed"]
    momenta = [float(each["TunedHyperParameters"]["momentum"]) for each in judged]
    studio.open(f"/tuning-jobs/{contents.tuning_job}?tab=charts")
    lines = page.get_by_role("img", name=f"through momentum, rate, kind, score. {len(judged)} trials")
    lines.scroll_into_view_if_needed()
    page.get_by_role("button", name="Choose with the keyboard").press("Enter")
    page.get_by_label("momentum to").fill("0.3")
    told = page.get_by_role("status").filter(has_text="trials")
    expect(told).to_contain_text(f"{sum(each <= 0.3 for each in momenta)} of {len(judged)} trials, the best of them")
    studio.button("Show all").click()
    expect(page.get_by_label("momentum to")).to_have_value("")

    # Half of the first axis, whose place is known by the margins of the chart.
    box = lines.bounding_box()
    left, top, height = box["x"] + 60, box["y"] + 40, box["height"] - 64
    page.mouse.move(left, top + height / 2)
    page.mouse.down()
    page.mouse.move(left, top + height * 0.75, steps=3)
    page.mouse.move(left, top + height - 1, steps=3)
    page.mouse.up()
    expect(told).to_contain_text(f"{sum(each <= 0.45 for each in momenta)} of {len(judged)} trials")

    important = page.get_by_role("table", name="Importance of hyperparameters")
    expect(important.get_by_role("rowheader")).to_have_count(3)
    studio.button("How it is computed").click()
    expect(page.get_by_text("Adjusted correlation ratio of ranks")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Hyperparameter momentum").click()
    page.get_by_role("option", name="kind").click()
    expect(page.get_by_role("img", name=f"kind against score. {len(judged)} trials")).to_be_visible()


def test_several_definitions_are_told_apart(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open(f"/tuning-jobs/{contents.compared_tuning_job}?tab=charts")
    expect(page.get_by_role("img", name="score over time. 4 trials with a value")).to_be_visible()
    expect(page.get_by_text("Choose a definition to see")).to_be_visible()
    page.get_by_role("button", name="Definition All definitions").click()
    page.get_by_role("option", name="slow").click()
    expect(page.get_by_role("img", name="score over time. 2 trials with a value")).to_be_visible()
    expect(page.get_by_text("This needs at least 12 trials")).to_be_visible()
    studio.tab("Trials (4)")
    expect(page.get_by_role("table", name="Trials").get_by_role("rowheader")).to_have_count(2)


def test_a_search_is_followed_stopped_and_deleted(studio: Any, contents: Any, studio_server: Server) -> None:
    page = studio.page
    ranges = {"ContinuousParameterRanges": [{"Name": "momentum", "MinValue": "0", "MaxValue": "0.9"}]}
    objective = {"Type": "Maximize", "MetricName": "score"}
    studio_server.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="goes-on",
        HyperParameterTuningJobConfig=tuning.config(
            30, HyperParameterTuningJobObjective=objective, ParameterRanges=ranges
        ),
        TrainingJobDefinition=tuning.definition(contents, pause="1"),
    )
    studio.open("/")
    page.get_by_role("table", name="Running now").get_by_role("link", name="goes-on", exact=True).click()
    expect(studio.heading("goes-on")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 30: 2 in progress"))).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_role("heading", name="Hyperparameters it was tuned to")).to_be_visible()
    expect(studio.button("Delete")).to_be_disabled()
    studio.button("Stop").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(page.get_by_text("Stopped", exact=True).first).to_be_visible(timeout=JOB_MS)
    studio.button("Delete").click()
    page.get_by_role("dialog").get_by_label("To confirm, type delete").fill("delete")
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(studio.heading("Tuning jobs")).to_be_visible()
    expect(page.get_by_role("link", name="goes-on")).to_have_count(0)


def test_a_training_job_is_tuned_by_the_form(
    studio: Any, contents: Any, studio_server: Server, screenshots: Path
) -> None:
    page = studio.page
    studio.open(f"/training-jobs/{trials(studio_server, contents.compared_tuning_job)[0]['TrainingJobName']}")
    studio.button("Tune").click()
    expect(studio.heading("Create tuning job")).to_be_visible()
    expect(page.get_by_label("Objective")).to_have_value("score")
    page.get_by_label("Name", exact=True).first.fill("from-a-job")
    page.get_by_label("Training jobs at most").fill("2")
    page.get_by_role("button", name="Strategy Bayesian").click()
    page.get_by_role("option", name="Random").click()
    studio.button("Add range").click()
    studio.button("Create").click()
    expect(page.get_by_text("This is required").first).to_be_visible()
    page.get_by_label("Name of range 1").fill("momentum")
    page.get_by_label("momentum from").fill("0.9")
    page.get_by_label("momentum to").fill("0.1")
    assert studio.violations() == []
    page.screenshot(path=screenshots / "tuning-form-light.png", full_page=True)
    # What a training job was given is the same for all, but for what is tuned.
    studio.button("Tune it instead").click()
    expect(studio.button("Tune it instead")).to_have_count(0)
    studio.expected.append("400 (Bad Request)")
    studio.button("Create").click()
    expect(page.get_by_text("The range of the hyperparameter momentum is invalid").first).to_be_visible()
    page.get_by_label("momentum from").fill("0")
    studio.button("Create").click()
    expect(studio.heading("from-a-job")).to_be_visible()
    expect(page.get_by_text("2 of 2: 2 completed")).to_be_visible(timeout=JOB_MS)

    studio.button("More ways to tune again").click()
    page.get_by_role("menuitem", name="Go on from what it found").click()
    expect(studio.heading("Create tuning job")).to_be_visible()
    page.get_by_role("button", name="JSON").click()
    request = json.loads(page.get_by_label("The request as JSON").input_value())
    assert request["WarmStartConfig"]["ParentHyperParameterTuningJobs"] == [
        {"HyperParameterTuningJobName": "from-a-job"}
    ]
    assert request["HyperParameterTuningJobName"] != "from-a-job"
    assert request["HyperParameterTuningJobConfig"]["ParameterRanges"] == {
        "ContinuousParameterRanges": [{"Name": "momentum", "MinValue": "0", "MaxValue": "0.1", "ScalingType": "Auto"}]
    }


def test_an_algorithm_is_tuned_in_the_ranges_that_it_recommends(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open("/algorithms/xgboost")
    studio.button("Tune it").click()
    expect(studio.heading("Create tuning job")).to_be_visible()
    expect(page.get_by_role("table", name="Ranges").get_by_label("max_depth from")).to_have_value("0")
    page.get_by_label("Name of max_depth").press("Tab")
    expect(page.get_by_role("button", name="Type of max_depth Integer")).to_be_focused()
