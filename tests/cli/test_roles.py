"""``clary roles``: what it lists, what it makes, and that nothing half made is left."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from clary.cli import roles
from clary.cli.client import ApiError, Client
from clary.cli.installation import Installation
from clary.core.settings import load
from clary.testing.server import Server

BOUNDARY = "arn:aws:iam::aws:policy/PowerUserAccess"


@pytest.fixture
def iam(clary_server: Server) -> Iterator[Any]:
    yield clary_server.client("iam")
    clary_server.reset()


@pytest.fixture
def client(clary_server: Server) -> Client:
    return Installation(load(clary_server.home, {})).client()


def clary(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clary.cli", "roles", *words, "--home", str(server.home)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def done(server: Server, *words: str) -> str:
    ended = clary(server, *words)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def own_policies(iam: Any) -> list[str]:
    return [each["PolicyName"] for each in iam.list_policies(Scope="Local")["Policies"]]


def role_names(iam: Any) -> list[str]:
    return [each["RoleName"] for each in iam.list_roles()["Roles"]]


def test_what_roles_are_made_of_is_listed(clary_server: Server) -> None:
    shown = done(clary_server, "personas")
    assert "data-scientist  Data Scientist" in shown
    shown = done(clary_server, "activities")
    (line,) = [line for line in shown.splitlines() if line.startswith("access-aws-services ")]
    assert line.endswith("--bucket [--repository]")
    assert len(json.loads(done(clary_server, "activities", "--json"))) == 16
    assert json.loads(done(clary_server, "personas", "--json"))[1]["Name"] == "mlops"


def test_a_role_is_made_shown_and_deleted(clary_server: Server, iam: Any) -> None:
    compute = done(clary_server, "create", "compute", "--persona", "compute", "--bucket", "science").strip()
    assert compute == f"arn:aws:iam::{clary_server.account}:role/sagemaker-compute"
    words = ["create", "ada", "--persona", "data-scientist", "--bucket", "science", "--bucket", "models"]
    words += ["--pass-role", "sagemaker-compute", "--description", "Ada's", "--tag", "team=a=b", "--tag", "cost="]
    words += [
        "--permissions-boundary",
        BOUNDARY,
        "--policy-arn",
        "arn:aws:iam::aws:policy/CloudWatchLogsReadOnlyAccess",
    ]
    documents = json.loads(done(clary_server, *words, "--print"))
    assert documents["RoleName"] == "sagemaker-ada"
    assert role_names(iam) == ["ClaryExecutionRole", "sagemaker-compute"]

    assert json.loads(done(clary_server, *words, "--json"))["Arn"].endswith(":role/sagemaker-ada")
    role = iam.get_role(RoleName="sagemaker-ada")["Role"]
    assert role["Description"] == "Ada's"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert {tag["Key"]: tag["Value"] for tag in role["Tags"]} == {"team": "a=b", "cost": ""}
    assert role["AssumeRolePolicyDocument"] == documents["TrustPolicy"]
    attached = iam.list_attached_role_policies(RoleName="sagemaker-ada")["AttachedPolicies"]
    assert {each["PolicyName"] for each in attached} == {
        "CloudWatchLogsReadOnlyAccess",
        *(each["PolicyName"] for each in documents["Policies"]),
    }
    (jobs,) = [each for each in attached if each["PolicyName"] == "SM_CommonJobManagement_ada"]
    assert jobs["PolicyArn"] == f"arn:aws:iam::{clary_server.account}:policy/service-role/SM_CommonJobManagement_ada"
    stored = iam.get_policy_version(PolicyArn=jobs["PolicyArn"], VersionId="v1")["PolicyVersion"]["Document"]
    assert stored == documents["Policies"][1]["Document"]
    assert stored["Statement"][-1]["Resource"] == [compute]

    assert "deleted sagemaker-ada\n" in done(clary_server, "delete", "sagemaker-ada")
    assert role_names(iam) == ["ClaryExecutionRole", "sagemaker-compute"]
    assert own_policies(iam) == ["SM_ComputeExecutionRole_compute"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["create", "ada"], "at 'Activities'"),
        (["create", "ada", "--persona", "boss"], "at 'Persona'"),
        (
            ["create", "ada", "--persona", "compute"],
            "'Access Required AWS Services' needs at least one of 'S3 buckets'",
        ),
        (["create", "ada", "--persona", "compute", "--bucket", "*"], "Value '*' at 'S3Buckets'"),
        (["create", "a b", "--activity", "s3-full-access"], "Value 'a b' at 'Name'"),
        (["create", "ada", "--activity", "s3-full-access", "--tag", "team"], "not a tag: 'team'"),
        (["create", "ada", "--activity", "s3-full-access", "--policy-arn", "x"], "Value 'x' at 'PolicyArns'"),
        (["delete", "ClaryExecutionRole"], "was not made by the role manager"),
        (["delete", "sagemaker-nobody"], "NoSuchEntity"),
    ],
    ids=lambda value: "-".join(value).replace("*", "all") if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence(clary_server: Server, words: list[str], told: str) -> None:
    ended = clary(clary_server, *words)
    assert ended.returncode != 0
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_what_fails_leaves_nothing(clary_server: Server, iam: Any, client: Client) -> None:
    wish = {"Name": "ada", "Persona": "mlops", "Parameters": {"PassRoles": [clary_server.role_arn]}}
    documents = roles.documents(client, wish)
    before = role_names(iam)
    # A policy that is not there fails at the last step, a boundary that is none in the middle, a name that is taken
    # at a later policy.
    with pytest.raises(ApiError, match="NoSuchEntity"):
        roles.create(client, {**documents, "PolicyArns": ["arn:aws:iam::aws:policy/Nothing"]})
    assert (role_names(iam), own_policies(iam)) == (before, [])
    with pytest.raises(ApiError):
        roles.create(client, documents, boundary="arn:aws:iam::aws:policy/Nothing")
    assert (role_names(iam), own_policies(iam)) == (before, [])
    taken = documents["Policies"][3]
    iam.create_policy(PolicyName=taken["PolicyName"], PolicyDocument=json.dumps(taken["Document"]))
    with pytest.raises(ApiError, match="EntityAlreadyExists"):
        roles.create(client, documents)
    assert (role_names(iam), own_policies(iam)) == (before, [taken["PolicyName"]])


def test_who_may_not_make_roles_gets_documents_only(clary_server: Server, iam: Any) -> None:
    installation = Installation(load(clary_server.home, {}))
    iam.create_user(UserName="grace")
    key = iam.create_access_key(UserName="grace")["AccessKey"]
    from clary.cli.client import Credentials

    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    client = Client(clary_server.url, credentials, installation.settings.region)
    documents = roles.documents(client, {"Name": "grace", "Activities": ["s3-full-access"]})
    with pytest.raises(ApiError, match="AccessDenied"):
        roles.create(client, documents)
    assert own_policies(iam) == []


def test_an_unsigned_request_is_refused(clary_server: Server) -> None:
    import urllib.error
    import urllib.request

    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{clary_server.url}/_clary/role-manager")
