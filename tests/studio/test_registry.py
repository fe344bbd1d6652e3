"""Versions of a model are compared, approved and rejected."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")


@pytest.fixture(scope="module")
def measured(contents: Any) -> str:
    """A group of two versions with measured quality; the second is the better one."""
    sagemaker, s3 = contents.server.client("sagemaker"), contents.server.client("s3")
    sagemaker.create_model_package_group(ModelPackageGroupName="measured")
    known = sagemaker.list_model_packages(ModelPackageGroupName=contents.package_group)["ModelPackageSummaryList"][0]
    containers = sagemaker.describe_model_package(ModelPackageName=known["ModelPackageArn"])["InferenceSpecification"]
    for version, accuracy in enumerate((0.8, 0.9), 1):
        key = f"quality/{version}.json"
        quality = {"binary_classification_metrics": {"accuracy": {"value": accuracy}, "auc": {"value": 0.95}}}
        s3.put_object(Bucket=contents.bucket, Key=key, Body=json.dumps(quality))
        statistics = {"ContentType": "application/json", "S3Uri": f"s3://{contents.bucket}/{key}"}
        sagemaker.create_model_package(
            ModelPackageGroupName="measured",
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification=containers,
            ModelMetrics={"ModelQuality": {"Statistics": statistics}},
        )
    return "measured"


def test_versions_are_compared_side_by_side(studio: Any, measured: str) -> None:
    page = studio.page
    studio.open(f"/model-registry/{measured}")
    expect(studio.button("Compare")).to_be_disabled()
    expect(page.get_by_role("columnheader", name="Accuracy")).to_be_visible()
    for version in (1, 2):
        page.get_by_role("checkbox", name=f"Select {measured} version {version}").check()
    studio.button("Compare").click()
    expect(studio.heading(f"Compare versions of {measured} (2)")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Accuracy differs 0.8 0.9 best"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^AUC"))).to_be_visible()
    assert studio.violations() == []
    page.get_by_label("Only what differs").check()
    expect(page.get_by_role("row", name=re.compile("^AUC"))).to_have_count(0)


def test_a_version_is_approved_with_a_reason_and_rejected(studio: Any, contents: Any, measured: str) -> None:
    page = studio.page
    studio.open(f"/model-registry/{measured}/2")
    expect(page.get_by_text("Pending manual approval")).to_be_visible()
    assert studio.violations() == []
    studio.button("Approve").click()
    dialog = page.get_by_role("dialog", name="Approve this version?")
    dialog.get_by_label("Comment").fill("The better one")
    assert studio.violations() == []
    dialog.get_by_role("button", name="Approve").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_text("The better one")).to_be_visible()
    expect(studio.button("Approve")).to_be_disabled()
    sagemaker = contents.server.client("sagemaker")
    found = sagemaker.list_model_packages(ModelPackageGroupName=measured, ModelApprovalStatus="Approved")
    assert [each["ModelPackageVersion"] for each in found["ModelPackageSummaryList"]] == [2]

    studio.open(f"/model-registry/{measured}")
    page.get_by_role("checkbox", name=f"Select {measured} version 1").check()
    page.locator("button[aria-haspopup]", has_text="Approval").click()
    page.get_by_role("menuitem", name="Reject").click()
    page.get_by_role("dialog", name="Reject this version?").get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected").first).to_be_visible()
