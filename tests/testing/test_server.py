"""The server for tests: quick to start, quick to empty, gone at the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import clary
from clary.cli.mistakes import Mistake
from clary.testing.server import Server


def test_it_comes_and_goes() -> None:
    with clary.server() as aws:
        home = aws.home
        assert aws.client("sts").get_caller_identity()["Account"] == aws.account
        assert (home / "run" / "supervisor.json").exists()
    assert not home.exists()


def test_a_home_of_ones_own_is_kept(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("h")
    with clary.server(home) as aws:
        aws.client("s3").create_bucket(Bucket="kept")
        key = (home / "secrets" / "administrator.json").read_text()
    with clary.server(home) as aws:
        assert [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]] == ["kept"]
        assert (home / "secrets" / "administrator.json").read_text() == key


def test_settings_are_taken() -> None:
    with clary.server(account="210987654321", region="eu-west-1") as aws:
        assert aws.client("sts").get_caller_identity()["Account"] == "210987654321"
        assert aws.role_arn == "arn:aws:iam::210987654321:role/ClaryExecutionRole"
        assert aws.client("sagemaker").meta.region_name == "eu-west-1"


def test_two_at_once() -> None:
    with clary.server() as one, clary.server() as other:
        assert one.url != other.url
        one.client("s3").create_bucket(Bucket="here")
        assert other.client("s3").list_buckets()["Buckets"] == []
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            one.session().client("sts", endpoint_url=other.url).get_caller_identity()


def test_the_same_home_twice_is_a_mistake(clary_server: Server) -> None:
    with pytest.raises(Mistake, match="already running"), clary.server(clary_server.home):
        pass


def test_reset_empties_it(clary_server: Server) -> None:
    s3, sagemaker, iam = (clary_server.client(name) for name in ("s3", "sagemaker", "iam"))
    s3.create_bucket(Bucket="full")
    for number in range(20):
        s3.put_object(Bucket="full", Key=f"{number}", Body=b"x" * 100)
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    iam.create_user(UserName="somebody")
    clary_server.reset()
    assert s3.list_buckets()["Buckets"] == []
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["administrator"]
    assert clary_server.session(role="ClaryExecutionRole").client("sts").get_caller_identity()["Arn"].endswith("/clary")


def test_sessions_reach_the_server_whatever_the_environment_says(
    clary_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFSOMEBODYELSE")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    session = clary_server.session(role=clary_server.role_arn)
    for sts in (session.client("sts"), session.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com")):
        assert sts.get_caller_identity()["Arn"] == (
            f"arn:aws:sts::{clary_server.account}:assumed-role/ClaryExecutionRole/clary"
        )
    assert list(session.resource("s3").buckets.all()) == []


def test_subprocesses_reach_the_server(clary_server: Server) -> None:
    script = 'import boto3; print(boto3.client("sts", endpoint_url="https://sts.amazonaws.com").get_caller_identity()["Arn"])'
    for environment, end in (
        (clary_server.environment, "user/administrator"),
        (clary_server.environment_as("ClaryExecutionRole"), "assumed-role/ClaryExecutionRole/clary"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip().endswith(end)


def test_the_plugin_in_somebodys_project(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "def test_one(clary_aws):\n"
        "    clary_aws.client('s3').create_bucket(Bucket='mine')\n"
        "def test_two(clary_aws):\n"
        "    assert clary_aws.client('s3').list_buckets()['Buckets'] == []\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    script = (
        "import clary, sys, time\nwith clary.server() as aws:\n    print(aws.home, flush=True)\n    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    home = Path(process.stdout.readline().strip())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while (home / "run" / "supervisor.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def cpu_seconds(pid: int) -> float:
    times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_start_and_reset_are_cheap() -> None:
    """In processor time, since other tests run at the same time; on two idle cores the start takes under a second."""
    with clary.server() as aws:
        state = json.loads((aws.home / "run" / "supervisor.json").read_text())
        pids = [state["pid"], *(child["pid"] for child in state["children"].values())]
        start = sum(map(cpu_seconds, pids))
        aws.client("s3").create_bucket(Bucket="bucket")
        aws.client("sagemaker").create_model_package_group(ModelPackageGroupName="group")
        before = sum(map(cpu_seconds, pids))
        for _ in range(10):
            aws.reset()
        reset = (sum(map(cpu_seconds, pids)) - before) / 10
    # Twice and more of what a busy machine takes: who imports too much at the start exceeds it.
    assert start < 5
    assert reset < 0.2
