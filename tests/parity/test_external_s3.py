"""An installation that keeps its objects in OpenStack Swift: boto3 as it is, and a job from its data to its model."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from parity_lab import BUCKET, Lab, channel, eventually, labelled_rows, without_label

from clary.compute.placement.local import LocalPlacement
from clary.core.files import write_private
from clary.core.settings import load
from clary.testing.server import server

pytestmark = [pytest.mark.slow("external-s3"), pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def swift() -> Iterator[Any]:
    """Swift on this machine, as boto3 reaches it without Clary."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from bench.swift import ACCESS_KEY, SECRET_KEY, swift_server

    with swift_server() as url:
        yield boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )


@pytest.fixture(scope="module")
def stored(swift: Any) -> Iterator[Lab]:
    """An installation that keeps its objects there."""
    from bench.swift import ACCESS_KEY, SECRET_KEY

    home = Path(tempfile.mkdtemp(prefix="clary-"))
    try:
        (home / "secrets").mkdir(mode=0o700)
        keys = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
        write_private(home / "secrets" / "objects.json", json.dumps(keys))
        with server(home, objects_url=swift.meta.endpoint_url) as running:
            yield Lab(running)
    finally:
        # Jobs and endpoints outlive the server of a folder that is kept, and this one is not.
        placement = LocalPlacement(load(home, {}))
        for job in placement.list():
            placement.remove(job)
        shutil.rmtree(home, ignore_errors=True)


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_objects_are_put_found_changed_and_removed(stored: Lab, swift: Any) -> None:
    s3 = stored.s3
    s3.put_object(Bucket=BUCKET, Key="a/é b+c", Body=b"0123456789", ContentType="text/plain", Metadata={"x": "y"})
    for client in (s3, swift):
        found = client.get_object(Bucket=BUCKET, Key="a/é b+c")
        assert (found["Body"].read(), found["ContentType"], found["Metadata"]) == (
            b"0123456789",
            "text/plain",
            {"x": "y"},
        )
    assert s3.get_object(Bucket=BUCKET, Key="a/é b+c", Range="bytes=2-4")["Body"].read() == b"234"
    assert s3.head_object(Bucket=BUCKET, Key="a/é b+c")["ContentLength"] == 10
    tag = s3.head_object(Bucket=BUCKET, Key="a/é b+c")["ETag"]
    assert refused(s3.get_object, Bucket=BUCKET, Key="a/é b+c", IfNoneMatch=tag) == "304"
    assert refused(s3.get_object, Bucket=BUCKET, Key="none") == "NoSuchKey"
    assert refused(s3.list_objects_v2, Bucket="no-such-bucket") == "NoSuchBucket"
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "a/é b+c"})
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"0123456789"
    for number in range(5):
        stored.put(f"many/{number}", str(number))
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="many/", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["Contents"]) for page in pages] == [2, 2, 1]
    keys = [{"Key": key} for key in ("copy", "a/é b+c", *(f"many/{number}" for number in range(5)))]
    assert len(s3.delete_objects(Bucket=BUCKET, Delete={"Objects": keys})["Deleted"]) == 7
    assert refused(s3.head_object, Bucket=BUCKET, Key="copy") == "404"


def test_large_files_go_in_parts(stored: Lab, tmp_path: Path) -> None:
    content = os.urandom(20 << 20)
    (tmp_path / "large").write_bytes(content)
    stored.s3.upload_file(str(tmp_path / "large"), BUCKET, "large")
    assert stored.s3.head_object(Bucket=BUCKET, Key="large")["ETag"].endswith('-3"')
    stored.s3.download_file(BUCKET, "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    place = {"Bucket": BUCKET, "Key": "joined"}
    upload = stored.s3.create_multipart_upload(**place)["UploadId"]
    first = stored.s3.upload_part_copy(**place, UploadId=upload, PartNumber=1, CopySource=f"{BUCKET}/large")
    second = stored.s3.upload_part(**place, UploadId=upload, PartNumber=2, Body=b"end")
    tags = [first["CopyPartResult"]["ETag"], second["ETag"]]
    parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
    done = stored.s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    assert done["Location"] == f"{stored.server.url}/{BUCKET}/joined"
    assert stored.get(f"s3://{BUCKET}/joined") == content + b"end"


def test_presigned_addresses_lead_to_clary(stored: Lab) -> None:
    uri = stored.put("shown", "content")
    url = stored.s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "shown"})
    assert url.startswith(stored.server.url)
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == b"content" == stored.get(uri)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("shown", "other"), timeout=30)


