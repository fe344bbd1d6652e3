"""Roles for personas and ML activities, as an administrator makes them in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")

PASSWORD = "Better-than-that-7"


@pytest.fixture
def iam(studio_server: Any) -> Iterator[Any]:
    """A client, that removes afterwards what a test has made."""
    client = studio_server.client("iam")
    yield client
    for role in [each["RoleName"] for each in client.list_roles()["Roles"]]:
        if role.startswith("sagemaker-"):
            for policy in client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
                client.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
            client.delete_role(RoleName=role)
    for policy in client.list_policies(Scope="Local", PathPrefix="/service-role/")["Policies"]:
        client.delete_policy(PolicyArn=policy["Arn"])


def own_policies(iam: Any) -> set[str]:
    return {each["PolicyName"] for each in iam.list_policies(Scope="Local", PathPrefix="/service-role/")["Policies"]}


def look(studio: Any, screenshots: Path, name: str) -> None:
    """Nothing on the page hinders anybody, light, dark and narrow."""
    for theme in ("light", "dark"):
        studio.page.emulate_media(color_scheme=theme)
        expect(studio.page.locator("body.awsui-dark-mode")).to_have_count(1 if theme == "dark" else 0)
        studio.page.screenshot(path=screenshots / f"{name}-{theme}.png")
        assert studio.violations() == [], theme
    studio.page.emulate_media(color_scheme="light")
    studio.page.set_viewport_size({"width": 768, "height": 1024})
    assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    studio.page.screenshot(path=screenshots / f"{name}-narrow.png")
    studio.page.set_viewport_size({"width": 1440, "height": 900})


def begin(studio: Any, name: str, persona: str) -> None:
    """Fill in the first step and go on."""
    studio.open("/role-manager/create")
    studio.page.get_by_label("Name", exact=True).fill(name)
    studio.page.get_by_role("radio", name=persona).check()
    studio.button("Next").click()
    expect(studio.heading("Configure ML activities")).to_be_visible()


def test_a_role_of_each_step_is_made_and_deleted(studio: Any, studio_server: Any, iam: Any, screenshots: Path) -> None:
    page = studio.page
    studio.open("/role-manager")
    expect(page.get_by_text("No role has been made here yet")).to_be_visible()
    studio.button("Create role").click()
    expect(studio.heading("Enter role information")).to_be_visible()
    studio.button("Next").click()
    expect(page.get_by_text("A role needs a name")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("bad name")
    studio.button("Next").click()
    expect(page.get_by_text("bad name: it must be 1 to 54 letters")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("science")
    page.get_by_role("radio", name="Data Scientist").check()
    page.get_by_role("checkbox", name="VPC customization").check()
    page.get_by_label("Subnets").fill("subnet-1\nsubnet-2")
    studio.button("Next").click()
    expect(page.get_by_text("At least one is needed")).to_be_visible()
    page.get_by_label("Security groups").fill("sg-1")
    look(studio, screenshots, "role-manager-information")
    studio.button("Next").click()

    expect(studio.heading("Configure ML activities")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Manage ML Jobs")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Manage Endpoints")).not_to_be_checked()
    page.get_by_role("checkbox", name="Run Studio Applications").uncheck()
    studio.button("Next").click()
    expect(page.get_by_text("At least one is needed")).to_have_count(2)
    page.get_by_label("S3 buckets").fill("Science")
    studio.button("Next").click()
    expect(page.get_by_text("Science: it must be the name of a bucket")).to_be_visible()
    page.get_by_label("S3 buckets").fill("science")
    page.get_by_role("button", name=re.compile("^Roles to pass")).click()
    page.get_by_role("option", name="ClaryExecutionRole").click()
    page.keyboard.press("Escape")
    look(studio, screenshots, "role-manager-activities")
    studio.button("Next").click()

    expect(studio.heading(re.compile("Add policies and tags"))).to_be_visible()
    page.get_by_role("button", name=re.compile("^Managed policies")).click()
    page.get_by_role("combobox", name="Find a policy").fill("CloudWatchLogsRead")
    page.get_by_role("option", name="CloudWatchLogsReadOnlyAccess").click()
    page.keyboard.press("Escape")
    studio.button("Add new tag").click()
    page.get_by_role("combobox", name="Key").fill("team")
    page.get_by_role("combobox", name="Value").fill("science")
    page.keyboard.press("Escape")
    look(studio, screenshots, "role-manager-policies")
    studio.button("Next").click()

    expect(studio.heading("Review role")).to_be_visible()
    expect(page.get_by_text("subnet-1, subnet-2")).to_be_visible()
    studio.button("Manage ML Jobs", exact=False).click()
    shown = json.loads(page.locator("pre:visible").inner_text())
    assert shown["Statement"][0]["Condition"]["Null"]["sagemaker:VpcSubnets"] == "false"
    look(studio, screenshots, "role-manager-review")
    assert own_policies(iam) == set()
    studio.button("Create role").click()

    expect(studio.heading("Role created")).to_be_visible()
    arn = f"arn:aws:iam::{studio_server.account}:role/sagemaker-science"
    expect(page.get_by_text(arn)).to_be_visible()
    expect(studio.button(f"Copy {arn}")).to_be_visible()
    look(studio, screenshots, "role-manager-created")
    role = iam.get_role(RoleName="sagemaker-science")["Role"]
    assert role["Tags"] == [{"Key": "team", "Value": "science"}]
    attached = iam.list_attached_role_policies(RoleName="sagemaker-science")["AttachedPolicies"]
    assert len(attached) == 6
    (jobs,) = [each["PolicyArn"] for each in attached if "CommonJob" in each["PolicyName"]]
    assert iam.get_policy_version(PolicyArn=jobs, VersionId="v1")["PolicyVersion"]["Document"] == shown

    page.get_by_role("link", name="Ask the policy simulator").click()
    page.get_by_label("Actions").fill("sagemaker:StopTrainingJob\niam:CreateRole")
    page.get_by_role("textbox", name="Resource", exact=True).fill(
        f"arn:aws:sagemaker:us-east-1:{studio_server.account}:training-job/j"
    )
    studio.button("Simulate").click()
    expect(page.get_by_role("row", name=re.compile("sagemaker:StopTrainingJob Allowed"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("iam:CreateRole Not allowed"))).to_be_visible()

    studio.open("/role-manager")
    expect(page.get_by_role("link", name="sagemaker-science")).to_be_visible()
    look(studio, screenshots, "role-manager")
    page.get_by_role("checkbox", name="Select sagemaker-science").check()
    studio.button("Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this role?")
    dialog.get_by_label("To confirm, type delete").fill("delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No role has been made here yet")).to_be_visible()
    assert own_policies(iam) == set()


def test_a_refusal_stands_where_it_belongs_and_nothing_is_left(studio: Any, iam: Any) -> None:
    studio.expected = ["400", "409"]
    page = studio.page
    begin(studio, "compute", "SageMaker Compute Role")
    buckets = page.get_by_label("S3 buckets")
    buckets.fill("\n".join(f"{'a' * 58}{number:02}" for number in range(99)))
    studio.button("Next").click()
    studio.button("Next").click()
    # Which only the server knows: the page goes back to the step.
    expect(page.get_by_text(re.compile("99 values .* longer than 6144 characters"))).to_be_visible()
    buckets.fill("science")
    # The last policy of the role is taken, so that the first of them has to be taken back.
    page.get_by_role("checkbox", name="S3 Full Access").check()
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    taken = "SageMakerS3AllResourcesPolicyTemplate_compute"
    iam.create_policy(PolicyName=taken, Path="/service-role/", PolicyDocument=document)
    studio.button("Next").click()
    studio.button("Next").click()
    studio.button("Create role").click()
    expect(page.get_by_text("EntityAlreadyExists").first).to_be_visible()
    assert studio.violations() == []
    assert own_policies(iam) == {taken}
    studio.button("Previous").click()
    expect(page.get_by_text("EntityAlreadyExists")).to_have_count(0)
    studio.button("Previous").click()
    expect(buckets).to_have_value("science")


def test_who_may_not_make_roles_is_told_so(studio: Any, tab: Any, iam: Any) -> None:
    iam.create_user(UserName="linus")
    iam.create_login_profile(UserName="linus", Password=PASSWORD)
    try:
        other = tab()
        other.expected = ["401", "403"]
        other.page.goto(f"{other.base}/")
        other.page.get_by_label("User name").fill("linus")
        other.page.get_by_label("Password").fill(PASSWORD)
        other.button("Sign in").click()
        expect(other.heading("Home")).to_be_visible()
        begin(other, "mine", "Custom role settings")
        other.page.get_by_role("checkbox", name="S3 Full Access").check()
        other.button("Next").click()
        other.button("Next").click()
        other.button("Create role").click()
        expect(other.page.get_by_text(re.compile("not authorized to perform: iam:CreatePolicy")).first).to_be_visible()
        assert own_policies(iam) == set()
    finally:
        iam.delete_login_profile(UserName="linus")
        iam.delete_user(UserName="linus")


def test_a_role_is_made_without_a_mouse(studio: Any, iam: Any) -> None:
    page = studio.page
    keys = page.keyboard
    studio.open("/role-manager/create")

    def to(role: str, name: str) -> None:
        wanted = page.get_by_role(role, name=name, exact=role == "button").first
        expect(wanted).to_be_visible()
        for _ in range(80):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            keys.press("Tab")
        pytest.fail(f"the {role} {name!r} is not reached by Tab")

    to("textbox", "Name")
    keys.type("keys")
    # Of a group of radio buttons one is a stop, here the one that is chosen; arrows choose another.
    to("radio", "Custom role settings")
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    expect(page.get_by_role("radio", name="MLOps")).to_be_checked()
    to("button", "Next")
    keys.press("Enter")
    expect(studio.heading("Configure ML activities")).to_be_visible()
    for activity in ("Manage Models", "Manage Pipelines"):
        to("checkbox", activity)
        keys.press("Space")
        expect(page.get_by_role("checkbox", name=activity)).not_to_be_checked()
    for heading in ("Add policies and tags", "Review role"):
        to("button", "Next")
        keys.press("Enter")
        expect(studio.heading(re.compile(heading))).to_be_visible()
    to("button", "Create role")
    keys.press("Enter")
    expect(studio.heading("Role created")).to_be_visible()
    assert own_policies(iam) == {
        "SM_StudioAppPermissions_keys",
        "SM_EndpointDeployment_keys",
        "SM_ExperimentsVisualization_keys",
    }
