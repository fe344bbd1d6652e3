"""MLflow tracking servers: real ones, as MLflow's own client and AWS's plugin for it use them, unmodified."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from parity_lab import eventually
from playwright.sync_api import Browser, sync_playwright

from clary.cli.installation import Installation
from clary.compute.isolation.select import ISOLATIONS, availability
from clary.core.settings import load
from clary.testing.server import Server, server

pytestmark = [pytest.mark.slow("mlflow"), pytest.mark.timeout(600)]

LOG = """
import mlflow, sys
mlflow.set_experiment("wines")
with mlflow.start_run(run_name=sys.argv[1]) as run:
    mlflow.log_params({"depth": 3, "rate": 0.1})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("all well", "notes/today.txt")
    mlflow.log_dict({"a": [1, 2]}, "settings.json")
print(run.info.run_id)
"""
FURTHER = """
import mlflow, sys
client = mlflow.MlflowClient()
client.create_model_version("wine quality", client.get_run(sys.argv[1]).info.artifact_uri + "/notes", sys.argv[1])
"""
READ = """
import json, mlflow, sys
run = mlflow.get_run(sys.argv[1])
history = [[m.step, m.value] for m in mlflow.MlflowClient().get_metric_history(sys.argv[1], "loss")]
print(json.dumps({
    "name": run.info.run_name, "artifacts": run.info.artifact_uri, "params": run.data.params, "history": history,
    "files": sorted(each.path for each in mlflow.artifacts.list_artifacts(run_id=sys.argv[1])),
    "text": mlflow.artifacts.load_text(f"runs:/{sys.argv[1]}/notes/today.txt"),
    "found": [each.info.run_id for each in mlflow.search_runs(
        experiment_names=["wines"], filter_string="params.depth = '3'", output_format="list")],
}))
"""
REGISTER = """
import mlflow, sys
client = mlflow.MlflowClient()
run = client.get_run(sys.argv[1])
client.create_registered_model("wine quality")
for number in range(2):
    source = run.info.artifact_uri + "/notes"
    version = client.create_model_version("wine quality", source, sys.argv[1], description=f"try {number}")
print(version.version)
"""


class Team:
    """The tracking server ``team``, and clients of it."""

    def __init__(self, aws: Server, client: Any) -> None:
        self.aws = aws
        self.sagemaker = aws.client("sagemaker")
        self._client = client
        aws.client("s3").create_bucket(Bucket="teams")
        self.arn = self.sagemaker.create_mlflow_tracking_server(
            TrackingServerName="team",
            ArtifactStoreUri="s3://teams/artifacts/",
            RoleArn=aws.role_arn,
            AutomaticModelRegistration=True,
        )["TrackingServerArn"]
        self.await_status("Created")
        self.runs = [self.python(LOG, "first").strip().splitlines()[-1]]

    def python(self, code: str, *words: str, role: str = "ClaryExecutionRole", **variables: str) -> str:
        """Run code with MLflow's client as ``role``; gives what it prints."""
        return str(self._client.run(self.aws, "python", "-c", code, *words, role=role, **self._where(variables)))

    def refused(self, code: str, *words: str, role: str = "ClaryExecutionRole", **variables: str) -> str:
        """The same where it fails; gives the error."""
        done = self._client.start(self.aws, "python", "-c", code, *words, role=role, **self._where(variables))
        assert done.returncode != 0, done.stdout
        return str(done.stderr)

    def _where(self, variables: dict[str, str]) -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": self.arn, "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2"} | variables

    def read(self, run: str = "") -> dict[str, Any]:
        """What is known of a run, the first one unless another is named."""
        return dict(json.loads(self.python(READ, run or self.runs[0])))

    def shown(self) -> dict[str, Any]:
        return dict(self.sagemaker.describe_mlflow_tracking_server(TrackingServerName="team"))

    def await_status(self, status: str) -> None:
        def look() -> bool:
            now = self.shown()["TrackingServerStatus"]
            assert now in (status, "Creating", "Starting", "Stopping", "Updating"), (now, self.log())
            return bool(now == status)

        eventually(look, f"the tracking server is {status}")

    @property
    def job(self) -> Path:
        return next((self.aws.home / "jobs").glob("MlflowTrackingServer-*"))

    @property
    def volume(self) -> Path:
        return next((self.aws.home / "volumes").iterdir())

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = (self.job / "events.jsonl").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def log(self) -> str:
        events = self.aws.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/MlflowTrackingServers", logStreamNamePrefix="team"
        )["events"]
        return "\n".join(event["message"] for event in events)


@pytest.fixture(scope="module")
def team(client_environment: Callable[[str], Any]) -> Iterator[Team]:
    with server() as aws:
        yield Team(aws, client_environment("mlflow"))


