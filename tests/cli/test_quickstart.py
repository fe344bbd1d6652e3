"""The main job of all: real data, through the public API, from nothing to predictions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import pytest

from clary.testing.server import Server, server

pytestmark = pytest.mark.slow("docs")


def quickstart(home: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "clary.cli", "quickstart", "--home", str(home), *words],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "CLARY_HOME"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def figure(name: str, shown: str) -> float:
    found = re.search(rf"^{name} +([\d.]+)", shown, re.MULTILINE)
    assert found, shown
    return float(found[1])


def assert_good(shown: str) -> None:
    assert figure("Held-out rows", shown) == 114
    assert figure("Accuracy", shown) > 0.93
    assert figure("AUC", shown) > 0.97


def left_behind(session: boto3.Session) -> dict[str, list[object]]:
    sagemaker = session.client("sagemaker")
    return {
        "endpoints": sagemaker.list_endpoints()["Endpoints"],
        "configurations": sagemaker.list_endpoint_configs()["EndpointConfigs"],
        "models": sagemaker.list_models()["Models"],
        "buckets": session.client("s3").list_buckets()["Buckets"],
    }


@pytest.mark.timeout(600)
def test_it_starts_clary_and_leaves_nothing_behind() -> None:
    with tempfile.TemporaryDirectory(prefix="clary-") as home:
        Path(home, "settings.toml").write_text("port = 0\n")
        assert_good(quickstart(Path(home)))
        assert not Path(home, "run", "supervisor.json").exists()
        with server(home) as again:
            assert not any(left_behind(again.session()).values())


@pytest.mark.timeout(600)
def test_keep_leaves_everything_and_says_how_to_go_on(clary_aws: Server) -> None:
    shown = quickstart(clary_aws.home, "--keep")
    assert_good(shown)
    left = left_behind(clary_aws.session())
    assert all(len(found) == 1 for found in left.values())
    rows = re.search(r"aws s3 cp s3://([^/]+)/(\S+) -", shown)
    name = re.search(r"--endpoint-name (\S+)", shown)
    assert rows and name
    text = clary_aws.client("s3").get_object(Bucket=rows[1], Key=rows[2])["Body"].read()
    answer = clary_aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name[1], ContentType="text/csv", Body=text.splitlines()[-1].partition(b",")[2]
    )
    assert 0 <= float(answer["Body"].read()) <= 1
