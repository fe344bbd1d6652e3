"""Checksums: those that are claimed are checked, kept, and given back."""

from __future__ import annotations

import base64
import hashlib
import io
import zlib
from typing import Any

import pytest

from clary.objects.digests import Digests

DATA = bytes(range(256)) * 300
ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"]


def digest(algorithm: str, data: bytes = DATA) -> str:
    digests = Digests([algorithm])
    digests.update(data)
    return digests.checksums[algorithm]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_claimed_checksums(s3: Any, bucket: str, fails: Any, algorithm: str) -> None:
    at, name = {"Bucket": bucket, "Key": "key"}, f"Checksum{algorithm}"
    put = s3.put_object(**at, Body=DATA, **{name: digest(algorithm)})
    assert (put[name], put["ChecksumType"]) == (digest(algorithm), "FULL_OBJECT")
    assert s3.head_object(**at, ChecksumMode="ENABLED")[name] == digest(algorithm)
    assert name not in s3.head_object(**at)
    attributes = s3.get_object_attributes(**at, ObjectAttributes=["Checksum", "ObjectSize", "ETag"])
    assert attributes["Checksum"] == {name: digest(algorithm), "ChecksumType": "FULL_OBJECT"}
    assert attributes["ObjectSize"] == len(DATA)
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ChecksumAlgorithm"] == [algorithm]
    error = fails("BadDigest", s3.put_object, 400, **at, Body=DATA, **{name: digest(algorithm, b"other")})
    assert error["Message"] == f"The {algorithm} you specified did not match the calculated checksum."
    fails("InvalidRequest", s3.put_object, 400, **at, Body=DATA, **{name: "short"})
    assert s3.get_object(**at)["Body"].read() == DATA


def test_a_checksum_in_the_trailer(bucket: str, raw: Any, s3: Any) -> None:
    def send(checksum: str) -> tuple[int, dict[str, str], bytes]:
        body = b"%x\r\n%b\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % (len(DATA), DATA, checksum.encode())
        status: tuple[int, dict[str, str], bytes] = raw(
            "PUT",
            f"/{bucket}/key",
            body,
            content_encoding="gzip,aws-chunked",
            x_amz_trailer="x-amz-checksum-crc32",
            x_amz_decoded_content_length=str(len(DATA)),
        )
        return status

    status, headers, _ = send(digest("CRC32"))
    assert (status, headers["x-amz-checksum-crc32"]) == (200, digest("CRC32"))
    assert s3.head_object(Bucket=bucket, Key="key")["ContentEncoding"] == "gzip"
    status, _, body = send(digest("CRC32", b"other"))
    assert (status, b"<Code>BadDigest</Code>" in body) == (400, True)


def test_boto3_sends_and_checks_one_by_itself(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=io.BytesIO(DATA))
    assert put["ChecksumCRC32"] == base64.b64encode(zlib.crc32(DATA).to_bytes(4, "big")).decode()
    assert s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")["Body"].read() == DATA


def test_content_md5(bucket: str, raw: Any) -> None:
    right = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert raw("PUT", f"/{bucket}/key", DATA, content_md5=right)[0] == 200
    status, _, body = raw("PUT", f"/{bucket}/key", DATA, content_md5=wrong)
    assert (status, b"<Code>BadDigest</Code>" in body) == (400, True)
    status, _, body = raw("PUT", f"/{bucket}/key", DATA, content_md5="nonsense")
    assert (status, b"<Code>InvalidDigest</Code>" in body) == (400, True)


def test_claims_that_cannot_be(bucket: str, raw: Any) -> None:
    both = {"x_amz_checksum_crc32": digest("CRC32"), "x_amz_checksum_sha1": digest("SHA1")}
    status, _, body = raw("PUT", f"/{bucket}/key", DATA, **both)
    assert (status, b"Multiple checksum Types" in body) == (400, True)
    status, _, body = raw("PUT", f"/{bucket}/key", DATA, x_amz_checksum_xxhash64="AAAA")
    assert (status, b"Checksum algorithm provided is unsupported" in body) == (400, True)
    status, _, body = raw("PUT", f"/{bucket}/key", DATA, x_amz_decoded_content_length="7")
    assert (status, b"<Code>IncompleteBody</Code>" in body) == (400, True)
