"""The health page tells what is wrong and leads there; the home page says so where it is bad."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from clary.testing.server import Server, server

pytestmark = pytest.mark.slow("studio")

LOOKED_AGAIN_MS = 40_000


@pytest.fixture(scope="module")
def own_server(studio_server: Server) -> Iterator[Server]:
    """An installation with nothing in it."""
    with server() as running:
        yield running


@pytest.fixture
def fresh(tab: Any, own_server: Server, one_time_link: Any) -> Any:
    studio = tab(base=f"{own_server.url}/studio")
    studio.page.goto(one_time_link(own_server))
    studio.settle()
    return studio


def test_problems_come_by_themselves_and_lead_to_what_they_are_about(
    fresh: Any, own_server: Server, screenshots: Path
) -> None:
    page = fresh.page
    page.get_by_role("link", name="Health").click()
    expect(fresh.heading("Health")).to_be_visible()
    fresh.settle()
    table = page.get_by_role("table", name="What is wrong")
    expect(table.get_by_text("hopeless")).to_have_count(0)
    page.screenshot(path=screenshots / "health-well.png")
    assert fresh.violations() == []

    own_server.client("s3").create_bucket(Bucket="jobs")
    sagemaker = own_server.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName="hopeless",
        RoleArn=own_server.role_arn,
        AlgorithmSpecification={"TrainingImage": "no-such-image:1", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://jobs/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    row = table.get_by_role("row", name="1 job failed in the last day")
    expect(row).to_be_visible(timeout=LOOKED_AGAIN_MS)
    expect(row.get_by_text("Warning")).to_be_visible()
    sagemaker.create_model(
        ModelName="absent",
        ExecutionRoleArn=own_server.role_arn,
        PrimaryContainer={"Image": "no-such-image:1"},
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="absent",
        ProductionVariants=[
            {"VariantName": "a", "ModelName": "absent", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ],
    )
    sagemaker.create_endpoint(EndpointName="broken", EndpointConfigName="absent")
    failed = table.get_by_role("row", name="1 endpoint failed: broken")
    expect(failed).to_be_visible(timeout=LOOKED_AGAIN_MS)
    expect(failed.get_by_text("Error", exact=True)).to_be_visible()
    for theme in ("light", "dark"):
        fresh.page.emulate_media(color_scheme=theme)
        page.screenshot(path=screenshots / f"health-{theme}.png")
    assert fresh.violations() == []

    fresh.open("/")
    expect(page.get_by_text("1 endpoint failed: broken")).to_be_visible()
    page.screenshot(path=screenshots / "health-home.png")
    assert fresh.violations() == []
    page.get_by_role("link", name="See what is wrong").click()
    fresh.expected = ["400"]  # a job that was never started has no log
    table.get_by_role("link", name="hopeless").click()
    expect(fresh.heading("hopeless")).to_be_visible()
