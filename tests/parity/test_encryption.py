"""Encryption as SageMaker's requests ask for it, by unmodified boto3: what jobs read and write lies under keys of KMS,
and who may not use a key hears so before anything runs.

https://docs.aws.amazon.com/sagemaker/latest/dg/encryption-at-rest.html
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from parity_lab import BUCKET, SKLEARN, Lab, channel, eventually, labelled_rows, labels, without_label

TRAIN = {"objective": "binary:logistic", "num_round": 5, "eval_metric": "auc"}
SECRET = "the words that nobody may find on the disk"


@pytest.fixture
def kms(lab: Lab) -> Any:
    return lab.server.client("kms")


@pytest.fixture
def key(lab: Lab, kms: Any) -> str:
    """The ARN of a key that the execution role may use."""
    arn = str(kms.create_key()["KeyMetadata"]["Arn"])
    kms.create_grant(KeyId=arn, GranteePrincipal=lab.role, Operations=["GenerateDataKey", "Decrypt"])
    return arn


def head(lab: Lab, uri: str) -> tuple[str | None, str | None]:
    """How an object is encrypted, and with which key."""
    bucket, _, name = uri.removeprefix("s3://").partition("/")
    found = lab.s3.head_object(Bucket=bucket, Key=name)
    return found.get("ServerSideEncryption"), found.get("SSEKMSKeyId")


def on_disk(lab: Lab, what: str | bytes) -> list[str]:
    """The files below the server's home folder, without logs, that have ``what`` in them."""
    sought = what.encode() if isinstance(what, str) else what
    found = []
    for folder, _, names in os.walk(lab.server.home):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):  # it was deleted meanwhile, or is a socket
                if name != "log" and path.is_file() and sought in path.read_bytes():
                    found.append(str(path.relative_to(lab.server.home)))
    return found


def put(lab: Lab, name: str, body: str, **how: Any) -> str:
    lab.s3.put_object(Bucket=BUCKET, Key=name, Body=body.encode(), **how)
    return f"s3://{BUCKET}/{name}"


def under(key: str) -> dict[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}


def output(key: str) -> dict[str, str]:
    return {"S3OutputPath": f"s3://{BUCKET}/output", "KmsKeyId": key}


def test_a_model_from_encrypted_data_to_an_endpoint(lab: Lab, kms: Any, key: str) -> None:
    kms.create_alias(AliasName="alias/models", TargetKeyId=key)
    rows = labelled_rows(300)
    for part in range(3):
        put(lab, f"train/{part}.csv", "\n".join(rows[part * 100 : part * 100 + 100]), **under(key))
    lab.start(
        "sealed",
        channels={"train": f"s3://{BUCKET}/train/"},
        hyperparameters=TRAIN,
        OutputDataConfig=output("alias/models"),
    )
    job = lab.completed("sealed")
    assert job["OutputDataConfig"]["KmsKeyId"] == "alias/models"
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert head(lab, artifact) == ("aws:kms", key)
    assert "xgboost-model" in lab.archive(artifact)
    # Neither the data nor the artifact can be read from the disk.
    eventually(lambda: not on_disk(lab, rows[0]), "only encrypted data is left")
    assert not on_disk(lab, lab.get(artifact)[100:164])

    lab.deploy("sealed", artifact)
    answers = [float(line) for line in lab.invoke("sealed", without_label(rows[:20])).decode().split()]
    assert sum(round(answer) == label for answer, label in zip(answers, labels(rows[:20]), strict=True)) >= 18

    # Without the key there is no model any more.
    kms.disable_key(KeyId=key)
    lab.sagemaker.create_endpoint(EndpointName="late", EndpointConfigName="sealed")
    late = lab.endpoint_settled("late")
    assert late["EndpointStatus"] == "Failed"
    assert "cannot be decrypted" in late["FailureReason"]
    assert f"{key} is disabled" in late["FailureReason"]


