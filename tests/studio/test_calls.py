"""The trail of calls in the browser."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")


def test_a_call_is_found_by_its_user_and_read(studio: Any, contents: Any) -> None:
    contents.server.client("sqs").create_queue(QueueName="calls-of-studio")
    page = studio.page
    studio.open("/calls")
    expect(studio.heading("Calls")).to_be_visible()
    row = page.get_by_role("row").filter(has_text="calls-of-studio")
    expect(row).to_contain_text("administrator")
    expect(row).to_contain_text("Done")
    row.get_by_role("button", name="CreateQueue").click()
    record = json.loads(page.get_by_role("dialog").get_by_label("the record", exact=True).inner_text())
    assert record["requestParameters"] == {"queueName": "calls-of-studio"}
    page.keyboard.press("Escape")

    studio.open("/calls?by=EventName&value=CreateQueue")
    expect(page.get_by_role("row").filter(has_text="calls-of-studio")).to_be_visible()
    page.get_by_label("Value").fill("NoSuchOperation")
    page.get_by_label("Value").press("Enter")
    expect(page.get_by_text("No such call was made in this time and region")).to_be_visible()
    assert studio.violations() == []
