"""How people come in, and how they do not."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from studio_contents import PASSWORD

pytestmark = pytest.mark.slow("studio")


def test_a_link_signs_in_once(tab: Any, studio_server: Any, one_time_link: Any) -> None:
    address = one_time_link(studio_server)
    first = tab()
    first.page.goto(address)
    expect(first.heading("Home")).to_be_visible()
    assert "ticket" not in first.page.url
    second = tab()
    second.expected = ["403", "401"]
    second.page.goto(address)
    expect(second.heading("Sign in to Clary Studio")).to_be_visible()
    expect(second.page.get_by_text("This link was used already")).to_be_visible()


def test_a_wrong_password_is_told_and_the_right_one_opens(tab: Any, contents: Any) -> None:
    studio = tab()
    studio.expected = ["401", "403"]
    studio.page.goto(f"{studio.base}/")
    expect(studio.heading("Sign in to Clary Studio")).to_be_visible()
    assert studio.violations() == []
    name, password = studio.page.get_by_label("User name"), studio.page.get_by_label("Password")
    name.fill(contents.user)
    password.fill("wrong")
    studio.button("Sign in").click()
    expect(studio.page.get_by_text("The user name or the password is wrong.")).to_be_visible()
    expect(password).to_have_value("")
    password.fill(PASSWORD)
    password.press("Enter")
    expect(studio.heading("Home")).to_be_visible()


def test_signing_out_ends_the_session(tab: Any, contents: Any) -> None:
    studio = tab()
    studio.expected = ["401", "403"]
    studio.page.goto(f"{studio.base}/experiments")
    studio.page.get_by_label("User name").fill(contents.user)
    studio.page.get_by_label("Password").fill(PASSWORD)
    studio.button("Sign in").click()
    expect(studio.heading("Experiments")).to_be_visible()
    studio.page.get_by_role("button", name=contents.user).click()
    studio.page.get_by_role("menuitem", name="Sign out").click()
    expect(studio.heading("Sign in to Clary Studio")).to_be_visible()
    studio.page.goto(f"{studio.base}/experiments")
    expect(studio.heading("Sign in to Clary Studio")).to_be_visible()