def test_bodies_that_are_not_what_was_said_are_not_published(stored: Lab, swift: Any) -> None:
    stored.put("promised", "before")
    for size in (1000, 2_000_000):
        arguments = {"Bucket": BUCKET, "Key": "promised", "Body": b"x" * size, "ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}
        assert refused(stored.s3.put_object, **arguments) == "BadDigest"
    assert swift.get_object(Bucket=BUCKET, Key="promised")["Body"].read() == b"before"


def test_keys_and_policies_are_clarys_own(stored: Lab) -> None:
    session = stored.server.session()
    forger = session.client("s3", aws_secret_access_key="wrong", aws_access_key_id=session.get_credentials().access_key)
    assert refused(forger.list_buckets) == "SignatureDoesNotMatch"
    iam = stored.server.client("iam")
    iam.create_user(UserName="guest")
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/public/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="guest", PolicyName="own", PolicyDocument=policy)
    made = iam.create_access_key(UserName="guest")["AccessKey"]
    guest = session.client("s3", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])
    stored.put("public/a", "x")
    stored.put("private/b", "y")
    assert guest.get_object(Bucket=BUCKET, Key="public/a")["Body"].read() == b"x"
    assert refused(guest.get_object, Bucket=BUCKET, Key="private/b") == "AccessDenied"
    assert refused(guest.put_object, Bucket=BUCKET, Key="public/a", Body=b"z") == "AccessDenied"


def test_a_model_is_trained_on_what_lies_there_and_comes_to_lie_there(stored: Lab, swift: Any) -> None:
    rows = labelled_rows(400)
    stored.put("train/rows.csv", "\n".join(rows))
    stored.start(
        "stored",
        hyperparameters={"objective": "binary:logistic", "num_round": 10, "eval_metric": "auc"},
        InputDataConfig=[channel("train", f"s3://{BUCKET}/train/")],
    )
    artifact = stored.completed("stored")["ModelArtifacts"]["S3ModelArtifacts"]
    assert "xgboost-model" in stored.archive(artifact)
    bucket, _, key = artifact.removeprefix("s3://").partition("/")
    assert swift.head_object(Bucket=bucket, Key=key)["ContentLength"] > 1000
    # The endpoint's model comes from there, and what is captured of it goes there.
    stored.model("stored", artifact)
    variant = {"VariantName": "v", "ModelName": "stored", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{BUCKET}/captured",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    stored.sagemaker.create_endpoint_config(
        EndpointConfigName="stored", ProductionVariants=[variant], DataCaptureConfig=capture
    )
    stored.sagemaker.create_endpoint(EndpointName="stored", EndpointConfigName="stored")
    assert stored.endpoint_settled("stored")["EndpointStatus"] == "InService"
    answer = stored.runtime.invoke_endpoint(EndpointName="stored", ContentType="text/csv", Body=without_label(rows[:5]))
    assert len(answer["Body"].read().decode().replace(",", "\n").split()) == 5
    written = eventually(
        lambda: swift.list_objects_v2(Bucket=BUCKET, Prefix="captured/").get("Contents"), "the capture is written"
    )
    assert written[0]["Key"].startswith("captured/stored/v/")
    assert not (stored.server.home / "objects" / "index.db").exists()
