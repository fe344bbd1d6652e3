"""Studio's first view in a browser that never saw it, and its view when the browser comes back.

    ./dev bench studio [--views 10]

The time is that of the largest contentful paint, counted from the navigation, with nothing else running.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from typing import Any

import clary
from clary.cli.installation import Installation
from clary.core.settings import load

_SHOWN = """() => new Promise((done) => new PerformanceObserver((list) => done(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true }))"""


def main() -> None:
    """Sign in once, look at Home as a new browser and as one that comes back, and print medians and spreads."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--views", type=int, default=10)
    views = parser.parse_args().views
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        sys.exit("chromium is needed: sudo apt-get install chromium")
    with clary.server() as aws, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(Installation(load(aws.home, {})).studio_link())
        page.get_by_role("heading", level=1, name="Home").wait_for()
        state = page.context.storage_state()
        page.close()
        first, again = [], []
        for _ in range(views):
            page = browser.new_context(storage_state=state).new_page()
            first.append(_view(page, f"{aws.url}/studio/"))
            again.append(_view(page, f"{aws.url}/studio/"))
            page.context.close()
        browser.close()
    _show("first view", first)
    _show("coming back", again)


def _view(page: Any, url: str) -> tuple[float, float]:
    """The milliseconds until Home shows its largest part, and the bytes that were transferred."""
    sizes: list[float] = []
    network = page.context.new_cdp_session(page)
    network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    network.send("Network.enable")
    page.goto(url, wait_until="networkidle")
    page.get_by_role("heading", level=1, name="Home").wait_for()
    return page.evaluate(_SHOWN), sum(sizes)


def _show(title: str, views: list[tuple[float, float]]) -> None:
    took = [each for each, _ in views]
    kilobytes = max(size for _, size in views) / 1024
    print(
        f"{title}: median {statistics.median(took):.0f} ms, {min(took):.0f} to {max(took):.0f} ms, "
        f"{kilobytes:.0f} KiB, {len(views)} views",
        flush=True,
    )


if __name__ == "__main__":
    main()
