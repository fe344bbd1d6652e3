"""A data set is transformed from a model's page, and the job is made again with changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

JOB_MS = 120_000


def test_a_model_transforms_a_data_set_and_its_output_is_seen(studio: Any, contents: Any, screenshots: Path) -> None:
    page = studio.page
    contents.server.client("s3").put_object(Bucket=contents.bucket, Key="wines/in/red.csv", Body=b"1,2\n3,4\n")
    studio.open(f"/models/{contents.model}")
    studio.button("Transform a data set").click()
    expect(studio.heading("Create transform job")).to_be_visible()
    assert studio.violations() == []
    page.get_by_label("S3 URI").locator("visible=true").first.fill(f"s3://{contents.bucket}/wines/in/")
    page.get_by_label("S3 output path").locator("visible=true").first.fill(f"s3://{contents.bucket}/wines/out")
    page.screenshot(path=screenshots / "transform-form-light.png", full_page=True)
    studio.button("Create").click()

    expect(studio.heading(contents.model)).to_be_visible()
    expect(page).to_have_url(f"{studio.base}/transform-jobs/{page.url.rsplit('/', 1)[1]}")
    expect(page.get_by_text("Completed").first).to_be_visible(timeout=JOB_MS)
    expect(page.get_by_role("link", name=contents.model, exact=True)).to_be_visible()
    outputs = page.get_by_role("table", name="Outputs")
    outputs.get_by_role("link", name="red.csv.out").click()
    expect(studio.heading("red.csv.out")).to_be_visible()
    expect(page.get_by_text("1.0").first).to_be_visible()


def test_a_job_tells_how_it_was_asked_and_begins_the_next(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open(f"/transform-jobs/{contents.transform_job}")
    for said in ("$[1:]", "The answer beside its record", "$[0,-1]", "By line", "A line for each answer"):
        expect(page.get_by_text(said, exact=True)).to_be_visible()
    studio.tab("History")
    expect(page.get_by_text("Transforming")).to_be_visible()
    studio.tab("Logs")
    expect(page.get_by_role("button", name="Log stream")).to_be_visible()
    studio.button("Transform again with changes").click()
    expect(studio.heading("Create transform job")).to_be_visible()
    page.get_by_role("button", name="JSON").click()
    request = page.get_by_label("The request as JSON").input_value()
    assert f"s3://{contents.bucket}/batch/in/" in request
    assert '"JoinSource": "Input"' in request
    assert "TransformJobArn" not in request
