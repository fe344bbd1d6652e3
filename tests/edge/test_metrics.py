"""The page that Prometheus reads."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request

import pytest

from clary.testing.server import Server


def scraped(server: Server, authorization: str | None) -> tuple[int, str, str]:
    headers = {} if authorization is None else {"Authorization": authorization}
    request = urllib.request.Request(f"{server.url}/_clary/metrics", headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers["content-type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["www-authenticate"], error.read().decode()


def token(server: Server) -> str:
    return (server.home / "secrets" / "metrics.token").read_text()


def values(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    assert len({name for name, _, _ in lines}) == len(lines)
    return {name: float(value) for name, _, value in lines}


@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {}", "{}", "Bearer {}x", "Bearer \u00e9"],
    ids=["none", "empty", "no-token", "blank", "wrong", "basic", "bare", "longer", "no-ascii"],
)
def test_nobody_reads_it_without_the_token(clary_server: Server, given: str | None) -> None:
    status, challenge, text = scraped(clary_server, given and given.format(token(clary_server)))
    assert (status, challenge) == (401, "Bearer")
    assert "clary_up" not in text
    assert token(clary_server) not in text


def test_the_token_is_nobody_elses(clary_server: Server) -> None:
    assert (clary_server.home / "secrets" / "metrics.token").stat().st_mode & 0o777 == 0o600
    assert len(token(clary_server)) >= 32


def test_what_is_asked_is_counted(clary_aws: Server) -> None:
    s3, sagemaker = clary_aws.client("s3"), clary_aws.client("sagemaker")

    def numbers() -> dict[str, float]:
        status, kind, text = scraped(clary_aws, f"Bearer {token(clary_aws)}")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        return values(text)

    s3.create_bucket(Bucket="metered")
    s3.put_object(Bucket="metered", Key="a", Body=b"x" * 1000)
    sagemaker.list_models()
    before = numbers()
    s3.put_object(Bucket="metered", Key="a", Body=b"x" * 1000)
    sagemaker.list_models()
    after = numbers()

    def rise(name: str) -> float:
        return after[name] - before[name]

    assert rise('clary_edge_requests_total{service="s3",operation="PutObject",status="2xx"}') == 1
    assert rise('clary_edge_requests_total{service="sagemaker",operation="ListModels",status="2xx"}') == 1
    assert rise('clary_edge_request_seconds_count{service="s3"}') == 1
    assert rise('clary_edge_received_bytes_total{service="s3"}') >= 1000
    assert rise('clary_database_transaction_seconds_count{process="control",access="read"}') >= 1
    for process in ("edge", "control"):
        assert after[f'clary_up{{process="{process}"}}'] == 1
        assert after[f'process_resident_memory_bytes{{process="{process}"}}'] > 1 << 20
    assert after["clary_edge_requests_in_flight"] >= 1
    assert after["clary_disk_free_bytes"] > 0


def test_reconcilers_and_jobs_are_counted(clary_aws: Server) -> None:
    bucket = clary_aws.client("s3")
    bucket.create_bucket(Bucket="jobs")
    sagemaker = clary_aws.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName="counted",
        RoleArn=clary_aws.role_arn,
        AlgorithmSpecification={"TrainingImage": "no-such-image:1", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://jobs/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    failed = 'clary_resources{kind="TrainingJob",status="Failed"}'
    until = time.monotonic() + 30
    while values(scraped(clary_aws, f"Bearer {token(clary_aws)}")[2]).get(failed) != 1:
        assert time.monotonic() < until
        time.sleep(0.05)
    text = scraped(clary_aws, f"bearer  {token(clary_aws)}")[2]
    assert values(text)['clary_reconcile_seconds_count{process="control",kind="TrainingJob"}'] >= 1
    assert values(text)['clary_jobs_in_progress{kind="TrainingJob",state="waiting"}'] == 0
    kinds = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert len(kinds) == len(set(kinds))
