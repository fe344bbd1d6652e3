"""What public test suites find in test mode: their keys, the reset that they ask for, the accounts of ceph/s3-tests."""

from __future__ import annotations

import configparser
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server, server

MOTO_KEYS = {"aws_access_key_id": "FOOBARKEY", "aws_secret_access_key": "FOOBARSECRET"}


@pytest.fixture(scope="module")
def in_test_mode() -> Iterator[Server]:
    with server(test_mode=True) as running:
        yield running


def reset(running: Server) -> int:
    request = urllib.request.Request(f"{running.url}/moto-api/reset", method="POST")
    with urllib.request.urlopen(request) as answer:
        return int(answer.status)


def test_motos_suite_signs_and_resets(in_test_mode: Server) -> None:
    sagemaker = boto3.client("sagemaker", endpoint_url=in_test_mode.url, region_name="us-east-1", **MOTO_KEYS)
    sagemaker.create_experiment(ExperimentName="before")
    assert reset(in_test_mode) == 200
    assert sagemaker.list_experiments()["ExperimentSummaries"] == []


def test_signatures_stay_verified(in_test_mode: Server) -> None:
    wrong = {**MOTO_KEYS, "aws_secret_access_key": "wrong"}
    sagemaker = boto3.client("sagemaker", endpoint_url=in_test_mode.url, region_name="us-east-1", **wrong)
    with pytest.raises(ClientError, match="signature"):
        sagemaker.list_experiments()


def test_there_is_no_unsigned_reset_outside_of_test_mode(clary_aws: Server) -> None:
    clary_aws.client("sagemaker").create_experiment(ExperimentName="stays")
    with pytest.raises(urllib.error.HTTPError):
        reset(clary_aws)
    clary_aws.client("sagemaker").describe_experiment(ExperimentName="stays")


def env(running: Server) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "clary.cli", "env", "--s3tests", "--home", str(running.home)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_accounts_of_s3_tests_are_there(in_test_mode: Server) -> None:
    configuration = configparser.RawConfigParser()
    configuration.read_string(env(in_test_mode).stdout)
    buckets = set()
    for party in ("main", "alt", "tenant"):
        section = configuration[f"s3 {party}"]
        s3 = boto3.client(
            "s3",
            endpoint_url=f"http://{section['host']}:{section['port']}",
            region_name="us-east-1",
            aws_access_key_id=section["access_key"],
            aws_secret_access_key=section["secret_key"],
        )
        s3.create_bucket(Bucket=f"bucket-of-{party}")
        buckets.add(s3.list_buckets()["Owner"]["ID"])
        assert s3.list_buckets()["Owner"]["ID"] == section["user_id"]
    assert len(buckets) == 3


def test_their_configuration_is_for_test_mode_alone(clary_server: Server) -> None:
    answer = env(clary_server)
    assert answer.returncode != 0
    assert "clary up --test-mode" in answer.stderr