@pytest.mark.parametrize("method", ["aws:kms", "AES256"])
def test_encrypted_data_in_every_input_mode(lab: Lab, key: str, method: str) -> None:
    how = under(key) if method == "aws:kms" else {"ServerSideEncryption": method}
    for name in ("file", "fast", "listed"):
        put(lab, f"{name}/words", f"{name}: {SECRET}", **how)
    # Larger than what FastFile mode copies rather than shows.
    put(lab, "fast/large", SECRET * 50_000, **how)
    manifest = put(lab, "manifest", json.dumps([{"prefix": f"s3://{BUCKET}/listed/"}, "words"]), **how)
    lines = "\n".join(json.dumps({"source-ref": f"s3://{BUCKET}/file/words", "label": n}) for n in range(2))
    augmented = put(lab, "augmented", lines, **how)
    source = """
        import os
        root = "/opt/ml/input/data"
        for name in ("file", "fast", "listed"):
            with open(f"{root}/{name}/words") as file:
                print("read", file.read())
        print("large", os.path.getsize(f"{root}/fast/large"))
        with open(f"{root}/pipe_0", "rb") as pipe:
            print("piped", pipe.read().decode())
        with open(f"{root}/augmented_0", "rb") as pipe:
            print("augmented", pipe.read().count(b"file: "))
        """
    channels = [
        channel("file", f"s3://{BUCKET}/file/"),
        channel("fast", f"s3://{BUCKET}/fast/") | {"InputMode": "FastFile"},
        channel("listed", manifest),
        channel("pipe", f"s3://{BUCKET}/file/") | {"InputMode": "Pipe"},
        channel("augmented", augmented) | {"InputMode": "Pipe"},
    ]
    channels[2]["DataSource"]["S3DataSource"]["S3DataType"] = "ManifestFile"
    channels[4]["DataSource"]["S3DataSource"] |= {
        "S3DataType": "AugmentedManifestFile",
        "AttributeNames": ["source-ref", "label"],
    }
    lab.start_script("modes", source, InputDataConfig=channels)
    lab.completed("modes")
    log = lab.log_of("modes").splitlines()
    assert [line for line in log if line.startswith("read")] == [
        f"read {n}: {SECRET}" for n in ("file", "fast", "listed")
    ]
    assert f"large {len(SECRET) * 50_000}" in log
    assert f"piped file: {SECRET}" in log
    assert "augmented 2" in log
    eventually(lambda: not on_disk(lab, SECRET), "only encrypted data is left")


def test_a_role_that_may_not_use_the_key(lab: Lab, kms: Any) -> None:
    key = kms.create_key()["KeyMetadata"]["Arn"]
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = lab.server.client("iam")
    role = iam.create_role(RoleName="NoKeys", AssumeRolePolicyDocument=json.dumps({"Statement": trust}))["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}
    iam.put_role_policy(RoleName="NoKeys", PolicyName="s3", PolicyDocument=json.dumps({"Statement": allow}))
    plain = lab.put("plain/words", "1,2")

    # What is written: known before anything runs.
    lab.start_script("output", "print('ran')", RoleArn=role, OutputDataConfig=output(key))
    job = lab.ended("output")
    assert job["TrainingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith(f"ClientError: The KMS key {key} in OutputDataConfig.KmsKeyId cannot be used: ")
    assert "/NoKeys/SageMaker is not authorized to perform: kms:GenerateDataKey on resource: " in reason
    assert "TrainingStartTime" not in job

    # What is read.
    sealed = put(lab, "sealed/words", SECRET, **under(key))
    lab.start_script("input", "print('ran')", RoleArn=role, channels={"a": plain, "b": sealed})
    job = lab.ended("input")
    assert job["TrainingJobStatus"] == "Failed"
    assert f'"{sealed}" cannot be decrypted' in job["FailureReason"]
    assert f"kms:Decrypt on resource: {key}" in job["FailureReason"]


def test_keys_that_are_disabled(lab: Lab, kms: Any, key: str) -> None:
    kms.disable_key(KeyId=key)
    lab.start_script("output", "print('ran')", OutputDataConfig=output(key))
    volume = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5, "VolumeKmsKeyId": key}
    lab.start_script("volume", "print('ran')", ResourceConfig=volume)
    for name, member in (("output", "OutputDataConfig.KmsKeyId"), ("volume", "ResourceConfig.VolumeKmsKeyId")):
        reason = lab.ended(name)["FailureReason"]
        assert reason.startswith(f"ClientError: The KMS key {key} in {member} cannot be used: {key} is disabled. ")


def test_models_that_are_uploaded_in_parts(lab: Lab, key: str) -> None:
    source = """
        import os
        with open(os.environ["SM_MODEL_DIR"] + "/weights", "wb") as file:
            file.write(os.urandom(20 << 20))
        """
    lab.start_script("large", source, OutputDataConfig=output(key))
    artifact = lab.completed("large")["ModelArtifacts"]["S3ModelArtifacts"]
    assert head(lab, artifact) == ("aws:kms", key)
    assert len(lab.archive(artifact)["weights"]) == 20 << 20


def test_processing_jobs_write_under_their_key(lab: Lab, key: str) -> None:
    lab.put("code/run.py", "open('/opt/ml/processing/out/words', 'w').write('processed')")
    where = {"S3DataType": "S3Prefix", "S3InputMode": "File", "LocalPath": "/opt/ml/processing/code"}
    job = lab.process(
        "sealed",
        AppSpecification={"ContainerEntrypoint": ["python3", "/opt/ml/processing/code/run.py"]},
        ProcessingInputs=[{"InputName": "code", "S3Input": {"S3Uri": f"s3://{BUCKET}/code/run.py", **where}}],
        ProcessingOutputConfig={
            "KmsKeyId": key,
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/processed",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
        },
    )
    assert job["ProcessingJobStatus"] == "Completed", job
    assert head(lab, f"s3://{BUCKET}/processed/words") == ("aws:kms", key)
    assert lab.get(f"s3://{BUCKET}/processed/words").decode() == "processed"


def test_captured_data_lies_under_its_key(lab: Lab, kms: Any, key: str) -> None:
    code = lab.script("def model_fn(folder): return None\ndef predict_fn(data, model): return data\n")
    lab.model("m", None, SKLEARN, Environment={"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": code})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
        "KmsKeyId": key,
    }
    other = kms.create_key()["KeyMetadata"]["Arn"]
    for name, chosen in (("good", key), ("bad", other)):
        lab.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=[variant], DataCaptureConfig=capture | {"KmsKeyId": chosen}
        )
        lab.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    refused = lab.endpoint_settled("bad")
    assert refused["EndpointStatus"] == "Failed"
    assert f"The KMS key {other} in DataCaptureConfig.KmsKeyId cannot be used" in refused["FailureReason"]
    assert lab.endpoint_settled("good")["EndpointStatus"] == "InService"
    lab.invoke("good", "1,2,3")

    def captured() -> list[str]:
        found = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="captured/").get("Contents", [])
        return [each["Key"] for each in found]

    (name,) = eventually(captured, "an object of captured data")
    assert head(lab, f"s3://{BUCKET}/{name}") == ("aws:kms", key)


