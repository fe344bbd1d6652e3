"""Requests for MLflow tracking servers: defaults, what is refused, and in which status what may be asked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from clary.core.errors import ConflictException, ResourceNotFound, ServiceError, ValidationException
from clary.services.sagemaker.service import app
from clary.testing.server import Server

ROLE = "arn:aws:iam::123456789012:role/ClaryExecutionRole"


class Team:
    """Requests about the tracking server ``team``."""

    def __init__(self, installation: Any) -> None:
        self.installation = installation
        self._operations = app().operations

    def ask(self, verb: str, **members: Any) -> dict[str, Any]:
        context = self.installation.context()
        operation = f"{verb}MlflowTrackingServer{'Url' if verb == 'CreatePresigned' else ''}"
        return dict(self._operations[operation](context, {"TrackingServerName": "team", **members}))

    def create(self, **members: Any) -> dict[str, Any]:
        return self.ask("Create", **({"ArtifactStoreUri": "s3://bucket/mlflow", "RoleArn": ROLE} | members))

    def set_status(self, status: str) -> None:
        with self.installation.database.write() as transaction:
            record = transaction.by_arn("arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team")
            record.status = status
            transaction.update(record)

    def status(self) -> str:
        return str(self.ask("Describe")["TrackingServerStatus"])


@pytest.fixture
def team(installation: Any) -> Team:
    return Team(installation)


def test_a_server_has_defaults(team: Team) -> None:
    arn = team.create()["TrackingServerArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team"
    shown = team.ask("Describe")
    assert {name: shown[name] for name in shown if not name.startswith(("Created", "LastModified", "Creation"))} == {
        "TrackingServerArn": arn,
        "TrackingServerName": "team",
        "ArtifactStoreUri": "s3://bucket/mlflow",
        "RoleArn": ROLE,
        "TrackingServerSize": "Small",
        "MlflowVersion": "3.17.2",
        "AutomaticModelRegistration": False,
        "WeeklyMaintenanceWindowStart": "Sun:03:00",
        "S3BucketOwnerAccountId": "123456789012",
        "S3BucketOwnerVerification": True,
        "TrackingServerStatus": "Creating",
        "IsActive": "Inactive",
        "TrackingServerUrl": shown["TrackingServerUrl"],
    }
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/_clary/mlflow/t-[0-9a-f]{16}", shown["TrackingServerUrl"])


def test_servers_are_listed(team: Team) -> None:
    team.create(MlflowVersion="3.0")
    team.create(TrackingServerName="other")
    listed = app().operations["ListMlflowTrackingServers"]

    def names(**asked: Any) -> list[str]:
        rows = listed(team.installation.context(), asked)["TrackingServerSummaries"]
        return [row["TrackingServerName"] for row in rows]

    assert names() == ["other", "team"]
    assert names(MlflowVersion="3.0") == ["team"]
    assert names(TrackingServerStatus="Created") == []
    assert names(SortBy="Name", SortOrder="Ascending") == ["other", "team"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ArtifactStoreUri": "https://bucket.s3.amazonaws.com/mlflow"}, "ArtifactStoreUri must be an S3 URI"),
        ({"MlflowVersion": "1.30.0"}, "MLflow version 1.30.0 is not supported"),
        ({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}, "Could not assume role"),
    ],
)
def test_what_cannot_be_is_refused(team: Team, members: dict[str, str], message: str) -> None:
    with pytest.raises(ValidationException, match=message):
        team.create(**members)
    with pytest.raises(ResourceNotFound):
        team.status()


def test_a_role_that_does_not_trust_sagemaker_is_refused(clary_aws: Server) -> None:
    iam = clary_aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="untrusting", AssumeRolePolicyDocument=json.dumps({"Statement": trust}))
    role = iam.get_role(RoleName="untrusting")["Role"]["Arn"]
    sagemaker = clary_aws.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="Could not assume role"):
        sagemaker.create_mlflow_tracking_server(
            TrackingServerName="team", ArtifactStoreUri="s3://bucket/mlflow", RoleArn=role
        )
    assert sagemaker.list_mlflow_tracking_servers()["TrackingServerSummaries"] == []


@pytest.mark.parametrize(
    ("verb", "status", "then"),
    [
        ("Stop", "Created", "Stopping"),
        ("Stop", "Updated", "Stopping"),
        ("Stop", "Creating", None),
        ("Stop", "Stopped", None),
        ("Start", "Stopped", "Starting"),
        ("Start", "StartFailed", "Starting"),
        ("Start", "Started", None),
        ("Start", "Stopping", None),
        ("Update", "Started", "Updating"),
        ("Update", "UpdateFailed", "Updating"),
        ("Update", "Stopped", None),
        ("Update", "Updating", None),
        ("Delete", "Creating", "Deleting"),
        ("Delete", "Started", "Deleting"),
        ("Delete", "CreateFailed", "Deleting"),
        ("Delete", "Deleting", "Deleting"),
    ],
)
def test_what_may_be_asked_in_which_status(team: Team, verb: str, status: str, then: str | None) -> None:
    team.create()
    team.set_status(status)
    if then is None:
        with pytest.raises(ConflictException, match=f"Cannot {verb.lower()} .* in status {status}"):
            team.ask(verb)
    else:
        team.ask(verb)
    assert team.status() == (then or status)


def test_an_update_says_what_changes(team: Team) -> None:
    team.create()
    team.set_status("Created")
    with pytest.raises(ValidationException, match="S3 URI"):
        team.ask("Update", ArtifactStoreUri="https://elsewhere/")
    team.ask("Update", TrackingServerSize="Medium", WeeklyMaintenanceWindowStart="Mon:01:00")
    shown = team.ask("Describe")
    assert (shown["TrackingServerSize"], shown["WeeklyMaintenanceWindowStart"]) == ("Medium", "Mon:01:00")
    assert shown["ArtifactStoreUri"] == "s3://bucket/mlflow"


def test_a_presigned_url_needs_a_server_that_is_up(team: Team) -> None:
    team.create()
    with pytest.raises(ValidationException, match="is not active: it is in status Creating"):
        team.ask("CreatePresigned")
    team.set_status("Created")
    url = team.ask("CreatePresigned")["AuthorizedUrl"]
    assert re.fullmatch(r"http://t-[0-9a-f]{16}\.localhost:\d+/auth\?authToken=[0-9a-f]{48}", url)
    with pytest.raises(ServiceError, match="does not exist"):
        team.ask("CreatePresigned", TrackingServerName="nobody")
