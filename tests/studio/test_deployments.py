"""Weights and instances are changed, and updates watched: a canary that arrives, and one that an alarm takes back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

SERVERS_MS = 120_000
"""How long new servers may take to start."""


def _variant(studio: Any, name: str) -> Any:
    return (
        studio.page.get_by_role("table", name="Production variants")
        .get_by_role("row")
        .filter(has=studio.page.get_by_role("rowheader", name=name))
    )


def _begin_update(studio: Any, config: str, routing: str, wait: str) -> Any:
    """Fill the dialog that updates an endpoint; gives the dialog."""
    studio.button("Update").click()
    dialog = studio.page.get_by_role("dialog", name=re.compile("^Update "))
    dialog.get_by_role("button", name="New configuration").click()
    studio.page.get_by_role("option", name=config).click()
    dialog.get_by_role("radio", name=routing).check()
    dialog.get_by_label("Wait (seconds)").fill(wait)
    return dialog


def test_weights_and_instances_are_changed(studio: Any, contents: Any, screenshots: Path) -> None:
    studio.open(f"/endpoints/{contents.shared_endpoint}")
    expect(_variant(studio, "blue")).to_contain_text("50 %")
    studio.button("Change weights and instances").click()
    dialog = studio.page.get_by_role("dialog")
    dialog.get_by_label("Weight of blue").fill("x")
    expect(dialog.get_by_role("button", name="Change")).to_be_disabled()
    dialog.get_by_label("Weight of blue").fill("3")
    dialog.get_by_label("Instances of green").fill("2")
    expect(dialog.get_by_text("75 %")).to_be_visible()
    assert studio.violations() == []
    studio.page.screenshot(path=screenshots / "endpoint-capacity-light.png")
    dialog.get_by_role("button", name="Change").click()
    expect(_variant(studio, "blue")).to_contain_text("75 %")
    expect(_variant(studio, "green")).to_contain_text("2 × ml.m5.large")
    expect(studio.button("Update")).to_be_enabled(timeout=SERVERS_MS)
    described = contents.server.client("sagemaker").describe_endpoint(EndpointName=contents.shared_endpoint)
    assert [each["CurrentWeight"] for each in described["ProductionVariants"]] == [3, 1]


def test_an_alarm_takes_an_update_back_and_a_canary_is_watched(studio: Any, contents: Any, screenshots: Path) -> None:
    page, name = studio.page, contents.shared_endpoint
    cloudwatch = contents.server.client("cloudwatch")
    studio.open(f"/endpoints/{name}")
    expect(studio.button("Update")).to_be_enabled(timeout=SERVERS_MS)

    dialog = _begin_update(studio, f"{name}-next", "Linear", "600")
    dialog.get_by_label("Step", exact=True).fill("5")
    expect(dialog.get_by_text("A whole number from 10 to 50")).to_be_visible()
    expect(dialog.get_by_role("button", name="Update", exact=True)).to_be_disabled()
    dialog.get_by_label("Step", exact=True).fill("50")
    dialog.get_by_role("button", name="Alarms").click()
    page.get_by_role("option", name=contents.alarm).click()
    page.keyboard.press("Escape")
    assert studio.violations() == []
    page.screenshot(path=screenshots / "endpoint-update-light.png")
    dialog.get_by_role("button", name="Update", exact=True).click()
    expect(page.get_by_role("heading", name="Update under way")).to_be_visible()
    expect(page.get_by_text("Linear: in steps of 50 %, 600 s each").first).to_be_visible()
    expect(page.get_by_role("table", name="New variants").get_by_text("Baking")).to_be_visible(timeout=SERVERS_MS)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert studio.violations() == [], theme
        page.screenshot(path=screenshots / f"endpoint-baking-{theme}.png", full_page=True)
    cloudwatch.set_alarm_state(AlarmName=contents.alarm, StateValue="ALARM", StateReason="It is too slow")
    expect(page.get_by_text("The last update failed; the endpoint goes on as it was")).to_be_visible()
    expect(page.get_by_text(f"so it was rolled back: {contents.alarm}")).to_be_visible()
    expect(_variant(studio, "green")).to_be_visible()
    cloudwatch.set_alarm_state(AlarmName=contents.alarm, StateValue="OK", StateReason="It is quick again")

    expect(studio.button("Update")).to_be_enabled(timeout=SERVERS_MS)
    _begin_update(studio, f"{name}-next", "Canary", "4").get_by_role("button", name="Update", exact=True).click()
    expect(page.get_by_text("Canary: 20 % first, the rest after 4 s").first).to_be_visible()
    expect(page.get_by_role("table", name="New variants").get_by_text("Baking")).to_be_visible(timeout=SERVERS_MS)
    expect(page.get_by_role("heading", name="Update under way")).to_have_count(0, timeout=SERVERS_MS)
    expect(page.get_by_role("link", name=f"{name}-next")).to_be_visible()
    expect(_variant(studio, "green")).to_have_count(0)
    # What it served before can be served again, by whatever test comes next.
    sagemaker = contents.server.client("sagemaker")
    sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
