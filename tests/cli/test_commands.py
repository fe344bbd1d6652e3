"""The commands against a running installation, each as a person would type it."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from clary.testing.server import Server

PYTHON = shlex.quote(sys.executable)


def clary(home: Path, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "clary.cli", *words, "--home", str(home)],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "CLARY_HOME"},
    )
    assert not check or done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="clary-") as folder:
        yield Path(folder)
        clary(Path(folder), "down")


def test_up_in_the_background_and_down(home: Path) -> None:
    shown = json.loads(clary(home, "up", "--detach", "--port", "0", "--json").stdout)
    assert shown["home"] == str(home)
    status = json.loads(clary(home, "status", "--json").stdout)
    assert status["ready"]
    assert status["url"] == shown["url"]
    assert set(status["processes"]) == {"supervisor", "edge", "control"}
    assert status["work"]["training jobs"] == []
    again = clary(home, "up", "--detach").stdout
    assert "already runs" in again
    assert "already runs" in clary(home, "up", check=False).stderr
    assert "has stopped" in clary(home, "down").stdout
    assert clary(home, "status", check=False).returncode == 1
    second = json.loads(clary(home, "up", "--detach", "--port", str(shown["port"]), "--json").stdout)
    assert second["port"] == shown["port"]


def test_the_port_of_another_clary(home: Path, clary_server: Server) -> None:
    done = clary(home, "up", "--port", clary_server.url.rpartition(":")[2], check=False)
    assert done.returncode == 4
    assert "taken by another Clary" in done.stderr
    assert not (home / "run" / "supervisor.json").exists()


def test_test_mode(home: Path) -> None:
    shown = json.loads(clary(home, "up", "--detach", "--port", "0", "--json", "--test-mode").stdout)
    session = boto3.Session("FOOBARKEY", "FOOBARSECRET", region_name="us-east-1")
    assert session.client("sts", endpoint_url=shown["url"]).get_caller_identity()["Account"] == "123456789012"


def test_up_in_the_foreground_stops_with_ctrl_c(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "clary.cli", "up", "--port", "0", "--home", str(home)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    head = "".join(process.stdout.readline() for _ in range(5))
    assert re.search(r"^Starting Clary … ready in \d+\.\d s$", head, re.MULTILINE)
    assert f'eval "$(clary env --home {home})"' in head
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 0
    assert "has stopped" in process.stdout.read()
    assert clary(home, "status", check=False).returncode == 1


def test_a_killed_foreground_takes_everything_with_it(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "clary.cli", "up", "--port", "0", "--json", "--home", str(home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["port"]
    process.kill()
    process.wait()
    deadline = time.monotonic() + 20
    while "not running" not in clary(home, "status", check=False).stdout:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_environment_works_in_a_shell(clary_server: Server) -> None:
    script = (
        f'eval "$({PYTHON} -m clary.cli env --home {clary_server.home})"; '
        f'{PYTHON} -c \'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"]); '
        'print(boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com").get_caller_identity()["Arn"])\''
    )
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [f"arn:aws:iam::{clary_server.account}:user/administrator"] * 2


def test_the_environment_of_a_role(clary_server: Server) -> None:
    values = json.loads(clary(clary_server.home, "env", "--role", "ClaryExecutionRole", "--json").stdout)
    assert values["AWS_SESSION_TOKEN"]
    assert values["AWS_ACCESS_KEY_ID"].startswith("ASIA")


def test_a_role_that_is_not_there(clary_server: Server) -> None:
    done = clary(clary_server.home, "credentials", "--role", "Nobody", check=False)
    assert done.returncode == 1
    assert "Nobody" in done.stderr
    assert done.stdout == ""


def test_the_profile_gives_the_execution_role(clary_server: Server, tmp_path: Path) -> None:
    environment = {**os.environ, "AWS_CONFIG_FILE": str(tmp_path / "config")}
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        environment.pop(name, None)
    script = (
        f'eval "$({PYTHON} -m clary.cli env --write-profile clary --home {clary_server.home})"; '
        f'{PYTHON} -c \'import boto3; print(boto3.client("sts").get_caller_identity()["Arn"]); '
        'print(boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com").get_caller_identity()["Arn"])\''
    )
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True, env=environment)
    arn = f"arn:aws:sts::{clary_server.account}:assumed-role/ClaryExecutionRole/clary"
    assert done.stdout.splitlines() == [arn, arn]


def test_nothing_but_env_and_credentials_shows_a_secret(clary_server: Server) -> None:
    secret = json.loads((clary_server.home / "secrets" / "administrator.json").read_text())["SecretAccessKey"]
    for words in (["status"], ["status", "--json"], ["doctor"], ["version"], ["images", "list"]):
        assert secret not in clary(clary_server.home, *words, check=False).stdout
    for file in (clary_server.home / "log").iterdir():
        assert secret not in file.read_text()


@pytest.fixture
def job(clary_aws: Server) -> dict[str, Any]:
    """A processing job that has printed three lines."""
    sagemaker = clary_aws.client("sagemaker")
    sagemaker.create_processing_job(
        ProcessingJobName="talker",
        RoleArn=clary_aws.role_arn,
        AppSpecification={
            "ImageUri": "clary/python:3.11",
            "ContainerEntrypoint": ["python3", "-c", "print('one'); print('two'); print('three')"],
        },
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    )
    sagemaker.get_waiter("processing_job_completed_or_stopped").wait(
        ProcessingJobName="talker", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    return dict(sagemaker.describe_processing_job(ProcessingJobName="talker"))


def test_logs(job: dict[str, Any], clary_server: Server) -> None:
    plain = clary(clary_server.home, "logs", "talker").stdout
    assert re.search(r"^one\ntwo\nthree$", plain, re.MULTILINE)
    assert clary(clary_server.home, "logs", "talker", "--follow").stdout == plain
    stamped = clary(clary_server.home, "logs", "talker", "-t").stdout.splitlines()
    assert any(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z two", line) for line in stamped)
    documents = [json.loads(line) for line in clary(clary_server.home, "logs", "talker", "--json").stdout.splitlines()]
    assert "three" in [document["message"] for document in documents]


def test_logs_of_nothing(clary_server: Server) -> None:
    done = clary(clary_server.home, "logs", "nobody", check=False)
    assert done.returncode == 1
    assert "nobody" in done.stderr
    assert "not a kind" in clary(clary_server.home, "logs", "x", "--kind", "tuning", check=False).stderr
