"""Multipart uploads and copies through boto3."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import zlib
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

MIB = 1 << 20
DATA = os.urandom(12 * MIB + 345)
TRANSFER = TransferConfig(multipart_threshold=MIB, multipart_chunksize=5 * MIB, max_concurrency=3)


def uploaded(s3: Any, bucket: str, parts: list[bytes], **arguments: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    begun = s3.create_multipart_upload(Bucket=bucket, Key="key", **arguments)
    at = {"Bucket": bucket, "Key": "key", "UploadId": begun["UploadId"]}
    named = {name: value for name, value in arguments.items() if name == "ChecksumAlgorithm"}
    done = []
    for number, data in enumerate(parts, start=1):
        part = s3.upload_part(**at, PartNumber=number, Body=data, **named)
        done.append({"PartNumber": number, "ETag": part["ETag"]})
    return at, done


def test_transfer_of_a_large_file(s3: Any, bucket: str) -> None:
    s3.upload_fileobj(io.BytesIO(DATA), bucket, "key", Config=TRANSFER, ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert head["Metadata"] == {"a": "b"}
    assert head["ChecksumCRC32"].endswith("-3")
    digests = [hashlib.md5(DATA[n : n + 5 * MIB]).digest() for n in range(0, len(DATA), 5 * MIB)]
    assert head["ETag"] == f'"{hashlib.md5(b"".join(digests)).hexdigest()}-3"'
    target = io.BytesIO()
    s3.download_fileobj(bucket, "key", target, Config=TRANSFER)
    assert target.getvalue() == DATA
    part = s3.get_object(Bucket=bucket, Key="key", PartNumber=2)
    assert (part["PartsCount"], part["Body"].read()) == (3, DATA[5 * MIB : 10 * MIB])
    attributes = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectParts"], MaxParts=2)
    parts = attributes["ObjectParts"]
    assert (parts["TotalPartsCount"], parts["IsTruncated"], len(parts["Parts"])) == (3, True, 2)
    assert parts["Parts"][1]["Size"] == 5 * MIB
    s3.copy({"Bucket": bucket, "Key": "key"}, bucket, "copy", Config=TRANSFER)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == DATA


def test_part_numbers_of_a_plain_object(s3: Any, bucket: str, fails: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"plain")
    got = s3.get_object(Bucket=bucket, Key="key", PartNumber=1)
    assert (got["Body"].read(), "PartsCount" in got) == (b"plain", False)
    fails("InvalidPartNumber", s3.get_object, 416, Bucket=bucket, Key="key", PartNumber=2)
    fails("InvalidRequest", s3.get_object, 400, Bucket=bucket, Key="key", PartNumber=1, Range="bytes=0-1")


def test_listing_of_parts_and_uploads(s3: Any, bucket: str) -> None:
    at, _ = uploaded(s3, bucket, [b"1", b"22", b"333"])
    pages = s3.get_paginator("list_parts").paginate(**at, PaginationConfig={"PageSize": 2})
    assert [[part["Size"] for part in page["Parts"]] for page in pages] == [[1, 2], [3]]
    for key in ("a/1", "a/2", "b"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert [upload["Key"] for page in pages for upload in page["Uploads"]] == ["a/1", "a/2", "b", "key"]
    rolled = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [prefix["Prefix"] for prefix in rolled["CommonPrefixes"]] == ["a/"]
    s3.abort_multipart_upload(**at)
    assert "key" not in [upload["Key"] for upload in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]]


def test_completions_that_are_refused(s3: Any, bucket: str, fails: Any) -> None:
    at, parts = uploaded(s3, bucket, [b"tiny", b"last"])
    complete = s3.complete_multipart_upload
    error = fails("EntityTooSmall", complete, 400, **at, MultipartUpload={"Parts": parts})
    assert (error["ProposedSize"], error["MinSizeAllowed"], error["PartNumber"]) == ("4", "5242880", "1")
    fails("InvalidPartOrder", complete, 400, **at, MultipartUpload={"Parts": parts[::-1]})
    wrong = [{**parts[0], "ETag": '"0"'}]
    fails("InvalidPart", complete, 400, **at, MultipartUpload={"Parts": wrong})
    fails("MalformedXML", complete, 400, **at, MultipartUpload={"Parts": []})
    absent = {**at, "UploadId": "absent"}
    fails("NoSuchUpload", complete, 404, **absent, MultipartUpload={"Parts": parts})
    fails("NoSuchUpload", s3.upload_part, 404, **absent, PartNumber=1, Body=b"")
    fails("NoSuchUpload", s3.list_parts, 404, **absent)
    fails("NoSuchUpload", s3.abort_multipart_upload, 404, **absent)
    fails("InvalidArgument", s3.upload_part, 400, **at, PartNumber=10_001, Body=b"")
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    one = {"Parts": parts[:1]}
    fails("PreconditionFailed", complete, 412, **at, MultipartUpload=one, IfNoneMatch="*")
    fails("InvalidRequest", complete, 400, **at, MultipartUpload=one, MpuObjectSize=5)
    done = complete(**at, MultipartUpload=one, MpuObjectSize=4)
    assert done["ETag"].endswith('-1"')
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"tiny"


@pytest.mark.parametrize("kind", ["FULL_OBJECT", "COMPOSITE"])
def test_checksums_of_parts(s3: Any, bucket: str, fails: Any, kind: str) -> None:
    at, parts = uploaded(s3, bucket, [DATA[: 5 * MIB], b"x"], ChecksumAlgorithm="CRC32", ChecksumType=kind)
    fails("InvalidRequest", s3.upload_part, 400, **at, PartNumber=3, Body=b"", ChecksumAlgorithm="SHA256")
    wrong = [{**parts[0], "ChecksumCRC32": "AAAAAA=="}, parts[1]]
    fails("BadDigest", s3.complete_multipart_upload, 400, **at, MultipartUpload={"Parts": wrong})
    whole = base64.b64encode(zlib.crc32(DATA[: 5 * MIB] + b"x").to_bytes(4, "big")).decode()
    claim = {"ChecksumCRC32": whole} if kind == "FULL_OBJECT" else {}
    if claim:
        wrong_claim = {"ChecksumCRC32": "AAAAAA=="}
        fails("BadDigest", s3.complete_multipart_upload, 400, **at, MultipartUpload={"Parts": parts}, **wrong_claim)
    done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, ChecksumType=kind, **claim)
    assert done["ChecksumType"] == kind
    assert done["ChecksumCRC32"].endswith("-2") == (kind == "COMPOSITE")
    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert got["Body"].read() == DATA[: 5 * MIB] + b"x"
    part = s3.get_object(Bucket=bucket, Key="key", PartNumber=2, ChecksumMode="ENABLED")
    assert part["ChecksumCRC32"] == base64.b64encode(zlib.crc32(b"x").to_bytes(4, "big")).decode()
    assert part["Body"].read() == b"x"


def test_copied_parts(s3: Any, bucket: str, fails: Any) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=DATA)
    at, _ = uploaded(s3, bucket, [])
    source = {"Bucket": bucket, "Key": "source"}
    parts = []
    for number, extent in enumerate(["bytes=0-5242879", "bytes=5242880-5242889"], start=1):
        copied = s3.upload_part_copy(**at, PartNumber=number, CopySource=source, CopySourceRange=extent)
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    arguments = {**at, "PartNumber": 3, "CopySource": source}
    fails("InvalidRange", s3.upload_part_copy, 416, **arguments, CopySourceRange="bytes=0-99999999")
    for extent in ("bytes=5-2", "bytes=0-", "nonsense"):
        fails("InvalidArgument", s3.upload_part_copy, 400, **arguments, CopySourceRange=extent)
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == DATA[: 5 * MIB + 10]


def test_copies(s3: Any, bucket: str, fails: Any) -> None:
    given = {"Metadata": {"a": "b"}, "ContentType": "text/csv", "CacheControl": "no-store", "Tagging": "t=1"}
    etag = s3.put_object(Bucket=bucket, Key="source", Body=DATA[:100_000], **given)["ETag"]
    s3.create_bucket(Bucket=f"{bucket}-other")
    at = {"Bucket": f"{bucket}-other", "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "source"}}
    answer = s3.copy_object(**at)["CopyObjectResult"]
    assert (answer["ETag"], "ChecksumCRC32" in answer) == (etag, True)
    head = s3.head_object(Bucket=f"{bucket}-other", Key="copy")
    assert (head["Metadata"], head["ContentType"], head["TagCount"]) == ({"a": "b"}, "text/csv", 1)
    s3.copy_object(**at, MetadataDirective="REPLACE", TaggingDirective="REPLACE", Metadata={"c": "d"})
    head = s3.head_object(Bucket=f"{bucket}-other", Key="copy")
    assert (head["Metadata"], head["ContentType"], "TagCount" in head) == ({"c": "d"}, "binary/octet-stream", False)
    hashed = s3.copy_object(**at, ChecksumAlgorithm="SHA256")["CopyObjectResult"]
    assert hashed["ChecksumSHA256"]
    fails("PreconditionFailed", s3.copy_object, 412, **at, CopySourceIfMatch='"other"')
    fails("PreconditionFailed", s3.copy_object, 412, **at, CopySourceIfNoneMatch=etag)
    fails("PreconditionFailed", s3.copy_object, 412, **at, IfNoneMatch="*")
    s3.copy_object(**at, CopySourceIfMatch=etag)
    itself = {"Bucket": bucket, "Key": "source", "CopySource": f"{bucket}/source"}
    assert "illegal" in fails("InvalidRequest", s3.copy_object, 400, **itself)["Message"]
    s3.copy_object(**itself, MetadataDirective="REPLACE", Metadata={"e": "f"})
    assert s3.head_object(Bucket=bucket, Key="source")["Metadata"] == {"e": "f"}
    absent = {**at, "CopySource": {"Bucket": bucket, "Key": "absent"}}
    fails("NoSuchKey", s3.copy_object, 404, **absent)
    fails("NoSuchBucket", s3.copy_object, 404, **{**at, "CopySource": "no-such-bucket/key"})
    fails("InvalidArgument", s3.copy_object, 400, **{**at, "CopySource": "nonsense"})
    s3.delete_object(Bucket=bucket, Key="source")
    assert s3.get_object(Bucket=f"{bucket}-other", Key="copy")["Body"].read() == DATA[:100_000]


def test_a_composite_checksum_of_the_whole(s3: Any, bucket: str) -> None:
    at, parts = uploaded(s3, bucket, [DATA[: 5 * MIB], b"x"], ChecksumAlgorithm="SHA256")
    digests = hashlib.sha256(DATA[: 5 * MIB]).digest() + hashlib.sha256(b"x").digest()
    whole = base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-2"
    done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, ChecksumSHA256=whole)
    assert done["ChecksumSHA256"] == whole
