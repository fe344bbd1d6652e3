"""The test console of an endpoint, and what serves what."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect
from studio_contents import HOSTILE

pytestmark = pytest.mark.slow("studio")


def test_csv_and_json_are_sent_and_kept(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open(f"/endpoints/{contents.endpoint}?tab=test")
    page.get_by_label("Body").fill("1,2\n3,4")
    studio.button("Send").click()
    looks = page.get_by_role("group", name="How the answer is shown").or_(
        page.get_by_role("toolbar", name="How the answer is shown")
    )
    looks.get_by_role("button", name="Table").click()
    answer = page.get_by_role("table", name="The answer as a table")
    expect(answer.get_by_role("row")).to_have_count(3)
    looks.get_by_role("button", name="Raw").click()
    expect(page.get_by_label("The answer as it came")).to_have_text("[[1.0], [1.0]]")

    page.get_by_role("button", name="JSON").first.click()
    body = page.get_by_label("Body")
    body.fill("[[1, 2")
    expect(page.get_by_text("This is not JSON")).to_be_visible()
    body.fill("[[1,2],[3,4],[5,6]]")
    studio.button("Format").click()
    expect(body).to_have_value("[\n  [\n    1,\n    2\n  ],\n  [\n    3,\n    4\n  ],\n  [\n    5,\n    6\n  ]\n]")
    body.press("Control+Enter")
    history = page.get_by_role("table", name="History")
    expect(history.get_by_text("200 OK")).to_have_count(2)
    looks.get_by_role("button", name="Table").click()
    expect(answer.get_by_role("row")).to_have_count(4)
    assert studio.violations() == []

    page.reload()
    studio.settle()
    expect(history.get_by_role("row")).to_have_count(3)
    history.get_by_role("button", name="Open: request 1").click()
    expect(page.get_by_label("Body")).to_have_value("1,2\n3,4")
    history.get_by_role("button", name="Send again: request 1").click()
    expect(history.get_by_text("200 OK")).to_have_count(3)
    studio.button("Clear").click()
    expect(history.get_by_text("Requests that you send stand here")).to_be_visible()


def test_what_the_model_refuses_is_told_as_text(studio: Any, contents: Any) -> None:
    studio.expected = ["424", "415", "400", "500"]
    studio.open(f"/endpoints/{contents.endpoint}?tab=test")
    studio.page.get_by_role("button", name="Other").click()
    studio.page.get_by_label("Body").fill(HOSTILE)
    studio.page.get_by_role("combobox", name="Content type").fill("text/html")
    studio.button("Send").click()
    expect(studio.page.get_by_role("table", name="History").get_by_text("ModelError")).to_be_visible()
    assert studio.page.evaluate("[window.hacked, document.querySelectorAll('[onerror]').length]") == [None, 0]


def test_a_model_knows_where_it_is_used_however_many_configurations_there_are(studio: Any, contents: Any) -> None:
    sagemaker = contents.server.client("sagemaker")
    variant = {"VariantName": "a", "ModelName": "other", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    image = sagemaker.describe_model(ModelName=contents.model)["PrimaryContainer"]["Image"]
    sagemaker.create_model(
        ModelName="other", ExecutionRoleArn=contents.server.role_arn, PrimaryContainer={"Image": image}
    )
    names = [f"other-{number:03}" for number in range(105)]
    for name in names:
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    try:
        studio.open(f"/models/{contents.model}?tab=used")
        table = studio.page.get_by_role("table", name="Endpoint configurations")
        expect(table.get_by_role("rowheader", name=contents.endpoint_config)).to_be_visible()
        serving = studio.page.get_by_role("table", name="Endpoints that serve it")
        expect(serving.get_by_role("link", name=contents.endpoint)).to_be_visible()
    finally:
        for name in names:
            sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.delete_model(ModelName="other")


def test_many_are_deleted_at_once_and_what_came_of_it_is_told(studio: Any, contents: Any) -> None:
    sagemaker = contents.server.client("sagemaker")
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=contents.endpoint_config)["ProductionVariants"]
    for name in ("gone-1", "gone-2", "gone-3"):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
    studio.open("/endpoint-configs")
    for name in ("gone-1", "gone-2"):
        studio.page.get_by_role("checkbox", name=f"Select {name}").check()
    studio.button("Delete").click()
    dialog = studio.page.get_by_role("dialog", name="Delete 2 configurations?")
    typed = dialog.get_by_label("To confirm, type delete")
    typed.fill("delete")
    typed.press("Enter")
    expect(dialog).to_have_count(0)
    expect(studio.page.get_by_role("link", name="gone-1")).to_have_count(0)
    # What succeeded is told, and can be put away.
    message = studio.page.get_by_role("region", name="Messages")
    expect(message.get_by_text("Deleted")).to_be_visible()
    message.get_by_role("button", name="Dismiss").first.click()
    expect(message.get_by_text("Deleted")).to_have_count(0)
    # What the server refuses is told where it was asked for.
    studio.expected = ["400"]
    studio.page.get_by_role("checkbox", name="Select gone-3").check()
    studio.button("Delete").click()
    sagemaker.delete_endpoint_config(EndpointConfigName="gone-3")
    dialog = studio.page.get_by_role("dialog", name="Delete this configuration?")
    dialog.get_by_label("To confirm, type delete").fill("delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog.get_by_text("ValidationException")).to_be_visible()


def test_a_model_is_deployed_from_its_form(studio: Any, contents: Any) -> None:
    studio.open(f"/endpoints/-/deploy?model={contents.model}")
    expect(studio.heading("Deploy a model")).to_be_visible()
    assert studio.violations() == []
    name = studio.page.get_by_label("Name", exact=True)
    name.fill("not a name")
    studio.button("Deploy").click()
    expect(studio.page.get_by_text("Use letters, digits and hyphens").first).to_be_visible()
    name.fill("deployed")
    studio.button("Deploy").click()
    expect(studio.page.get_by_text("deployed answers")).to_be_visible(timeout=120_000)
    assert studio.violations() == []
    sagemaker = contents.server.client("sagemaker")
    config = sagemaker.describe_endpoint(EndpointName="deployed")["EndpointConfigName"]
    sagemaker.delete_endpoint(EndpointName="deployed")
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
