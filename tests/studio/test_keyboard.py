"""Everything can be reached without a mouse."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

MOST_STEPS = 80


def tab_to(studio: Any, role: str, name: str) -> None:
    """Press Tab until what has this role and name has the focus."""
    wanted = studio.page.get_by_role(role, name=name, exact=True).first
    expect(wanted).to_be_visible()
    for _ in range(MOST_STEPS):
        studio.page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"the {role} {name!r} is not reached by Tab")


def test_a_job_is_reached_and_looked_at(studio: Any, contents: Any) -> None:
    studio.open("/")
    tab_to(studio, "link", "Training jobs")
    studio.page.keyboard.press("Enter")
    expect(studio.heading("Training jobs")).to_be_visible()
    tab_to(studio, "link", contents.training_job)
    studio.page.keyboard.press("Enter")
    expect(studio.heading(contents.training_job)).to_be_visible()
    tab_to(studio, "tab", "Metrics")
    studio.page.keyboard.press("ArrowRight")
    expect(studio.page.get_by_role("tab", name="Logs")).to_be_focused()
    studio.page.keyboard.press("Enter")
    expect(studio.page.get_by_role("log")).to_be_visible()


def test_the_palette_goes_to_a_page_and_to_a_resource(studio: Any, contents: Any) -> None:
    studio.open("/")
    studio.page.keyboard.press("Control+k")
    palette = studio.page.get_by_role("dialog", name="Go to")
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    studio.page.keyboard.type(contents.training_job)
    expect(studio.page.get_by_role("option", name=contents.training_job).first).to_be_visible()
    assert studio.violations() == []
    studio.page.keyboard.press("ArrowDown")
    studio.page.keyboard.press("Enter")
    expect(studio.page.get_by_role("heading", level=1, name=contents.training_job)).to_be_visible()
    studio.page.keyboard.press("Control+k")
    expect(field).to_be_focused()
    studio.page.keyboard.type("Roles")
    expect(studio.page.get_by_role("option", name="Roles").first).to_be_visible()
    studio.page.keyboard.press("ArrowDown")
    studio.page.keyboard.press("Enter")
    expect(studio.heading("Roles")).to_be_visible()


def test_escape_closes_a_dialog_and_the_focus_comes_back(studio: Any, contents: Any) -> None:
    studio.open("/access/roles")
    tab_to(studio, "button", "Create role")
    studio.page.keyboard.press("Enter")
    expect(studio.page.get_by_role("dialog", name="Create role")).to_be_visible()
    studio.page.keyboard.press("Escape")
    expect(studio.page.get_by_role("dialog")).to_have_count(0)
    expect(studio.button("Create role")).to_be_focused()
