"""Quick starts start, and what they make can be used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from clary.testing.server import Server, server

pytestmark = pytest.mark.slow("studio")

JOB_MS = 240_000
SOON = {"Delay": 1, "MaxAttempts": 240}


@pytest.fixture(scope="module")
def new_server(studio_server: Server) -> Iterator[Server]:
    """An installation with nothing in it."""
    with server() as running:
        yield running


@pytest.fixture
def fresh(tab: Any, new_server: Server, one_time_link: Any) -> Any:
    studio = tab(base=f"{new_server.url}/studio")
    studio.page.goto(one_time_link(new_server))
    studio.settle()
    return studio


def test_a_new_installation_explains_itself_trains_deploys_and_prepares(fresh: Any, new_server: Server) -> None:
    expect(fresh.page.get_by_role("heading", name="What you will see here")).to_be_visible()
    expect(fresh.button("Deploy")).to_be_disabled()
    assert fresh.violations() == []

    fresh.button("Start training").click()
    heading = fresh.heading("wine-classifier-")
    expect(heading).to_be_visible()
    job = heading.inner_text()
    expect(fresh.page.get_by_text("Completed").first).to_be_visible(timeout=JOB_MS)
    expect(fresh.page.get_by_role("img", name="validation:loss: 80 points")).to_be_visible()
    described = new_server.client("sagemaker").describe_training_job(TrainingJobName=job)
    finals = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
    assert finals["validation:accuracy"] > 0.9

    fresh.button("Deploy").click()
    fresh.page.wait_for_url("**/endpoints/wine-classifier-*")
    endpoint = fresh.page.url.rsplit("/", 1)[1]
    sagemaker = new_server.client("sagemaker")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 240}
    )
    row = "14.23,1.71,2.43,15.6,127,2.8,3.06,0.28,2.29,5.64,1.04,3.92,1065"
    answer = new_server.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="text/csv", Body=row
    )
    assert answer["Body"].read().decode().strip() == "0"

    fresh.open("/")
    expect(fresh.page.get_by_role("link", name=job).first).to_be_visible()
    fresh.button("Start processing").click()
    expect(fresh.heading("wine-preparation-")).to_be_visible()
    expect(fresh.page.get_by_text("Completed").first).to_be_visible(timeout=JOB_MS)
    fresh.tab("Inputs and outputs")
    fresh.page.get_by_role("link", name="/output/report/").click()
    expect(fresh.page.get_by_role("link", name="columns.json")).to_be_visible()


def test_training_again_begins_with_what_was_there(studio: Any, contents: Any) -> None:
    studio.open(f"/training-jobs/{contents.training_job}")
    studio.button("Train again with changes").click()
    expect(studio.heading("Create training job")).to_be_visible()
    studio.page.get_by_role("button", name="JSON").click()
    request = studio.page.get_by_label("The request as JSON").input_value()
    assert '"rate": "0.1"' in request
    assert f"s3://{contents.bucket}/data/" in request
    assert "TrainingJobArn" not in request
