"""What others have stored never runs, and nobody sees what policies do not allow."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from studio_contents import HOSTILE, PASSWORD
from studio_pages import path

from clary.core.settings import load
from clary.state.database import Database

pytestmark = pytest.mark.slow("studio")

PLACES = {
    "hyperparameters": ("/training-jobs/{training_job}?tab=configuration", "Hyperparameters"),
    "environment": ("/processing-jobs/{processing_job}?tab=configuration", "Environment"),
    "experiments": ("/experiments", "Experiments"),
    "experiment": ("/experiments/{experiment}", "Runs"),
    "parameters": ("/experiments/{experiment}/runs/{run}?tab=parameters", "Parameters"),
    "comparison": ("/experiments/{experiment}/compare?tab=table&runs={two_runs}", "Parameters and metrics"),
    "resource": ("/explorer/sagemaker/Experiment/of/{experiment}", "Summary"),
}


@pytest.mark.parametrize("name", list(PLACES))
def test_text_is_text(studio: Any, contents: Any, name: str) -> None:
    address, heading = PLACES[name]
    studio.open(address.format(**contents.names))
    expect(studio.page.get_by_role("heading", name=heading).first).to_be_visible()
    expect(studio.page.get_by_text(HOSTILE).first).to_be_attached()
    harmless(studio)


def test_tags_that_no_api_would_take_are_text(studio: Any, contents: Any) -> None:
    database = Database(load(contents.server.home).database_url)
    arn = contents.server.client("sagemaker").describe_training_job(TrainingJobName=contents.training_job)
    with database.write() as transaction:
        transaction.set_tags(arn["TrainingJobArn"], {HOSTILE: HOSTILE})
    database.close()
    studio.open(f"/training-jobs/{contents.training_job}?tab=tags")
    expect(studio.page.get_by_text(HOSTILE).first).to_be_visible()
    harmless(studio)
    studio.button("Edit tags").click()
    expect(studio.button("Save tags")).to_be_visible()
    harmless(studio)


def test_keys_of_objects_are_text(studio: Any, contents: Any) -> None:
    key = f"{HOSTILE.replace('/', '')}.txt"
    studio.open(f"/storage/{contents.bucket}/hostile/")
    studio.page.get_by_role("link", name=key).click()
    studio.settle()
    harmless(studio)


@pytest.mark.parametrize("name", ["page.html", "drawing.svg"])
def test_pages_in_s3_do_not_run(studio: Any, contents: Any, name: str) -> None:
    studio.open(f"/storage/{contents.bucket}/hostile/{name}")
    expect(studio.page.get_by_text(name).first).to_be_visible()
    studio.page.wait_for_load_state("networkidle")
    harmless(studio)


def test_a_user_sees_what_policies_allow_and_nothing_else(tab: Any, contents: Any) -> None:
    studio = tab()
    studio.expected = ["400", "401", "403"]
    studio.page.goto(f"{studio.base}/")
    studio.page.get_by_label("User name").fill(contents.user)
    studio.page.get_by_label("Password").fill(PASSWORD)
    studio.button("Sign in").click()
    expect(studio.heading("Home")).to_be_visible()
    studio.settle()
    for hidden in (contents.training_job, contents.processing_job, contents.failed_job):
        expect(studio.page.get_by_role("link", name=hidden, exact=True)).to_have_count(0)
    studio.open("/experiments")
    expect(studio.page.get_by_role("link", name=contents.experiment)).to_be_visible()
    refused = {
        "/training-jobs": contents.training_job,
        "/processing-jobs": contents.processing_job,
        "/storage": contents.bucket,
        "/access/users": "administrator",
        "/models": contents.model,
    }
    for place, hidden in refused.items():
        studio.page.goto(studio.base + place)
        expect(studio.page.get_by_text("cannot be listed").first).to_be_visible()
        expect(studio.page.get_by_role("link", name=hidden, exact=True)).to_have_count(0)
    studio.page.goto(studio.base + path("training-jobs", contents.training_job))
    expect(studio.page.get_by_text("cannot be shown").first).to_be_visible()


def harmless(studio: Any) -> None:
    """No script of a stored text has run, and none became an element."""
    assert studio.page.evaluate("[window.hacked, document.querySelectorAll('[onerror], [onload]').length]") == [None, 0]
