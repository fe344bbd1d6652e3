"""PostgreSQL in place of SQLite, and several control processes that share the work."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from parity_lab import eventually

import clary
from clary.testing.postgresql import PostgreSQL
from clary.testing.server import Server

pytestmark = pytest.mark.slow("survival")
ROLE = "arn:aws:iam::123456789012:role/ClaryExecutionRole"
JOBS = 10
CODE = "import os, time; open('/opt/ml/model/' + str(os.getpid()), 'w').close(); print('begun'); time.sleep(0.5)"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    yield server
    server.close()


@pytest.fixture(scope="module")
def url(postgresql: PostgreSQL) -> Iterator[str]:
    with postgresql.database() as url:
        yield url


@pytest.fixture(scope="module")
def server(url: str) -> Iterator[Server]:
    with clary.server(database=url, control_processes=2) as server:
        server.client("s3").create_bucket(Bucket="bucket")
        yield server


def train(server: Server, name: str, code: str = CODE) -> None:
    server.client("sagemaker").create_training_job(
        TrainingJobName=name,
        RoleArn=ROLE,
        AlgorithmSpecification={
            "TrainingImage": "clary/python:3.11",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", code],
        },
        OutputDataConfig={"S3OutputPath": "s3://bucket/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )


def status(server: Server, name: str, member: str = "TrainingJobStatus") -> str:
    return str(server.client("sagemaker").describe_training_job(TrainingJobName=name)[member])


def await_status(server: Server, name: str, wanted: str, member: str = "TrainingJobStatus") -> None:
    eventually(lambda: status(server, name, member) == wanted, f"{name} to be {wanted}", 120)


def state(server: Server) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((server.home / "run" / "supervisor.json").read_text())["children"]
    return found


def test_what_one_process_changes_the_other_knows(server: Server) -> None:
    """Requests go to the processes by turns."""
    iam, sagemaker = server.client("iam"), server.client("sagemaker")
    for number in range(6):
        name = f"user-{number}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        user = server.client(
            "sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        for _ in range(2):
            with pytest.raises(user.exceptions.ClientError, match="not authorized"):
                user.list_models()
        iam.attach_user_policy(UserName=name, PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
        for _ in range(2):
            user.list_models()
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": "clary/python:3.11"})
        assert sagemaker.describe_model(ModelName=name)["ModelName"] == name


def test_a_control_process_that_is_killed_loses_nothing(server: Server) -> None:
    """Its leases run out, and the other one goes on with its jobs, which are not run again."""
    for number in range(JOBS):
        train(server, f"job-{number}")
    eventually(
        lambda: any(status(server, f"job-{number}") == "Completed" for number in range(JOBS)), "the first end", 60
    )
    os.kill(state(server)["control-2"]["pid"], signal.SIGKILL)
    for number in range(JOBS):
        await_status(server, f"job-{number}", "Completed")
    assert state(server)["control-2"]["restarts"] == 1
    for number in range(JOBS):
        log = server.client("logs").filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"job-{number}/"
        )
        assert [event["message"] for event in log["events"]].count("begun") == 1


def test_a_stop_reaches_a_job_of_the_other_process(server: Server) -> None:
    sagemaker = server.client("sagemaker")
    for name in ("long-0", "long-1", "long-2", "long-3"):
        train(server, name, "import time; time.sleep(600)")
        await_status(server, name, "Training", "SecondaryStatus")
        sagemaker.stop_training_job(TrainingJobName=name)
        await_status(server, name, "Stopped")


def test_a_database_that_comes_back(postgresql: PostgreSQL, server: Server) -> None:
    """While it is gone callers are told to try again, as their clients do; jobs go on."""
    train(server, "meanwhile", "import time; time.sleep(2)")
    postgresql.kill()
    impatient = server.client("sagemaker", config=Config(retries={"max_attempts": 0}))
    with pytest.raises(impatient.exceptions.ClientError) as refused:
        impatient.describe_training_job(TrainingJobName="meanwhile")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    postgresql.start()
    await_status(server, "meanwhile", "Completed")


def test_a_database_of_another_installation_is_left_alone(server: Server, url: str) -> None:
    with pytest.raises(Exception, match="the database belongs to the installation of"), clary.server(database=url):
        pass


def test_several_control_processes_need_a_server() -> None:
    with pytest.raises(Exception, match="need a PostgreSQL database"), clary.server(control_processes=2):
        pass