def test_what_is_logged_is_read_back(team: Team) -> None:
    run = team.runs[0]
    assert team.read() == {
        "name": "first",
        "artifacts": f"s3://teams/artifacts/1/{run}/artifacts",
        "params": {"depth": "3", "rate": "0.1"},
        "history": [[step, 1 / (step + 1)] for step in range(5)],
        "files": ["notes", "settings.json"],
        "text": "all well",
        "found": [run],
    }
    stored = team.aws.client("s3").get_object(Bucket="teams", Key=f"artifacts/1/{run}/artifacts/notes/today.txt")
    assert stored["Body"].read() == b"all well"
    shown = team.shown()
    assert (shown["IsActive"], shown["MlflowVersion"]) == ("Active", "3.17.2")
    assert "Application startup complete" in team.log()


def test_mlflow_signs_by_itself_for_the_url_of_describe(team: Team) -> None:
    itself = {"MLFLOW_TRACKING_URI": team.shown()["TrackingServerUrl"], "MLFLOW_TRACKING_AWS_SIGV4": "true"}
    run = team.python(LOG, "signed", **itself).strip().splitlines()[-1]
    assert team.read(run)["name"] == "signed"


def test_who_may_not_is_refused(team: Team) -> None:
    iam = team.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": team.aws.account}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="Guest", AssumeRolePolicyDocument=json.dumps({"Statement": trust}))
    error = team.refused(READ, team.runs[0], role="Guest")
    assert "PERMISSION_DENIED" in error
    assert "is not authorized to perform: sagemaker-mlflow:GetRun" in error
    reading = ["sagemaker-mlflow:Get*", "sagemaker-mlflow:Search*", "sagemaker-mlflow:ListArtifacts"]
    allowed = [
        {"Effect": "Allow", "Action": reading, "Resource": team.arn},
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
    ]
    iam.put_role_policy(RoleName="Guest", PolicyName="read", PolicyDocument=json.dumps({"Statement": allowed}))
    assert json.loads(team.python(READ, team.runs[0], role="Guest"))["text"] == "all well"
    error = team.refused(LOG, "guest", role="Guest")
    assert "is not authorized to perform: sagemaker-mlflow:CreateRun" in error


def test_registered_models_are_in_the_registry(team: Team) -> None:
    assert team.python(REGISTER, team.runs[0]).strip() == "2"
    group = f"wine-quality-{hashlib.sha256(b'team').hexdigest()[:6]}"

    def packages() -> list[str]:
        rows = team.sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        return sorted(row["ModelPackageArn"] for row in rows)

    eventually(lambda: len(packages()) == 2, "both versions are in the registry", 60)
    shown = team.sagemaker.describe_model_package(ModelPackageName=packages()[1])
    assert shown["SourceUri"] == f"s3://teams/artifacts/1/{team.runs[0]}/artifacts/notes"
    assert shown["ModelApprovalStatus"] == "PendingManualApproval"
    assert shown["ModelPackageDescription"] == "try 1"
    assert shown["MetadataProperties"] == {"GeneratedBy": team.arn}
    assert shown["CustomerMetadataProperties"] == {
        "mlflow.model": "wine quality",
        "mlflow.version": "2",
        "mlflow.run_id": team.runs[0],
    }
    assert shown["CreatedBy"]["IamIdentity"]["Arn"].endswith("assumed-role/ClaryExecutionRole/SageMaker")
    # It is looked again, as a further version shows, and nothing is made twice.
    team.python(FURTHER, team.runs[0])
    eventually(lambda: len(packages()) > 2, "the third version is in the registry", 60)
    made = [team.sagemaker.describe_model_package(ModelPackageName=arn) for arn in packages()]
    assert [each["CustomerMetadataProperties"]["mlflow.version"] for each in made] == ["1", "2", "3"]


def test_a_killed_server_comes_back(team: Team) -> None:
    running = team.events("running")[-1]
    os.kill(running["pid"], signal.SIGKILL)
    eventually(lambda: team.events("running")[-1]["pid"] != running["pid"], "the server is started again")
    # MLflow's client tries again meanwhile.
    assert team.python(READ, team.runs[0], MLFLOW_HTTP_REQUEST_MAX_RETRIES="7")
    assert team.shown()["TrackingServerStatus"] == "Created"
    agent = int((team.job / "lock").read_text().split()[0])
    os.kill(agent, signal.SIGKILL)
    eventually(lambda: (team.job / "lock").read_text().split()[:1] not in ([], [str(agent)]), "another agent is there")
    eventually(lambda: team.events("serving"), "the server is up again")
    assert team.read()["text"] == "all well"


def test_the_server_has_no_secrets_of_the_platform(team: Team) -> None:
    home = team.aws.home
    secrets = [json.loads((home / "secrets" / "administrator.json").read_text())["SecretAccessKey"].encode()]
    secrets.append((home / "secrets" / "master.key").read_bytes())
    sandboxed, started = availability("bubblewrap")[0], team.events("running")[-1]["pid"]
    process = Path("/proc") / str(ISOLATIONS["bubblewrap"].main_process(started) if sandboxed else started)
    environment = (process / "environ").read_bytes()
    assert b"CLARY_TRACKING_FOLDER=" in environment
    for each in (environment, team.log().encode(), *(file.read_bytes() for file in team.volume.iterdir())):
        assert not any(secret in each for secret in secrets)
    if sandboxed:
        inside = process / "root"
        assert [file.name for file in (inside / "var/lib/mlflow").glob("*.db")] == ["mlflow.db"]
        assert not (inside / str(home).lstrip("/")).exists()


