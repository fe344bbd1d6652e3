"""What the first view transfers, and what it takes to come back; ``bench/studio.py`` says how long they take."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

MOST_BYTES = 700 * 1024


def transferred(studio: Any) -> list[float]:
    """The bytes of all answers from now on, as they went over the network; the list grows."""
    sizes: list[float] = []
    network = studio.page.context.new_cdp_session(studio.page)
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    network.send("Network.enable")
    return sizes


def test_the_first_view_is_light(tab: Any, signed_in: Any, contents: Any) -> None:
    studio = tab(signed_in)
    sizes = transferred(studio)
    studio.open("/")
    expect(studio.heading("Home")).to_be_visible()
    assert 0 < sum(sizes) <= MOST_BYTES


def test_files_that_never_change_are_kept(tab: Any, signed_in: Any, contents: Any) -> None:
    studio = tab(signed_in)
    studio.open("/")
    sizes = transferred(studio)
    studio.page.reload()
    studio.settle()
    assert 0 < sum(sizes) < 100 * 1024
