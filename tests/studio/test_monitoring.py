"""What endpoints measure is shown: percentiles of latency, errors, and requests, by variant."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

MEASURED_MS = 60_000
"""How long what was measured may take to be shown: charts look every ten seconds."""


def test_latency_is_shown_by_variant_and_percentile(studio: Any, contents: Any, screenshots: Path) -> None:
    runtime = contents.server.client("sagemaker-runtime")
    for number in range(40):
        runtime.invoke_endpoint(
            EndpointName=contents.shared_endpoint,
            ContentType="text/csv",
            Body=b"1,2",
            TargetVariant="green" if number % 4 == 0 else "blue",
        )
    with pytest.raises(ClientError):
        runtime.invoke_endpoint(
            EndpointName=contents.shared_endpoint, ContentType="text/html", Body=b"?", TargetVariant="blue"
        )
    studio.open(f"/endpoints/{contents.shared_endpoint}?range=900")
    page = studio.page
    for chart in ("Model latency", "Overhead latency"):
        for curve in ("blue p50", "blue p90", "blue p99", "green p99"):
            shown = page.get_by_role("img", name=re.compile(rf"{chart}.*{curve}: [1-9]"))
            expect(shown).to_be_visible(timeout=MEASURED_MS)
    for chart in ("Requests", "Requests an instance"):
        expect(page.get_by_role("img", name=re.compile(rf"^{chart}\. blue: \d+ points"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"^Errors\. blue [45]xx: \d+ points"))).to_be_visible()

    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=screenshots / f"endpoint-monitoring-{theme}.png", full_page=True)

    page.get_by_role("button", name=re.compile("^Variant")).click()
    page.get_by_role("option", name="green").click()
    expect(page.get_by_role("img", name=re.compile(r"^Model latency \(ms\)\. p50: [1-9]"))).to_be_visible()
    assert studio.violations() == []