def test_a_stopped_server_keeps_everything(team: Team) -> None:
    team.sagemaker.stop_mlflow_tracking_server(TrackingServerName="team")
    assert "is not running" in team.refused(READ, team.runs[0]) or team.shown()["TrackingServerStatus"] == "Stopping"
    team.await_status("Stopped")
    assert team.shown()["IsActive"] == "Inactive"
    assert "INVALID_STATE" in team.refused(READ, team.runs[0])
    with pytest.raises(team.sagemaker.exceptions.ConflictException):
        team.sagemaker.stop_mlflow_tracking_server(TrackingServerName="team")
    team.sagemaker.start_mlflow_tracking_server(TrackingServerName="team")
    team.await_status("Started")
    assert team.read()["history"][-1] == [4, 0.2]


def test_an_update_is_in_force_when_it_is_done(team: Team) -> None:
    team.sagemaker.update_mlflow_tracking_server(
        TrackingServerName="team", ArtifactStoreUri="s3://teams/elsewhere", AutomaticModelRegistration=False
    )
    team.await_status("Updated")
    assert team.read()["text"] == "all well"
    create = "import mlflow; print(mlflow.get_experiment(mlflow.create_experiment('new')).artifact_location)"
    assert team.python(create).strip().startswith("s3://teams/elsewhere/")


@pytest.fixture
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program is not None, "chromium is needed: sudo apt-get install chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


def test_a_browser_sees_the_pages(team: Team, browser: Browser) -> None:
    url = team.sagemaker.create_presigned_mlflow_tracking_server_url(TrackingServerName="team")["AuthorizedUrl"]
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.get_by_role("link", name="wines").first.wait_for(timeout=60_000)
    page.goto(f"{page.url.partition('#')[0]}#/experiments/1/runs/{team.runs[0]}")
    page.get_by_text("depth").first.wait_for(timeout=60_000)
    again = page.goto(url)
    assert again is not None and again.status == 403
    origin = url.partition("/auth")[0]
    assert [each for each in asked if not each.startswith((f"{origin}/", "data:", "blob:"))] == []


def test_studio_opens_the_pages_beside_itself(team: Team, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 800})
    page = context.new_page()
    page.goto(Installation(load(team.aws.home, {})).studio_link())
    page.get_by_role("link", name="MLflow", exact=True).click(timeout=60_000)
    row = page.get_by_role("row", name="team")
    row.get_by_text("3.17.2").wait_for()
    start, show = (page.get_by_role("button", name=name) for name in ("Start", "Open MLflow"))
    assert show.is_disabled()
    row.get_by_role("checkbox").check(force=True)
    assert start.is_disabled() and show.is_enabled()
    with context.expect_page() as opened:
        show.click()
    pages = opened.value
    pages.get_by_role("link", name="wines").first.wait_for(timeout=60_000)
    studio, beside = urlsplit(page.url).hostname, urlsplit(pages.url).hostname
    assert studio != beside and pages.evaluate("window.opener") is None
    context.close()


def test_a_deleted_server_leaves_no_files(team: Team) -> None:
    assert (team.volume / "mlflow.db").exists()
    url = team.shown()["TrackingServerUrl"]
    team.sagemaker.delete_mlflow_tracking_server(TrackingServerName="team")

    def gone() -> bool:
        return not team.sagemaker.list_mlflow_tracking_servers()["TrackingServerSummaries"]

    eventually(gone, "the tracking server is gone")
    assert list((team.aws.home / "volumes").iterdir()) == []
    assert not (team.job / "spec.json").exists()
    assert "PERMISSION_DENIED" in team.refused(READ, team.runs[0])
    signed = {"MLFLOW_TRACKING_URI": url, "MLFLOW_TRACKING_AWS_SIGV4": "true"}
    assert "no such tracking server" in team.refused(READ, team.runs[0], **signed)


def test_a_server_whose_bucket_is_not_there_fails(team: Team) -> None:
    team.sagemaker.create_mlflow_tracking_server(
        TrackingServerName="nowhere", ArtifactStoreUri="s3://nowhere/", RoleArn=team.aws.role_arn
    )

    def status() -> str:
        shown = team.sagemaker.describe_mlflow_tracking_server(TrackingServerName="nowhere")
        return str(shown["TrackingServerStatus"])

    eventually(lambda: status() != "Creating", "it has failed")
    assert status() == "CreateFailed"
    events = team.aws.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/MlflowTrackingServers", logStreamNamePrefix="nowhere"
    )["events"]
    assert any("The artifact store s3://nowhere cannot be used" in event["message"] for event in events)
    assert list((team.aws.home / "volumes").iterdir())
    team.aws.reset()
    assert list((team.aws.home / "volumes").iterdir()) == []
