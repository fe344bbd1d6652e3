"""Users and roles, as an administrator manages them in the browser."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import expect

pytestmark = pytest.mark.slow("studio")


def test_a_user_is_made_gets_a_password_and_keys_and_goes(studio: Any, contents: Any, tab: Any) -> None:
    studio.expected = ["404"]  # a user without a password has no login profile
    page = studio.page
    studio.open("/access/users")
    studio.button("Create user").click()
    page.get_by_label("Name", exact=True).fill("grace")
    studio.button("Create").click()
    expect(studio.heading("grace")).to_be_visible()

    studio.button("Set password").click()
    dialog = page.get_by_role("dialog", name="Set password")
    dialog.get_by_label("New password").fill("short")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_label("New password").fill("Better-than-that-7")
    dialog.get_by_role("button", name="Save").click()
    expect(studio.button("Reset password")).to_be_visible()
    other = tab()
    other.expected = ["400", "401", "403"]
    other.page.goto(f"{other.base}/")
    other.page.get_by_label("User name").fill("grace")
    other.page.get_by_label("Password").fill("Better-than-that-7")
    other.button("Sign in").click()
    expect(other.heading("Home")).to_be_visible()

    studio.button("Create access key").click()
    dialog = page.get_by_role("dialog", name="The new access key")
    expect(dialog.locator(".clary-mono")).to_have_count(2)
    key, secret = (each.strip() for each in dialog.locator(".clary-mono").all_inner_texts())
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_text(secret)).to_have_count(0)
    sts = boto3.client(
        "sts",
        endpoint_url=contents.server.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="us-east-1",
    )
    assert sts.get_caller_identity()["Arn"].endswith(":user/grace")
    studio.button(f"Disable {key}").click()
    expect(studio.button(f"Enable {key}")).to_be_visible()
    with pytest.raises(ClientError):
        sts.get_caller_identity()

    studio.tab("Policies")
    studio.button("Add inline policy").click()
    dialog = page.get_by_role("dialog", name="Add inline policy")
    dialog.get_by_label("Name of the policy").fill("looking")
    document = dialog.get_by_label("Document")
    document.fill("{ this is no JSON")
    expect(dialog.get_by_text("This is not JSON")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()
    document.fill('{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "*", "Resource": "*"}]}')
    studio.expected.append("400")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("MalformedPolicyDocument")).to_be_visible()
    document.fill(
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sagemaker:List*", "Resource": "*"}]}'
    )
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("rowheader", name="looking")).to_be_visible()

    studio.tab("What it may do")
    page.get_by_label("Actions").fill("sagemaker:ListModels\nsagemaker:CreateModel")
    studio.button("Simulate").click()
    expect(page.get_by_role("row", name=re.compile("sagemaker:ListModels Allowed"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("sagemaker:CreateModel Not allowed"))).to_be_visible()

    studio.button("Delete").click()
    dialog = page.get_by_role("dialog", name="Delete this user?")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("To confirm, type delete").fill("delete")
    dialog.get_by_role("button", name="Delete").click()
    expect(studio.heading("Users")).to_be_visible()
    expect(page.get_by_role("link", name="grace")).to_have_count(0)
    other.page.reload()
    expect(other.heading("Sign in to Clary Studio")).to_be_visible()


def test_a_role_is_made_trusted_and_given_a_policy(studio: Any, contents: Any) -> None:
    page = studio.page
    studio.open("/access/roles")
    studio.button("Create role").click()
    dialog = page.get_by_role("dialog", name="Create role")
    dialog.get_by_label("Name of the role").fill("Nightly")
    dialog.get_by_role("button", name="Save").click()
    expect(studio.heading("Nightly")).to_be_visible()
    page.get_by_role("button", name="Attach a managed policy").click()
    page.get_by_role("combobox", name="Find a policy").fill("AmazonS3ReadOnly")
    page.get_by_role("option", name="AmazonS3ReadOnlyAccess").click()
    expect(page.get_by_role("rowheader", name="AmazonS3ReadOnlyAccess")).to_be_visible()
    studio.tab("Trust")
    studio.button("Edit trust policy").click()
    dialog = page.get_by_role("dialog", name="Edit trust policy")
    document = dialog.get_by_label("Document")
    document.fill(document.input_value().replace("sagemaker.amazonaws.com", "lambda.amazonaws.com"))
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("lambda.amazonaws.com").first).to_be_visible()
    role = contents.server.client("iam").get_role(RoleName="Nightly")["Role"]
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "lambda.amazonaws.com"}
