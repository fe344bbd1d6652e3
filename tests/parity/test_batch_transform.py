"""Batch transform: objects through a model and back into objects, as SageMaker does it."""

from __future__ import annotations

import gzip
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, Lab, eventually, labelled_rows, pack
from parity_transform import (
    GROUP,
    await_log,
    data_log,
    ended,
    events,
    keys,
    log,
    output,
    own_model,
    start,
    transform,
)


@pytest.fixture
def xgboost(lab: Lab) -> str:
    """A trained model called ``boosted``."""
    lab.put("train/rows.csv", "\n".join(labelled_rows(300)))
    lab.start(
        "train",
        hyperparameters={"objective": "binary:logistic", "num_round": 5},
        channels={"train": f"s3://{BUCKET}/train/"},
    )
    data = lab.completed("train")["ModelArtifacts"]["S3ModelArtifacts"]
    lab.model("boosted", data)
    return str(data)


def rows(count: int, seed: int) -> list[str]:
    """Rows of four features."""
    return [row.partition(",")[2] for row in labelled_rows(count, seed)]


def test_from_a_trained_model_to_predictions(lab: Lab, xgboost: str) -> None:
    given = {"a.csv": rows(400, 1), "deeper/b.csv": rows(30, 2), "last": rows(1, 3)}
    for key, text in given.items():
        lab.put(f"in/{key}", "\n".join(text) + "\n")
    lab.deploy("same", xgboost)
    arn = start(lab, "main", "boosted", Tags=[{"Key": "team", "Value": "ml"}], Environment={"MODE": "batch"})
    assert arn.endswith(":transform-job/main")
    waiter = lab.sagemaker.get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName="main", WaiterConfig={"Delay": 0.1, "MaxAttempts": 1000})
    job = ended(lab, "main")
    assert job["TransformJobStatus"] == "Completed", log(lab, "main")
    assert job["CreationTime"] <= job["TransformStartTime"] <= job["TransformEndTime"]
    assert job["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert job["TransformInput"]["CompressionType"] == "None" and job["Environment"] == {"MODE": "batch"}
    assert not [member for member in job if member.startswith("_")]
    assert lab.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "ml"}]
    assert sorted(keys(lab, "main")) == ["a.csv.out", "deeper/b.csv.out", "last.out"]
    for key, text in given.items():
        answer = lab.invoke("same", "\n".join(text), Accept="text/csv").decode()
        assert output(lab, "main", key).splitlines() == answer.strip().replace(",", "\n").split("\n")

    # The same with one request a row, and with more rows than fit into one.
    many = rows(40_000, 4)
    lab.put("many/rows.csv", "\n".join(many))
    for name, key in (("single", "in/a.csv"), ("many", "many/")):
        more: dict[str, Any] = {"BatchStrategy": "SingleRecord"} if name == "single" else {"MaxPayloadInMB": 1}
        source = {"S3Uri": f"s3://{BUCKET}/{key}"}
        transform(lab, name, "boosted", S3DataSource=source, MaxConcurrentTransforms=3, **more)
    assert output(lab, "single", "a.csv") == output(lab, "main", "a.csv")
    assert data_log(lab, "single") == [
        "MaxConcurrentTransforms=3, MaxPayloadInMB=33, BatchStrategy=SINGLE_RECORD",
    ]
    assert output(lab, "many", "rows.csv").count("\n") == 40_000

    listed = lab.sagemaker.list_transform_jobs(StatusEquals="Completed")["TransformJobSummaries"]
    assert [each["TransformJobName"] for each in listed] == ["many", "single", "main"]
    assert listed[0]["TransformEndTime"] >= listed[1]["TransformEndTime"]
    models = [each["Model"] for each in lab.sagemaker.search(Resource="Model")["Results"]]
    [model] = [each for each in models if each["Model"]["ModelName"] == "boosted"]
    assert model["LastBatchTransformJob"]["TransformJobName"] == "many"
    streams = lab.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="main/")["logStreams"]
    first, second = (stream["logStreamName"] for stream in streams)
    assert first.startswith("main/algo-1-") and second == f"{first}/data-log"
    with pytest.raises(ClientError, match="a transform job with this name already exists"):
        start(lab, "main", "boosted")
    with pytest.raises(ClientError, match="rejected because the transform job is in status Completed"):
        lab.sagemaker.stop_transform_job(TransformJobName="main")


def test_identifiers_are_kept_from_the_model_and_joined_with_its_answers(lab: Lab, xgboost: str) -> None:
    text = rows(50, 1)
    lab.put("in/with-id.csv", "\n".join(f"id-{number},{row}" for number, row in enumerate(text)))
    transform(lab, "plain", "boosted", DataProcessing={"InputFilter": "$[1:]"})
    scores = output(lab, "plain", "with-id.csv").splitlines()
    transform(lab, "joined", "boosted", DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input"})
    whole = [f"id-{number},{row},{score}" for number, (row, score) in enumerate(zip(text, scores, strict=True))]
    assert output(lab, "joined", "with-id.csv").splitlines() == whole
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    job = transform(lab, "filtered", "boosted", DataProcessing=processing)
    assert output(lab, "filtered", "with-id.csv").splitlines()[3] == f"id-3,{scores[3]}"
    assert job["DataProcessing"] == processing
    start(lab, "wrong", "boosted", DataProcessing={"InputFilter": "$[1:]", "OutputFilter": "$[1]"})
    assert ended(lab, "wrong")["FailureReason"] == "ClientError: See job logs for more information"
    assert "Failed to apply the output filter $[1]" in data_log(lab, "wrong")[-1]


def test_formats_and_containers_of_ones_own(lab: Lab) -> None:
    own_model(lab)
    # JSON Lines, joined.
    lab.put("json/a", '{"id": 1, "features": [1, 2]}\n{"id": 2, "features": [3]}\n')
    media = "application/jsonlines"
    transform(
        lab,
        "json",
        "own",
        S3DataSource={"S3Uri": f"s3://{BUCKET}/json"},
        TransformInput={"ContentType": media},
        TransformOutput={"Accept": media},
        DataProcessing={
            "InputFilter": "$.features",
            "JoinSource": "Input",
            "OutputFilter": "$['id','SageMakerOutput']",
        },
    )
    assert [json.loads(line) for line in output(lab, "json", "a").splitlines()] == [
        {"id": 1, "SageMakerOutput": {"sum": 3}},
        {"id": 2, "SageMakerOutput": {"sum": 3}},
    ]

    # Gzip data, one record a request; what the request sets reaches the container.
    lab.put("gzip/a.gz", gzip.compress(b"one\nthree\nfive"))
    transform(
        lab,
        "gzip",
        "own",
        S3DataSource={"S3Uri": f"s3://{BUCKET}/gzip/a.gz"},
        TransformInput={"CompressionType": "Gzip"},
        BatchStrategy="SingleRecord",
        MaxPayloadInMB=1,
        MaxConcurrentTransforms=1,
        Environment={"MODE": "job"},
        ModelClientConfig={"InvocationsTimeoutInSeconds": 30, "InvocationsMaxRetries": 0},
    )
    assert output(lab, "gzip", "a.gz") == "3\n5\n4\n"
    lines = log(lab, "gzip").splitlines()
    assert [line for line in lines if line.startswith("transforms")] == [
        f"transforms {size} text/csv text/csv job" for size in (3, 5, 4)
    ]
    told = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1",
    }
    assert str(told) in lines
    # Without a split the object is the request, and nothing is added to its answer.
    lab.put("whole/a", "one\nthree\n")
    transform(
        lab,
        "whole",
        "own",
        S3DataSource={"S3Uri": f"s3://{BUCKET}/whole/"},
        TransformInput={"SplitType": "None"},
        TransformOutput={"AssembleWith": "None"},
    )
    assert output(lab, "whole", "a") == "3\n5"
    assert str({"SAGEMAKER_BATCH": "true"}) in log(lab, "whole").splitlines()


def test_a_model_without_a_network_is_transformed_with_all_the_same(lab: Lab) -> None:
    program = """
import os, socket

def model_fn(folder):
    return None

def transform_fn(model, body, content_type, accept):
    interfaces = [name for _, name in socket.if_nameindex()]
    return f"{interfaces} {os.environ.get('AWS_ENDPOINT_URL')}", accept
"""
    data = lab.put("alone/model.tar.gz", pack({"code/inference.py": program}))
    container = {"Image": SKLEARN, "ModelDataUrl": data, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    lab.sagemaker.create_model(
        ModelName="alone", ExecutionRoleArn=lab.role, PrimaryContainer=container, EnableNetworkIsolation=True
    )
    lab.put("in/a", "one")
    transform(lab, "alone", "alone")
    assert output(lab, "alone", "a") == "['lo'] None\n"


def test_several_instances_share_the_objects_of_a_manifest(lab: Lab) -> None:
    own_model(lab)
    names = [f"part-{number}" for number in range(5)]
    for name in names:
        lab.put(f"parts/{name}", name)
    lab.put("manifest", json.dumps([{"prefix": f"s3://{BUCKET}/parts/"}, *names]))
    source = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/manifest"}
    transform(lab, "shared", "own", S3DataSource=source, InstanceCount=2)
    assert keys(lab, "shared") == [f"{name}.out" for name in names]
    streams = lab.logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="shared/")["logStreams"]
    served = [
        sum(event["message"].startswith("transforms") for event in events(lab, stream["logStreamName"]))
        for stream in streams
        if not stream["logStreamName"].endswith("/data-log")
    ]
    assert (len(streams), served) == (4, [3, 2])


