"""Encryption at rest: what lies on the disk cannot be read, and what comes back is what was put."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

MARK = b"what nobody but the key's owner may read "
SMALL, LARGE = MARK * 100, MARK * 300_000
PART = 5 << 20
INSTALLATION = {"ServerSideEncryption": "AES256"}
MANAGED = {"ServerSideEncryption": "aws:kms"}


@pytest.fixture
def on_disk(server: Any) -> Any:
    """Whether the mark can be found in any file of the store."""

    def search() -> bool:
        root: Path = server.application.root
        return any(MARK in path.read_bytes() for path in root.rglob("*") if path.is_file())

    return search


@pytest.mark.parametrize("asked", [INSTALLATION, MANAGED], ids=["installation", "kms"])
def test_objects_and_parts_are_encrypted(s3: Any, bucket: str, on_disk: Any, asked: Any) -> None:
    for key, data in (("small", SMALL), ("large", LARGE), ("empty", b"")):
        put = s3.put_object(Bucket=bucket, Key=key, Body=data, **asked)
        got = s3.get_object(Bucket=bucket, Key=key)
        assert got["Body"].read() == data
        for answer in (put, got, s3.head_object(Bucket=bucket, Key=key)):
            assert answer["ServerSideEncryption"] == asked["ServerSideEncryption"]
            assert ("SSEKMSKeyId" in answer) == (asked is MANAGED)
        md5 = hashlib.md5(data).hexdigest()
        assert (put["ETag"] == f'"{md5}"') == (asked is INSTALLATION)
    middle = len(LARGE) // 2
    part = s3.get_object(Bucket=bucket, Key="large", Range=f"bytes={middle}-{middle + 99_999}")["Body"].read()
    assert part == LARGE[middle : middle + 100_000]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", **asked)["UploadId"]
    where = {"Bucket": bucket, "Key": "parts", "UploadId": upload}
    pieces = [LARGE[:PART], LARGE[PART : PART + 1000]]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**where, PartNumber=number, Body=piece)["ETag"]}
        for number, piece in enumerate(pieces, 1)
    ]
    done = s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
    assert done["ServerSideEncryption"] == asked["ServerSideEncryption"]
    assert s3.get_object(Bucket=bucket, Key="parts")["Body"].read() == LARGE[: PART + 1000]
    assert not on_disk()


def test_the_default_of_the_bucket(s3: Any, bucket: str, fails: Any, on_disk: Any) -> None:
    fails("ServerSideEncryptionConfigurationNotFoundError", s3.get_bucket_encryption, 404, Bucket=bucket)
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    for method in ("AES256", "aws:kms"):
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": method}, "BucketKeyEnabled": method != "AES256"}
        configuration = {"Rules": [rule]}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=configuration)
        assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"] == configuration
        assert s3.put_object(Bucket=bucket, Key="key", Body=SMALL)["ServerSideEncryption"] == method
        assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == SMALL
    assert s3.head_object(Bucket=bucket, Key="key")["BucketKeyEnabled"]
    assert not on_disk()
    s3.delete_bucket_encryption(Bucket=bucket)
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="key", Body=b"x")


def test_a_copy_is_encrypted_as_it_is_asked_to_be(s3: Any, bucket: str, on_disk: Any) -> None:
    s3.put_object(Bucket=bucket, Key="sealed", Body=LARGE, **INSTALLATION)
    for number, asked in enumerate((INSTALLATION, MANAGED)):
        copy = s3.copy_object(Bucket=bucket, Key=f"copy{number}", CopySource=f"{bucket}/sealed", **asked)
        assert copy["ServerSideEncryption"] == asked["ServerSideEncryption"]
        assert s3.get_object(Bucket=bucket, Key=f"copy{number}")["Body"].read() == LARGE
    again = s3.copy_object(Bucket=bucket, Key="copy2", CopySource=f"{bucket}/copy1", **MANAGED)
    assert again["ServerSideEncryption"] == "aws:kms"
    assert not on_disk()
    s3.copy_object(Bucket=bucket, Key="plain", CopySource=f"{bucket}/copy2")
    assert s3.get_object(Bucket=bucket, Key="plain")["Body"].read() == LARGE
    assert on_disk()
    s3.delete_object(Bucket=bucket, Key="plain")
    assert not on_disk()


def test_a_key_of_the_customer(s3: Any, bucket: str, fails: Any, on_disk: Any) -> None:
    key, other = os.urandom(32), os.urandom(32)
    mine = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": key}
    at = {"Bucket": bucket, "Key": "key"}
    put = s3.put_object(**at, Body=SMALL, **mine)
    assert put["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(key).digest()).decode()
    assert s3.get_object(**at, **mine)["Body"].read() == SMALL
    assert not on_disk()
    fails("InvalidRequest", s3.get_object, 400, **at)
    fails("400", s3.head_object, 400, **at)
    fails("AccessDenied", s3.get_object, 403, **at, SSECustomerAlgorithm="AES256", SSECustomerKey=other)
    fails("InvalidArgument", s3.get_object, 400, **at, SSECustomerAlgorithm="AES256", SSECustomerKey=b"short")
    fails("InvalidEncryptionAlgorithmError", s3.get_object, 400, **at, SSECustomerAlgorithm="ROT", SSECustomerKey=key)
    source = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": key}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/key", **source, **INSTALLATION)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == SMALL
    fails("InvalidRequest", s3.copy_object, 400, Bucket=bucket, Key="copy", CopySource=f"{bucket}/key")
    fails("InvalidRequest", s3.get_object, 400, Bucket=bucket, Key="copy", **mine)


def test_what_cannot_be_asked_for(s3: Any, bucket: str, fails: Any) -> None:
    at = {"Bucket": bucket, "Key": "key", "Body": b"x"}
    fails("InvalidEncryptionAlgorithmError", s3.put_object, 400, **at, ServerSideEncryption="ROT13")
    fails("NotImplemented", s3.put_object, 501, **at, ServerSideEncryption="aws:kms:dsse")
    fails("InvalidArgument", s3.put_object, 400, **at, ServerSideEncryption="AES256", SSEKMSKeyId="alias/x")
    fails("KMS.NotFoundException", s3.put_object, 400, **at, **MANAGED, SSEKMSKeyId="alias/there-is-none")
    fails("InvalidArgument", s3.put_object, 400, **at, **MANAGED, SSEKMSEncryptionContext="not base64 of JSON")
    fails("KMS.NotFoundException", s3.create_multipart_upload, 400, Bucket=bucket, Key="k", **MANAGED, SSEKMSKeyId="x")
    fails("404", s3.head_object, 404, Bucket=bucket, Key="key")


def test_a_read_asks_for_no_encryption(s3: Any, bucket: str, raw: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", **INSTALLATION)
    for method in ("GET", "HEAD"):
        assert raw(method, f"/{bucket}/key", x_amz_server_side_encryption="AES256")[0] == 400