def test_nothing_of_an_interrupted_job_is_left(lab: Lab, key: str) -> None:
    source = """
        print("begun", flush=True)
        import time
        time.sleep(600)
        """
    data = put(lab, "data/words", SECRET, **under(key))
    lab.start_script(
        "spot",
        source,
        channels={"data": data},
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        Environment={"CLARY_SPOT_INTERRUPTIONS": "1+50"},
    )
    lab.await_log("spot", "begun")
    assert on_disk(lab, SECRET)
    lab.await_status("spot", "Interrupted")
    eventually(lambda: not on_disk(lab, SECRET), "nothing of the machine that was taken away is left")
    lab.sagemaker.stop_training_job(TrainingJobName="spot")
    assert lab.ended("spot")["TrainingJobStatus"] == "Stopped"
    assert "begun" in lab.log_of("spot")


def test_nothing_of_a_volume_is_left(lab: Lab, key: str) -> None:
    volume = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5, "VolumeKmsKeyId": key}
    source = f"""
        import os, sys, tempfile, time
        secret = {SECRET[::-1]!r}[::-1]
        os.makedirs("/opt/ml/model/hidden", exist_ok=True)
        for folder in ("/opt/ml/model/hidden", "/opt/ml/output", tempfile.gettempdir()):
            with open(folder + "/words", "w") as file:
                file.write(secret)
        os.chmod("/opt/ml/model/hidden", 0o500)
        print("written", flush=True)
        if sys.argv[-1] == "fails":
            sys.exit(1)
        if sys.argv[-1] == "waits":
            time.sleep(600)
        """
    data = put(lab, "data/words", SECRET, **under(key))
    more: dict[str, Any] = {"channels": {"data": data}, "ResourceConfig": volume, "OutputDataConfig": output(key)}
    for how in ("ends", "fails", "waits"):
        lab.start_script(how, source, hyperparameters={"how": how}, **more)
    lab.await_log("waits", "written")
    assert on_disk(lab, SECRET)  # as a file, for as long as the job runs: the search finds what is there
    lab.sagemaker.stop_training_job(TrainingJobName="waits")
    for how, status in (("ends", "Completed"), ("fails", "Failed"), ("waits", "Stopped")):
        assert lab.ended(how)["TrainingJobStatus"] == status
    eventually(lambda: not on_disk(lab, SECRET), "nothing of the volumes is left")
    left = {each.name for each in (lab.server.home / "jobs").rglob("*") if each.is_file()}
    assert left <= {"log", "data-log", "metrics.jsonl"}
