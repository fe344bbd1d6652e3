"""Every page, light, dark and narrow: it shows what it should, hinders nobody, complains of nothing and asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from studio_places import PLACES, Place

pytestmark = pytest.mark.slow("studio")


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_a_page_shows_what_it_should_and_hinders_nobody(
    studio: Any, contents: Any, place: Place, screenshots: Path
) -> None:
    studio.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    studio.open(place.path.format(**contents.names))
    expect(studio.heading(place.heading.format(**contents.names)).first).to_be_visible()
    for role, label in place.shows:
        found = studio.page.get_by_role(role, name=label.format(**contents.names))
        expect(found.first).to_be_visible()
    for theme in ("light", "dark"):
        studio.page.emulate_media(color_scheme=theme)
        expect(studio.page.locator("body.awsui-dark-mode")).to_have_count(1 if theme == "dark" else 0)
        studio.page.screenshot(path=screenshots / f"{place.name}-{theme}.png")
        assert studio.violations() == [], theme
    studio.page.emulate_media(color_scheme="light")
    studio.page.set_viewport_size({"width": 768, "height": 1024})
    studio.settle()
    studio.page.screenshot(path=screenshots / f"{place.name}-narrow.png")
    assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
        "the page is wider than its window"
    )
