"""``clary cost``: what jobs used, and what that is worth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clary.core.prices import FILE
from clary.testing.server import Server

BUSY = "import time; held = bytearray(200 << 20); any(time.process_time() > 3 for _ in iter(int, 1))"
"""Uses three seconds of the CPU and 200 MiB of memory."""


def cost(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clary.cli", "cost", *words, "--home", str(server.home)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def train(server: Server, name: str, command: list[str], instance: str = "ml.m5.large") -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=server.role_arn,
        AlgorithmSpecification={
            "TrainingImage": "clary/python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": command,
        },
        OutputDataConfig={"S3OutputPath": "s3://cost/output"},
        ResourceConfig={"InstanceType": instance, "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def test_what_jobs_used_and_would_have_cost(clary_aws: Server) -> None:
    clary_aws.client("s3").create_bucket(Bucket="cost")
    empty = json.loads(cost(clary_aws, "--json").stdout)
    assert (empty["jobs"], empty["prices"]["region"]) == ([], "us-east-1")
    train(clary_aws, "busy", ["python", "-c", BUSY])
    train(clary_aws, "odd", ["/bin/sh", "-c", "exit 0"], "ml.c5n.xlarge")

    done = cost(clary_aws, "--json")
    assert done.returncode == 0, done.stderr
    odd, busy = json.loads(done.stdout)["jobs"]
    assert (odd["name"], odd["instance_type"], odd["dollars"]) == ("odd", "ml.c5n.xlarge", None)
    assert (busy["name"], busy["status"], busy["instances"], busy["spot"]) == ("busy", "Completed", 1, False)
    assert busy["seconds"] >= 3
    assert busy["dollars"] == pytest.approx(0.115 * busy["seconds"] / 3600)
    # Looked at twice a second, on a machine that may have much else to do.
    assert 1.5 < busy["cpu"] / 100 * busy["seconds"] < 6
    assert 200 / 8192 * 100 * 0.9 < busy["memory"] < 30

    shown = cost(clary_aws, "busy").stdout
    assert "1 x ml.m5.large" in shown and f"On AWS on demand: ${busy['dollars']:.4f} (us-east-1" in shown
    assert "not counted" not in shown
    assert "not counted" in cost(clary_aws).stdout


def test_a_job_that_is_not_there(clary_aws: Server) -> None:
    done = cost(clary_aws, "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no training job nothing." in done.stderr


def test_prices_of_ones_own(clary_aws: Server, tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(FILE.read_text("utf-8").replace('region = "us-east-1"', 'region = "eu-west-1"'), "utf-8")
    assert "$0.0000 (eu-west-1, prices of" in cost(clary_aws, "--prices", str(own)).stdout
    own.write_text("?", "utf-8")
    done = cost(clary_aws, "--prices", str(own))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"The prices in {own} cannot be read" in done.stderr
