"""``clary status`` tells at a glance what is wrong, and what to do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from clary.cli.main import run
from clary.cli.status import render
from clary.testing.server import Server


def status(server: Server, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = run(["status", "--json", "--home", str(server.home)])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, {each["code"]: each for each in document["problems"]}


def test_what_is_wrong_is_told(clary_aws: Server, capsys: pytest.CaptureFixture[str]) -> None:
    before = status(clary_aws, capsys)[1]
    assert "FailedJobs" not in before
    clary_aws.client("s3").create_bucket(Bucket="jobs")
    clary_aws.client("sagemaker").create_training_job(
        TrainingJobName="hopeless",
        RoleArn=clary_aws.role_arn,
        AlgorithmSpecification={"TrainingImage": "no-such-image:1", "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://jobs/out"},
        ResourceConfig={"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    cloudwatch = clary_aws.session(region="eu-west-1").client("cloudwatch", endpoint_url=clary_aws.url)
    cloudwatch.put_metric_alarm(
        AlarmName="loud",
        Namespace="Shop",
        MetricName="Errors",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    cloudwatch.set_alarm_state(AlarmName="loud", StateValue="ALARM", StateReason="tried")
    until = time.monotonic() + 30
    code, found = status(clary_aws, capsys)
    while "FailedJobs" not in found:
        assert time.monotonic() < until
        time.sleep(0.05)
        code, found = status(clary_aws, capsys)
    assert code == 1
    assert found["FailedJobs"]["text"] == "1 job failed in the last day: hopeless"
    assert found["Alarms"]["resources"] == [{"kind": "Alarm", "name": "loud", "region": "eu-west-1"}]

    assert run(["status", "--home", str(clary_aws.home)]) == 1
    shown = capsys.readouterr().out
    assert "! 1 job failed in the last day: hopeless\n  Read the reason" in shown
    assert "Everything works." not in shown


def test_errors_in_a_log_are_counted(clary_aws: Server, capsys: pytest.CaptureFixture[str]) -> None:
    def logged() -> tuple[int, str]:
        code = run(["status", "--json", "--home", str(clary_aws.home)])
        told = json.loads(capsys.readouterr().out)["problems"]
        found = [each for each in told if each["text"].startswith("The log of edge has ")]
        assert code == bool(told)
        return (int(found[0]["text"].split()[5]), found[0]["remedy"]) if found else (0, "")

    before = logged()[0]
    with (clary_aws.home / "log" / "edge.log").open("a") as log:
        log.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')},000 ERROR clary.edge.app something\n")
    count, remedy = logged()
    assert count == before + 1
    assert remedy.startswith("grep ERROR ")


def test_all_is_well(clary_server: Server) -> None:
    from clary.cli.installation import Installation
    from clary.core.settings import load

    installation = Installation(load(clary_server.home))
    document: dict[str, Any] = {
        "running": True,
        "ready": True,
        "problems": [],
        "version": "1",
        "url": "http://127.0.0.1:1",
        "home": str(clary_server.home),
        "account": "1",
        "region": "r",
        "uptime_s": 1.0,
        "objects": {"store": "own"},
        "processes": {},
    }
    assert render(document, installation).endswith("\n\nEverything works.")
    problem = {"severity": "error", "code": "X", "text": "It is wrong", "remedy": "Mend it.", "resources": []}
    assert render(document | {"problems": [problem]}, installation).endswith("\n\n✗ It is wrong\n  Mend it.")


def test_only_who_may_is_told(clary_aws: Server) -> None:
    import botocore.session
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.httpsession import URLLib3Session

    def asked(session: Any) -> tuple[int, dict[str, Any]]:
        request = AWSRequest("GET", f"{clary_aws.url}/_clary/health/problems")
        SigV4Auth(session.get_credentials(), "clary", "us-east-1").add_auth(request)
        response = URLLib3Session().send(request.prepare())
        return response.status_code, json.loads(response.content)

    assert asked(clary_aws.session())[0] == 200
    iam = clary_aws.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    session = botocore.session.Session()
    session.set_credentials(key["AccessKeyId"], key["SecretAccessKey"])
    code, document = asked(session)
    assert code == 403
    assert "clary:DescribeHealth" in document["message"]


def test_a_home_without_an_installation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json", "--home", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == []
