"""Input modes and manifests as boto3 asks for them: Pipe mode, FastFile mode, augmented manifests, refusals."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, Lab, channel, labelled_rows

TRAIN = {"objective": "binary:logistic", "num_round": 5, "eval_metric": "auc"}


def _channel(uri: str, **changes: Any) -> dict[str, Any]:
    made = channel("train", uri) | changes
    made["DataSource"]["S3DataSource"].update(made.pop("source", {}))
    return made


def _trained(lab: Lab, name: str, *channels: dict[str, Any], **more: Any) -> str:
    """The log of a job that has completed, in which the channel ``train`` had 300 good rows."""
    lab.start(name, hyperparameters=TRAIN, InputDataConfig=list(channels), **more)
    job = lab.completed(name)
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["train:auc"] > 0.95
    assert "xgboost-model" in lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"])
    log = lab.log_of(name)
    assert "Train matrix has 300 rows and 4 columns" in log
    return log


def _put_rows(lab: Lab) -> list[str]:
    rows = labelled_rows(300)
    return [lab.put(f"train/part-{part}.csv", "\n".join(rows[part * 100 : part * 100 + 100])) for part in range(3)]


def test_xgboost_trains_in_pipe_mode(lab: Lab) -> None:
    _put_rows(lab)
    zipped = [gzip.compress("\n".join(labelled_rows(50, seed=seed)).encode()) for seed in (1, 2)]
    for number, data in enumerate(zipped):
        lab.put(f"validation/{number}.csv.gz", data)
    validation = _channel(f"s3://{BUCKET}/validation/", ChannelName="validation", CompressionType="Gzip")
    log = _trained(
        lab,
        "pipe",
        _channel(
            f"s3://{BUCKET}/train/", ShuffleConfig={"Seed": 5}, source={"S3DataDistributionType": "ShardedByS3Key"}
        ),
        validation,
        AlgorithmSpecification={"TrainingInputMode": "Pipe"},
    )
    assert "Validation matrix has 100 rows" in log
    described = lab.sagemaker.describe_training_job(TrainingJobName="pipe")
    assert described["AlgorithmSpecification"]["TrainingInputMode"] == "Pipe"
    assert described["InputDataConfig"][0]["ShuffleConfig"] == {"Seed": 5}
    assert described["InputDataConfig"][1]["CompressionType"] == "Gzip"


def test_xgboost_trains_with_an_augmented_manifest(lab: Lab) -> None:
    lines = [json.dumps({"rows-ref": uri, "note": "ignored"}) for uri in _put_rows(lab)]
    manifest = lab.put("manifests/train.jsonl", "\n".join(lines))
    source = {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["rows-ref"]}
    _trained(lab, "augmented", _channel(manifest, InputMode="Pipe", source=source))
    lab.put("manifests/bad.jsonl", f"{lines[0]}\n{lines[1][:-5]}\n")
    bad = _channel(f"s3://{BUCKET}/manifests/bad.jsonl", InputMode="Pipe", source=source)
    lab.start("bad-manifest", hyperparameters=TRAIN, InputDataConfig=[bad])
    reason = lab.ended("bad-manifest")["FailureReason"]
    assert reason.startswith(
        f'ClientError: Data download failed: The augmented manifest "s3://{BUCKET}/manifests/bad.jsonl" cannot be used:'
        " line 2: it is not JSON"
    )


def test_xgboost_trains_with_fast_files_and_a_manifest(lab: Lab) -> None:
    parts = _put_rows(lab)
    _trained(lab, "fast", _channel(f"s3://{BUCKET}/train/", InputMode="FastFile"))
    names = [uri.rpartition("/")[2] for uri in parts]
    manifest = lab.put("manifests/m.json", json.dumps([{"prefix": f"s3://{BUCKET}/train/"}, *names]))
    _trained(lab, "manifest", _channel(manifest, source={"S3DataType": "ManifestFile"}))


def test_scripts_read_pipes_and_are_told_of_them(lab: Lab) -> None:
    _put_rows(lab)
    program = """
        import json, os
        root = os.environ["SM_INPUT_DIR"]
        print("told", json.load(open(root + "/config/inputdataconfig.json"))["train"])
        for epoch in (0, 1):
            with open(f"{root}/data/train_{epoch}", "rb") as file:
                print("epoch", epoch, file.read(4).hex(), len(file.read()))
    """
    train = _channel(f"s3://{BUCKET}/train/", InputMode="Pipe", RecordWrapperType="RecordIO")
    lab.start_script("script", program, InputDataConfig=[train])
    lab.completed("script")
    log = lab.log_of("script")
    told = re.search(r"told (\{.*\})", log)
    assert told is not None
    assert json.loads(told[1].replace("'", '"')) == {
        "TrainingInputMode": "Pipe",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "RecordIO",
        "ContentType": "text/csv",
    }
    assert len(re.findall(r"epoch [01] 0a23d7ce \d{4,}", log)) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"source": {"S3DataType": "AugmentedManifestFile", "AttributeNames": ["a"]}},
            "AugmentedManifestFile can only be used if the channel's input mode is Pipe, and it is File",
        ),
        ({"source": {"S3DataType": "AugmentedManifestFile"}, "InputMode": "Pipe"}, "needs AttributeNames"),
        ({"source": {"AttributeNames": ["a"]}, "InputMode": "Pipe"}, "AttributeNames can only be used with"),
        ({"source": {"S3DataType": "ManifestFile"}, "InputMode": "FastFile"}, "FastFile needs the S3DataType S3Prefix"),
        ({"CompressionType": "Gzip"}, "CompressionType Gzip is used only in Pipe input mode"),
        ({"RecordWrapperType": "RecordIO", "InputMode": "FastFile"}, "RecordWrapperType RecordIO is used only in Pipe"),
    ],
)
def test_channels_that_cannot_be_are_refused(lab: Lab, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=re.escape(message)) as caught:
        lab.start("refused", hyperparameters=TRAIN, InputDataConfig=[_channel("s3://bucket/key", **changes)])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
