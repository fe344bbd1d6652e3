"""The AWS command line in an environment of its own: the main job as a shell user does it."""

from __future__ import annotations

import base64
import json
import urllib.request
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from parity_clients import Client
from parity_lab import XGBOOST, labelled_rows, labels, without_label

from clary.testing.server import Server


class Shell:
    """``aws`` with its answers read."""

    def __init__(self, client: Client, server: Server) -> None:
        self._client, self._server = client, server

    def __call__(self, *words: str) -> Any:
        """The answer, read if it is JSON."""
        answer = self._client.run(self._server, "aws", *words)
        return json.loads(answer) if answer.lstrip().startswith(("{", "[")) else answer

    def refused(self, *words: str) -> str:
        """What the command says when it fails, as it must."""
        done = self._client.start(self._server, "aws", *words)
        assert done.returncode != 0, done.stdout
        return done.stderr


@pytest.fixture
def aws(clary_aws: Server, client_environment: Callable[[str], Client]) -> Shell:
    return Shell(client_environment("aws-cli"), clary_aws)


@pytest.mark.slow("aws-cli")
def test_files_go_up_and_come_down(aws: Shell, tmp_path: Path) -> None:
    assert aws("sts", "get-caller-identity")["Account"] == "123456789012"
    aws("s3", "mb", "s3://cli")
    for name in ("a.txt", "b/c.txt", "b/big.bin"):
        file = tmp_path / "up" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode() * (2_000_000 if name.endswith("bin") else 1))  # 18 MB go up in parts
    aws("s3", "sync", f"{tmp_path}/up", "s3://cli/folder")
    assert "PRE folder/" in aws("s3", "ls", "s3://cli")
    listed = aws("s3", "ls", "s3://cli", "--recursive").splitlines()
    assert [line.split()[2:] for line in listed] == [
        ["5", "folder/a.txt"],
        ["18000000", "folder/b/big.bin"],
        ["7", "folder/b/c.txt"],
    ]
    assert "upload" not in aws("s3", "sync", f"{tmp_path}/up", "s3://cli/folder")
    aws("s3", "cp", "s3://cli/folder/a.txt", "s3://cli/copy.txt")
    aws("s3", "sync", "s3://cli", f"{tmp_path}/down")
    assert (tmp_path / "down/copy.txt").read_text() == "a.txt"
    assert (tmp_path / "down/folder/b/big.bin").read_bytes() == (tmp_path / "up/b/big.bin").read_bytes()
    assert aws("s3", "cp", "s3://cli/copy.txt", "-") == "a.txt"
    url = aws("s3", "presign", "s3://cli/copy.txt").strip()
    assert urllib.request.urlopen(url, timeout=30).read() == b"a.txt"
    assert "BucketNotEmpty" in aws.refused("s3", "rb", "s3://cli")
    aws("s3", "rm", "s3://cli/folder", "--recursive")
    aws("s3", "rb", "s3://cli", "--force")
    assert "NoSuchBucket" in aws.refused("s3", "ls", "s3://cli")