def test_wrong_input_fails_the_job_and_keeps_what_is_done(lab: Lab, xgboost: str) -> None:
    lab.put("in/a.csv", "\n".join(rows(5, 1)))
    lab.put("in/b.csv", "1,2\n3,4")
    lab.put("in/c.csv", "\n".join(rows(5, 2)))
    start(lab, "wrong", "boosted")
    job = ended(lab, "wrong")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert keys(lab, "wrong") == ["a.csv.out", "c.csv.out"]
    said = data_log(lab, "wrong")
    assert said[1:4] == [f"{BUCKET}/in/b.csv: {text}" for text in ("ClientError: 400", "", "Message:")]
    assert "Feature size of csv inference data 2 is not consistent with feature size of trained model 4" in said[4]

    own_model(lab)
    lab.put("in/b.csv", "broken")
    start(lab, "raising", "own", ModelClientConfig={"InvocationsMaxRetries": 1})
    assert ended(lab, "raising")["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert f"{BUCKET}/in/b.csv: Bad HTTP status received from algorithm: 500" in data_log(lab, "raising")
    assert "RuntimeError: this record breaks the model" in log(lab, "raising")
    assert keys(lab, "raising") == ["a.csv.out", "c.csv.out"]

    lab.put("in/b.csv", "x" * (2 << 20))
    start(lab, "large", "own", MaxPayloadInMB=1)
    assert ended(lab, "large")["FailureReason"] == "ClientError: See job logs for more information"
    assert f"{BUCKET}/in/b.csv: Too much data for max payload size" in data_log(lab, "large")


def test_stop_and_an_agent_that_is_killed(lab: Lab) -> None:
    own_model(lab, gate="")
    for key, text in (("a", "one"), ("b", "wait"), ("c", "three")):
        lab.put(f"in/{key}", text)
    start(lab, "stopped", "own", MaxConcurrentTransforms=1)
    await_log(lab, "stopped", "waits")
    lab.sagemaker.stop_transform_job(TransformJobName="stopped")
    job = ended(lab, "stopped")
    assert job["TransformJobStatus"] == "Stopped" and "FailureReason" not in job
    assert "c.out" not in keys(lab, "stopped")

    # An output of another job is no reason to leave an object out.
    lab.put("out/killed/c.out", "of another job")
    start(lab, "killed", "own", MaxConcurrentTransforms=1)
    await_log(lab, "killed", "waits")
    eventually(lambda: "a.out" in keys(lab, "killed"), "the first object is done")
    lab.put("in/a", "replaced")
    lab.put("in/b", "goes on")
    folders = Path(lab.server.home, "jobs")
    # The folder of the job before goes a moment after its end is shown.
    eventually(lambda: len(list(folders.glob("TransformJob-*/lock"))) == 1, "only the agent of this job is there")
    [lock] = folders.glob("TransformJob-*/lock")
    os.kill(int(lock.read_text().split()[0]), signal.SIGKILL)
    assert ended(lab, "killed")["TransformJobStatus"] == "Completed"
    assert [output(lab, "killed", key) for key in ("a", "b", "c")] == ["3\n", "7\n", "5\n"]
    sizes = [line.split()[1] for line in log(lab, "killed").splitlines() if line.startswith("transforms")]
    assert sizes == ["3", "4", "7", "5"]
    eventually(
        lambda: not [each for each in folders.glob("TransformJob-*/*") if "log" not in each.name], "only logs are left"
    )


def test_an_experiment_is_told_of_its_transform_job(lab: Lab) -> None:
    own_model(lab)
    lab.put("in/a", "one")
    lab.sagemaker.create_experiment(ExperimentName="lengths")
    lab.sagemaker.create_trial(TrialName="first", ExperimentName="lengths")
    config = {"ExperimentName": "lengths", "TrialName": "first", "TrialComponentDisplayName": "Transform"}
    job = transform(lab, "told", "own", ExperimentConfig=config)
    assert job["ExperimentConfig"] == config
    [summary] = lab.sagemaker.list_trial_components(TrialName="first")["TrialComponentSummaries"]
    component = lab.sagemaker.describe_trial_component(TrialComponentName=summary["TrialComponentName"])
    assert component["Source"] == {"SourceArn": job["TransformJobArn"], "SourceType": "SageMakerTransformJob"}
    assert component["Status"]["PrimaryStatus"] == "Completed"
    assert component["Parameters"]["SageMaker.InstanceCount"] == {"NumberValue": 1.0}
    assert component["OutputArtifacts"]["SageMaker.TransformOutput"]["Value"] == f"s3://{BUCKET}/out/told"


def test_what_is_refused(lab: Lab) -> None:
    own_model(lab)

    def refused(**changes: Any) -> str:
        with pytest.raises(ClientError) as error:
            start(lab, "refused", changes.pop("model", "own"), **changes)
        return str(error.value)

    assert "Could not find model" in refused(model="nothing")
    assert "MaxPayloadInMB cannot be greater than 100 MB" in refused(MaxPayloadInMB=101)
    assert "(MaxConcurrentTransforms * MaxPayloadInMB) cannot exceed" in refused(
        MaxPayloadInMB=60, MaxConcurrentTransforms=2
    )
    assert "InputFilter is invalid: the JSONPath '[1]'" in refused(DataProcessing={"InputFilter": "[1]"})
    assert "rows of CSV have indexes" in refused(DataProcessing={"InputFilter": "$.id"})
    wrong = {"TransformInput": {"ContentType": "text/libsvm"}, "DataProcessing": {"JoinSource": "Input"}}
    assert "DataProcessing needs ContentType to be one of" in refused(**wrong)
    assert "AugmentedManifestFile is not compatible" in refused(S3DataSource={"S3DataType": "AugmentedManifestFile"})
    assert "ResourceLimitExceeded" in refused(InstanceCount=21)
    # Nothing was kept of these, and a prefix without objects is found out when the job runs.
    start(lab, "refused", "own", S3DataSource={"S3Uri": f"s3://{BUCKET}/nothing/"})
    assert "ClientError: Data download failed: No S3 objects found under" in ended(lab, "refused")["FailureReason"]
