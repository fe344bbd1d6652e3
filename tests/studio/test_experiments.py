"""Runs are found, sorted and compared."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")


def test_runs_are_chosen_and_compared(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open(f"/experiments/{contents.experiment}")
    expect(page.get_by_role("row", name=re.compile("run-"))).to_have_count(3)
    expect(studio.button("Compare")).to_be_disabled()
    for run in contents.runs[:2]:
        page.get_by_role("checkbox", name=f"Select {run}").check()
    studio.button("Compare 2 runs").click()
    expect(studio.heading("Compare runs")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"train:loss\. run-2: 12 points.*run-1: 12 points"))).to_be_visible()
    studio.tab("Differences")
    expect(page.get_by_role("row", name=re.compile("^Parameter rate 0.2 0.1"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^Parameter depth 3 3"))).to_be_visible()
    page.get_by_label("Only differences").check()
    expect(page.get_by_role("row", name=re.compile("^Parameter depth"))).to_have_count(0)
    studio.tab("Parameter and metric")
    expect(page.get_by_role("img", name=re.compile("rate against .*run-2: 0.2, .*run-1: 0.1, "))).to_be_visible()


def test_runs_are_filtered_and_sorted_by_the_server(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open(f"/experiments/{contents.experiment}?sort=Parameters.rate&order=Ascending")
    expect(page.get_by_role("rowheader")).to_have_text(["run-1", "run-2", "run-3"])
    found = page.get_by_role("combobox", name="Filter Runs")
    found.fill("run-2")
    found.press("Enter")
    expect(page.get_by_role("rowheader")).to_have_text(["run-2"])


def test_a_run_leads_to_its_data(studio: Any, contents: Any) -> None:
    studio.open(f"/experiments/{contents.experiment}/runs/{contents.runs[0]}?tab=artifacts")
    studio.page.get_by_role("link", name=f"s3://{contents.bucket}/data/wine.csv").click()
    expect(studio.heading("wine.csv")).to_be_visible()