@pytest.mark.slow("aws-cli")
def test_train_deploy_and_predict(aws: Shell, clary_aws: Server, tmp_path: Path) -> None:
    held_out = labelled_rows(10, seed=1)
    (tmp_path / "rows.csv").write_text("\n".join(labelled_rows(300)))
    (tmp_path / "features.csv").write_text(without_label(held_out))
    aws("s3", "mb", "s3://cli")
    aws("s3", "cp", f"{tmp_path}/rows.csv", "s3://cli/train/rows.csv")
    role = clary_aws.role_arn
    source = "{S3DataSource={S3DataType=S3Prefix,S3Uri=s3://cli/train/}}"
    created = aws(
        *("sagemaker", "create-training-job", "--training-job-name", "cli", "--role-arn", role),
        *("--algorithm-specification", f"TrainingImage={XGBOOST},TrainingInputMode=File"),
        *("--hyper-parameters", "objective=binary:logistic,num_round=10"),
        *("--input-data-config", f"ChannelName=train,ContentType=text/csv,DataSource={source}"),
        *("--output-data-config", "S3OutputPath=s3://cli/output"),
        *("--resource-config", "InstanceType=ml.m5.large,InstanceCount=1,VolumeSizeInGB=5"),
        *("--stopping-condition", "MaxRuntimeInSeconds=600"),
    )
    assert created["TrainingJobArn"].endswith(":training-job/cli")
    # The command line's own waiter looks every two minutes; a client of the same server waits in less.
    clary_aws.client("sagemaker").get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="cli", WaiterConfig={"Delay": 0.5, "MaxAttempts": 400}
    )
    query = ("--query", "ModelArtifacts.S3ModelArtifacts", "--output", "text")
    model = aws("sagemaker", "describe-training-job", "--training-job-name", "cli", *query).strip()
    assert model == "s3://cli/output/cli/output/model.tar.gz"
    listed = aws("sagemaker", "list-training-jobs", "--status-equals", "Completed")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == ["cli"]
    group = "/aws/sagemaker/TrainingJobs"
    [stream] = aws("logs", "describe-log-streams", "--log-group-name", group)["logStreams"]
    events = aws("logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream["logStreamName"])
    assert any("train-logloss" in event["message"] for event in events["events"])

    aws(
        *("sagemaker", "create-model", "--model-name", "cli", "--execution-role-arn", role),
        *("--primary-container", f"Image={XGBOOST},ModelDataUrl={model}"),
    )
    aws(
        *("sagemaker", "create-endpoint-config", "--endpoint-config-name", "cli", "--production-variants"),
        "VariantName=AllTraffic,ModelName=cli,InstanceType=ml.m5.large,InitialInstanceCount=1",
    )
    aws("sagemaker", "create-endpoint", "--endpoint-name", "cli", "--endpoint-config-name", "cli")
    clary_aws.client("sagemaker").get_waiter("endpoint_in_service").wait(
        EndpointName="cli", WaiterConfig={"Delay": 0.5, "MaxAttempts": 400}
    )
    answer = aws(
        *("sagemaker-runtime", "invoke-endpoint", "--endpoint-name", "cli", "--content-type", "text/csv"),
        *("--body", f"fileb://{tmp_path}/features.csv", "--accept", "text/csv", f"{tmp_path}/scores.csv"),
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    scores = [float(each) for each in (tmp_path / "scores.csv").read_text().replace(",", "\n").split()]
    assert sum((score > 0.5) == bool(label) for score, label in zip(scores, labels(held_out), strict=True)) >= 8

    aws("sagemaker", "delete-endpoint", "--endpoint-name", "cli")
    aws("sagemaker", "wait", "endpoint-deleted", "--endpoint-name", "nobody")
    refusal = aws.refused("sagemaker", "describe-training-job", "--training-job-name", "nobody")
    assert "(ValidationException)" in refusal
    assert "Requested resource not found" in refusal


@pytest.mark.slow("aws-cli")
def test_metrics_are_put_and_got(aws: Shell) -> None:
    metric = ("--namespace", "Shop", "--metric-name", "Orders")
    for value in ("2", "3"):
        aws("cloudwatch", "put-metric-data", *metric, "--value", value, "--unit", "Count", "--dimensions", "City=Rome")
    now = datetime.now(UTC)
    span = (
        "--start-time",
        (now - timedelta(hours=1)).isoformat(),
        "--end-time",
        (now + timedelta(hours=1)).isoformat(),
    )
    place = ("--period", "7200", "--dimensions", "Name=City,Value=Rome")
    [point] = aws("cloudwatch", "get-metric-statistics", *metric, *span, *place, "--statistics", "Sum", "SampleCount")[
        "Datapoints"
    ]
    assert (point["Sum"], point["SampleCount"], point["Unit"]) == (5, 2, "Count")
    stat = {"Metric": {"Namespace": "Shop", "MetricName": "Orders", "Dimensions": [{"Name": "City", "Value": "Rome"}]}}
    queries = json.dumps([{"Id": "orders", "MetricStat": {**stat, "Period": 7200, "Stat": "p100"}}])
    [result] = aws("cloudwatch", "get-metric-data", "--metric-data-queries", queries, *span)["MetricDataResults"]
    assert (result["Values"], result["StatusCode"]) == ([3], "Complete")
    [listed] = aws("cloudwatch", "list-metrics", "--dimensions", "Name=City")["Metrics"]
    assert listed["MetricName"] == "Orders"
    refusal = aws.refused("cloudwatch", "put-metric-data", "--namespace", "AWS/X", "--metric-name", "x", "--value", "1")
    assert "InvalidParameterValue" in refusal


@pytest.mark.slow("aws-cli")
def test_a_function_is_made_and_invoked(aws: Shell, tmp_path: Path) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = aws("iam", "create-role", "--role-name", "caller", "--assume-role-policy-document", trust)["Role"]["Arn"]
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr(
            "app.py", "def handler(event, context):\n    print('seen')\n    return {'twice': 2 * event['n']}\n"
        )
    made = aws(
        *("lambda", "create-function", "--function-name", "twice", "--runtime", "python3.11", "--role", role),
        *("--handler", "app.handler", "--timeout", "30", "--zip-file", f"fileb://{tmp_path}/code.zip"),
    )
    assert made["FunctionName"] == "twice"
    aws("lambda", "wait", "function-active-v2", "--function-name", "twice")
    answer = tmp_path / "answer.json"
    event = ("--payload", '{"n": 21}', "--log-type", "Tail")
    told = aws("lambda", "invoke", "--function-name", "twice", *event, str(answer))
    assert told["StatusCode"] == 200 and json.loads(answer.read_text()) == {"twice": 42}
    assert "seen" in base64.b64decode(told["LogResult"]).decode()
    events = aws("logs", "filter-log-events", "--log-group-name", "/aws/lambda/twice")["events"]
    assert "seen" in [each["message"] for each in events]
    told = aws("lambda", "invoke", "--function-name", "twice", "--payload", "{}", str(answer))
    assert told["FunctionError"] == "Unhandled" and json.loads(answer.read_text())["errorType"] == "KeyError"
    assert "ResourceNotFoundException" in aws.refused("lambda", "get-function", "--function-name", "thrice")
