"""Data capture of batch transform, as Model Monitor reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, Lab, pack
from parity_transform import OWN, ended, keys, output, own_model, start, transform

CAPTURE = f"s3://{BUCKET}/seen"


def captured(lab: Lab, way: str) -> dict[str, Any]:
    """The manifests below ``input`` or ``output``, by their keys."""
    found = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"seen/{way}/").get("Contents", [])
    return {each["Key"]: json.loads(lab.get(f"s3://{BUCKET}/{each['Key']}")) for each in found}


def test_manifests_of_what_was_transformed(lab: Lab) -> None:
    own_model(lab)
    kms = lab.server.client("kms")
    monitor, out = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    kms.create_alias(AliasName="alias/monitor", TargetKeyId=monitor)
    for each in (monitor, out):
        kms.create_grant(KeyId=each, GranteePrincipal=lab.role, Operations=["GenerateDataKey", "Decrypt"])
    for key in ("a.csv", "b.csv", "c/d.csv"):
        lab.put(f"in/{key}", "one\ntwo\n")
    config = {"DestinationS3Uri": CAPTURE, "KmsKeyId": "alias/monitor", "GenerateInferenceId": False}
    job = transform(lab, "seen", "own", DataCaptureConfig=config, TransformOutput={"KmsKeyId": out})
    assert job["DataCaptureConfig"] == config
    hour = re.escape(job["TransformStartTime"].strftime("%Y/%m/%d/"))
    [(key, manifest)] = captured(lab, "input").items()
    assert re.fullmatch(rf"seen/input/{hour}\d\d/[0-9a-f-]{{36}}\.json", key), key
    assert manifest == [{"prefix": f"s3://{BUCKET}/in/"}, "a.csv", "b.csv", "c/d.csv"]
    for name, used in ((key, monitor), ("out/seen/a.csv.out", out)):
        head = lab.s3.head_object(Bucket=BUCKET, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", used)
    [(key, manifest)] = captured(lab, "output").items()
    assert manifest == [{"prefix": f"s3://{BUCKET}/out/seen/"}, "a.csv.out", "b.csv.out", "c/d.csv.out"]
    assert output(lab, "seen", "a.csv") == "3\n3\n"
    # They are the manifests that jobs read: here the answers are the input of another job.
    transform(lab, "again", "own", S3DataSource={"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/{key}"})
    assert keys(lab, "again") == ["a.csv.out.out", "b.csv.out.out", "c/d.csv.out.out"]
    # Each instance writes one of its share.
    transform(lab, "shared", "own", InstanceCount=2, DataCaptureConfig={"DestinationS3Uri": f"{CAPTURE}/shared/"})
    found = lab.s3.list_objects_v2(Bucket=BUCKET, Prefix="seen/shared/input/")["Contents"]
    shares = [json.loads(lab.get(f"s3://{BUCKET}/{each['Key']}"))[1:] for each in found]
    assert sorted(shares) == [["a.csv", "c/d.csv"], ["b.csv"]]


def test_inference_ids_match_predictions_with_what_is_known_later(lab: Lab) -> None:
    own_model(lab)
    lab.put("in/a.csv", "id-1,xx\nid-2,yyy\n")
    config = {"DestinationS3Uri": CAPTURE, "GenerateInferenceId": True}
    processing = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    job = transform(lab, "ids", "own", DataCaptureConfig=config, DataProcessing=processing)
    rows = [line.split(",") for line in output(lab, "ids", "a.csv").splitlines()]
    assert [row[:2] for row in rows] == [["id-1", "2"], ["id-2", "3"]]
    assert len({UUID(row[2]) for row in rows}) == 2
    [time] = {row[3] for row in rows}
    began = datetime.fromisoformat(time)
    assert time.endswith("Z") and abs(job["TransformStartTime"] - began) < timedelta(minutes=1)
    [key] = captured(lab, "input")
    assert key.startswith(f"seen/input/{began:%Y/%m/%d/%H}/")

    lab.put("json/a", "[1, 2]\n[3]\n")
    media = "application/jsonlines"
    transform(
        lab,
        "lines",
        "own",
        S3DataSource={"S3Uri": f"s3://{BUCKET}/json/"},
        TransformInput={"ContentType": media},
        TransformOutput={"Accept": media},
        DataCaptureConfig=config,
    )
    documents = [json.loads(line) for line in output(lab, "lines", "a").splitlines()]
    assert [list(each) for each in documents] == [["sum", "SageMakerInferenceId", "SageMakerInferenceTime"]] * 2
    assert [each["sum"] for each in documents] == [3, 3]


@pytest.fixture
def reader(lab: Lab) -> Iterator[str]:
    """A role that may write results, and nothing else."""
    iam = lab.server.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    statements = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/out/*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="Reader", PolicyName="reads", PolicyDocument=policy)
    yield arn
    iam.delete_role_policy(RoleName="Reader", PolicyName="reads")
    iam.delete_role(RoleName="Reader")


def test_a_place_that_the_job_may_not_write_to(lab: Lab, reader: str) -> None:
    lab.put("in/a", "one\n")
    data = lab.put("own/model.tar.gz", pack({"code/inference.py": OWN, "weights": ""}))
    container = {"Image": SKLEARN, "ModelDataUrl": data, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    lab.sagemaker.create_model(ModelName="own", ExecutionRoleArn=reader, PrimaryContainer=container)
    for name, uri in (("closed", CAPTURE), ("missing", "s3://no-such-bucket/seen")):
        start(lab, name, "own", DataCaptureConfig={"DestinationS3Uri": uri})
        job = ended(lab, name)
        assert job["TransformJobStatus"] == "Failed"
        assert job["FailureReason"].startswith("ClientError: Captured data upload failed: "), job["FailureReason"]
        assert f'the bucket of "{uri}"' in job["FailureReason"] and f'the role "{reader}"' in job["FailureReason"]
        assert keys(lab, name) == ["a.out"]  # what was transformed stays


def test_what_is_refused(lab: Lab) -> None:
    own_model(lab)

    def refused(config: dict[str, Any], **changes: Any) -> str:
        with pytest.raises(ClientError) as error:
            start(lab, "refused", "own", DataCaptureConfig={"DestinationS3Uri": CAPTURE, **config}, **changes)
        assert error.value.response["Error"]["Code"] == "ValidationException"
        return str(error.value)

    assert "The S3 URI https://elsewhere/x is invalid." in refused({"DestinationS3Uri": "https://elsewhere/x"})
    assert "failed to satisfy constraint: Member must satisfy regular expression pattern" in refused(
        {"DestinationS3Uri": "here"}
    )
    assert "failed to satisfy constraint: Member must satisfy regular expression pattern" in refused(
        {"KmsKeyId": "no key!"}
    )
    binary = {"TransformOutput": {"Accept": "application/x-npy"}}
    assert "GenerateInferenceId needs Accept to be one of text/csv," in refused({"GenerateInferenceId": True}, **binary)
