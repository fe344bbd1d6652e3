"""Batch transform with inference pipelines: models of several containers."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from parity_lab import BUCKET, SKLEARN, XGBOOST, Lab, eventually, labelled_rows
from parity_transform import GROUP, await_log, data_log, ended, keys, log, output, start, transform

HANDLER = """
    import os, time

    def model_fn(folder):
        if os.environ["ADDED"] == "nothing":
            raise RuntimeError("this container has no model")
        return os.environ["ADDED"]

    def transform_fn(model, body, content_type, accept):
        text = body.decode() if isinstance(body, bytes) else body
        print("transforms", model, content_type, accept, os.environ.get("SAGEMAKER_BATCH"), os.environ.get("MODE"),
              flush=True)
        if "wait" in text:
            print("waits", flush=True)
            time.sleep(600)
        if model == "fails":
            raise RuntimeError("this container breaks")
        if model == "dies":
            os._exit(3)
        return "\\n".join(f"{line}>{model}" for line in text.splitlines()), os.environ.get("KIND", accept)
    """
ROWS = "one\ntwo\nthree\n"


def container(lab: Lab, added: str, **environment: str) -> dict[str, Any]:
    """A container that puts ``added`` behind each line."""
    code = lab.script(HANDLER)
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code, "ADDED": added, **environment}
    return {"Image": SKLEARN, "Environment": variables}


def pipeline(lab: Lab, name: str, *containers: dict[str, Any]) -> None:
    lab.sagemaker.create_model(ModelName=name, ExecutionRoleArn=lab.role, Containers=list(containers))


def streams(lab: Lab, job: str) -> dict[str, str]:
    """What is in each log stream of a job, by what its name has behind that of the instance."""
    found = lab.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{job}/")["logStreams"]
    names = [each["logStreamName"] for each in found]
    return {name.split("/", 2)[2]: lab.log_of(name, GROUP) for name in names if name.count("/") == 2}


def test_records_go_through_all_containers(lab: Lab) -> None:
    first = container(lab, "a", KIND="text/middle")
    pipeline(lab, "chain", first, container(lab, "b", KIND="text/last"), container(lab, "c"))
    lab.put("in/rows", ROWS)
    job = transform(lab, "chain", "chain", Environment={"MODE": "batch"}, DataProcessing={"JoinSource": "Input"})
    assert output(lab, "chain", "rows") == "one,one>a>b>c\ntwo,two>a>b>c\nthree,three>a>b>c\n"
    assert not [member for member in job if member.startswith("_")]
    seen = streams(lab, "chain")
    assert sorted(seen) == ["container-1", "container-2", "container-3", "data-log"]
    for name, line in {
        "container-1": "transforms a text/csv application/json true batch",
        "container-2": "transforms b text/middle application/json true batch",
        "container-3": "transforms c text/last text/csv true batch",
    }.items():
        assert [each for each in seen[name].splitlines() if each.startswith("transforms")] == [line], seen
    metrics = lab.server.client("cloudwatch").list_metrics(Namespace=GROUP, MetricName="CPUUtilization")["Metrics"]
    hosts = [dimension["Value"] for metric in metrics for dimension in metric["Dimensions"]]
    assert [host for host in hosts if host.startswith("chain/")] == ["chain/algo-1"]
    left = Path(lab.server.home, "jobs")
    eventually(lambda: not list(left.glob("TransformJob-*/spec.json")), "the folders of all containers are removed")


def test_containers_of_different_images_and_names_on_several_instances(lab: Lab) -> None:
    """What prepares rows in one image, and a model that was trained in another one."""
    lab.put("train/rows.csv", "\n".join(labelled_rows(300)))
    rounds = {"objective": "binary:logistic", "num_round": 5}
    lab.start("train", hyperparameters=rounds, channels={"train": f"s3://{BUCKET}/train/"})
    data = lab.completed("train")["ModelArtifacts"]["S3ModelArtifacts"]
    lab.model("alone", data)
    script = """
        def model_fn(folder):
            return None

        def transform_fn(model, body, content_type, accept):
            text = body.decode() if isinstance(body, bytes) else body
            return "\\n".join(line.partition(";")[2].replace(";", ",") for line in text.splitlines()), "text/csv"
        """
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": lab.script(script)}
    prepares = {"Image": SKLEARN, "Environment": variables, "ContainerHostname": "prepare"}
    pipeline(lab, "both", prepares, {"Image": XGBOOST, "ModelDataUrl": data, "ContainerHostname": "predict"})
    rows = [row.partition(",")[2] for row in labelled_rows(30, 2)]
    for number in range(3):
        lab.put(f"in/{number}", "\n".join(rows[number * 10 : number * 10 + 10]))
        raw = "\n".join(f"id-{number};{row.replace(',', ';')}" for row in rows[number * 10 : number * 10 + 10])
        lab.put(f"raw/{number}", raw)
    transform(lab, "alone", "alone")
    transform(lab, "both", "both", S3DataSource={"S3Uri": f"s3://{BUCKET}/raw/"}, InstanceCount=2)
    for number in range(3):
        assert output(lab, "both", str(number)) == output(lab, "alone", str(number))
    found = lab.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="both/")["logStreams"]
    names = [each["logStreamName"].split("/") for each in found]
    assert sorted((host.rpartition("-")[0], part) for _, host, part in names) == [
        (host, part) for host in ("algo-1", "algo-2") for part in ("data-log", "predict", "prepare")
    ]


def test_a_container_that_fails_fails_the_job(lab: Lab) -> None:
    lab.put("in/rows", ROWS)
    once = {"ModelClientConfig": {"InvocationsMaxRetries": 0}}
    pipeline(lab, "fails", container(lab, "a"), container(lab, "fails"))
    start(lab, "fails", "fails", **once)
    assert ended(lab, "fails")["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert data_log(lab, "fails")[1] == (
        f"{BUCKET}/in/rows: Bad HTTP status received from algorithm: 500 (container container-2)"
    )
    assert "RuntimeError: this container breaks" in streams(lab, "fails")["container-2"]
    assert keys(lab, "fails") == []
    pipeline(lab, "dies", container(lab, "a"), container(lab, "dies"))
    start(lab, "dies", "dies", **once)
    reason = ended(lab, "dies")["FailureReason"]
    assert reason == "AlgorithmError: container-2: See job logs for more information, exit code: 3"
    # One that cannot have its data.
    missing = {"Image": SKLEARN, "ModelDataUrl": f"s3://{BUCKET}/nothing.tar.gz"}
    pipeline(lab, "missing", container(lab, "a"), missing)
    start(lab, "missing", "missing")
    job = ended(lab, "missing")
    assert job["TransformJobStatus"] == "Failed"
    assert f"s3://{BUCKET}/nothing.tar.gz" in job["FailureReason"], job["FailureReason"]
    assert job["FailureReason"].startswith("ClientError: Data download failed")


def test_stop_and_agents_that_are_killed(lab: Lab) -> None:
    pipeline(lab, "chain", container(lab, "a"), container(lab, "b"))
    for key, text in (("a", "one"), ("b", "wait"), ("c", "three")):
        lab.put(f"in/{key}", text)
    start(lab, "stopped", "chain", MaxConcurrentTransforms=1)
    await_log(lab, "stopped", "waits")
    lab.sagemaker.stop_transform_job(TransformJobName="stopped")
    job = ended(lab, "stopped")
    assert job["TransformJobStatus"] == "Stopped" and "FailureReason" not in job

    for number, which in enumerate(("driver", "companion")):
        name, jobs = f"killed-{which}", Path(lab.server.home, "jobs")
        lab.put("in/b", "wait")
        start(lab, name, "chain", MaxConcurrentTransforms=1)
        await_log(lab, name, "waits")
        eventually(lambda: "a.out" in keys(lab, name), "the first object is done")  # noqa: B023 - called at once
        lab.put("in/b", "goes on")
        # The folders of the job before go a moment after its end is shown.
        eventually(lambda: len(held(jobs)) == 2, "only the agents of this job are there")  # noqa: B023
        locks = held(jobs)
        os.kill(int(locks[number].read_text().split()[0]), signal.SIGKILL)
        assert ended(lab, name)["TransformJobStatus"] == "Completed", log(lab, name)
        assert [output(lab, name, key) for key in ("a", "b", "c")] == ["one>a>b\n", "goes on>a>b\n", "three>a>b\n"]
        asked = [line for line in streams(lab, name)["container-2"].splitlines() if line.startswith("transforms")]
        assert len(asked) in (3, 4)
        eventually(lambda: not list(jobs.glob("TransformJob-*/spec.json")), "its folders are removed")  # noqa: B023


def held(jobs: Path) -> list[Path]:
    """The locks of the agents."""
    return sorted((file for file in jobs.glob("TransformJob-*/lock") if file.read_text()), key=str)


@pytest.mark.parametrize("image", ["made-up:1", "123456789012.dkr.ecr.us-east-1.amazonaws.com/nothing:1"])
def test_an_image_that_nobody_has(lab: Lab, image: str) -> None:
    lab.put("in/rows", ROWS)
    pipeline(lab, "strange", container(lab, "a"), {"Image": image})
    start(lab, "strange", "strange")
    assert f"Cannot pull image '{image}'" in ended(lab, "strange")["FailureReason"]
