"""The variants of an endpoint follow their load as somebody says, and what was done stands there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

SERVERS_MS = 120_000


def test_a_variant_is_scaled_and_what_was_done_is_told(studio: Any, contents: Any, screenshots: Path) -> None:
    page = studio.page
    studio.open(f"/endpoints/{contents.shared_endpoint}?tab=scaling")
    variants = page.get_by_role("table", name="Scaled variants")
    green = variants.get_by_role("row").filter(has=page.get_by_role("rowheader", name="green"))
    expect(green).to_contain_text("Not scaled")
    studio.button("Scale green").click()
    dialog = page.get_by_role("dialog", name="Scale green")
    dialog.get_by_label("Most instances").fill("0")
    expect(dialog.get_by_text("A whole number, at least the least")).to_be_visible()
    dialog.get_by_label("Most instances").fill("2")
    dialog.get_by_label("Requests a minute for each instance").fill("100")
    assert studio.violations() == []
    page.screenshot(path=screenshots / "endpoint-scale-light.png")
    dialog.get_by_role("button", name="Save").click()
    expect(green).to_contain_text("1 to 2")
    expect(green).to_contain_text("Keeps requests a minute and instance at 100")

    # A policy that is there is changed, not doubled.
    studio.button("Change green").click()
    expect(dialog.get_by_label("Requests a minute for each instance")).to_have_value("100")
    dialog.get_by_label("Requests a minute for each instance").fill("90")
    dialog.get_by_role("button", name="Save").click()
    expect(green).to_contain_text("instance at 90")
    expect(green).not_to_contain_text("instance at 100")

    cloudwatch = contents.server.client("cloudwatch")
    prefix = f"TargetTracking-endpoint/{contents.shared_endpoint}/variant/green-AlarmHigh"
    [high] = cloudwatch.describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    cloudwatch.set_alarm_state(
        AlarmName=high["AlarmName"],
        StateValue="ALARM",
        StateReason="test",
        StateReasonData='{"recentDatapoints": [150, 190]}',
    )
    activities = page.get_by_role("table", name="Recent activities")
    expect(activities.get_by_text("Successful").first).to_be_visible(timeout=SERVERS_MS)
    expect(activities.get_by_role("rowheader", name="Setting desired instance count to 2")).to_be_visible()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert studio.violations() == [], theme
        page.screenshot(path=screenshots / f"endpoint-scaled-{theme}.png", full_page=True)

    studio.button("Scale green no more").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop").click()
    expect(green).to_contain_text("Not scaled")
    contents.server.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=contents.shared_endpoint,
        DesiredWeightsAndCapacities=[{"VariantName": "green", "DesiredInstanceCount": 1}],
    )
    studio.tab("Overview")
    expect(studio.button("Update")).to_be_enabled(timeout=SERVERS_MS)
