"""Objects through boto3: what is put comes back, with everything said about it."""

from __future__ import annotations

import hashlib
import os
import socket
import urllib.parse
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

DATA = os.urandom(200_000)
KEYS = ["a", "a//b", "/leading", "..", "../../x", "ü/漢字/😀", "a b+c%20&?#", "x\ny", "k" * 1024, "trailing/"]


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_put_get_head(s3: Any, bucket: str, size: int) -> None:
    given = {
        "ContentType": "text/csv",
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentDisposition": "attachment",
        "CacheControl": "no-store",
        "Metadata": {"some-name": "Some Value"},
    }
    etag = f'"{hashlib.md5(DATA[:size]).hexdigest()}"'
    assert s3.put_object(Bucket=bucket, Key="key", Body=DATA[:size], **given)["ETag"] == etag
    head = s3.head_object(Bucket=bucket, Key="key")
    got = s3.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == DATA[:size]
    for answer in (head, got):
        assert {name: answer[name] for name in given} == given
        assert (answer["ContentLength"], answer["ETag"], answer["AcceptRanges"]) == (size, etag, "bytes")
        assert abs(answer["LastModified"] - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("deflate, gzip", "deflate, gzip"), ("gzip, aws-chunked", "gzip"), ("aws-chunked", None)],
)
def test_content_encoding_is_the_objects(s3: Any, bucket: str, given: str, kept: str | None) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", ContentEncoding=given)
    assert s3.head_object(Bucket=bucket, Key="key").get("ContentEncoding") == kept


def test_defaults_and_overrides(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="key")["ContentType"] == "binary/octet-stream"
    got = s3.get_object(
        Bucket=bucket,
        Key="key",
        ResponseContentType="text/plain",
        ResponseContentDisposition='attachment; filename="x"',
    )
    assert (got["ContentType"], got["ContentDisposition"]) == ("text/plain", 'attachment; filename="x"')


def test_overrides_that_no_header_can_have_are_refused(s3: Any, bucket: str, fails: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    for value in ("attachment; filename=文.pdf", "a\r\nx-other: 1", "a\0"):
        fails("InvalidArgument", s3.get_object, 400, Bucket=bucket, Key="key", ResponseContentDisposition=value)


@pytest.mark.parametrize("key", KEYS)
def test_any_key(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    copy = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert copy["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(key.encode()).hexdigest()}"'
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": "copy"}]})
    assert sorted(item["Key"] for item in answer["Deleted"]) == sorted([key, "copy"])


def test_limits(s3: Any, bucket: str, fails: Any, raw: Any) -> None:
    fails("KeyTooLongError", s3.put_object, 400, Bucket=bucket, Key="k" * 1025, Body=b"")
    big = {"name": "v" * 2048}
    fails("MetadataTooLarge", s3.put_object, 400, Bucket=bucket, Key="key", Body=b"", Metadata=big)
    fails("InvalidStorageClass", s3.put_object, 400, Bucket=bucket, Key="key", Body=b"", StorageClass="COLD")
    status, headers, body = raw("PUT", f"/{bucket}/key", content_length=str(5 * 2**30 + 1))
    assert headers["connection"] == "close"
    assert (status, b"<Code>EntityTooLarge</Code>" in body) == (400, True)
    status, _, body = raw("PUT", f"/{bucket}/%ff")
    assert (status, b"<Code>InvalidURI</Code>" in body) == (400, True)
    assert raw("PUT", f"/{bucket}/key", iter([b"abc"]))[0] == 200
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"abc"
    with socket.create_connection(("127.0.0.1", int(s3.meta.endpoint_url.rpartition(":")[2]))) as connection:
        connection.sendall(f"PUT /{bucket}/key HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert b" 411 " in connection.recv(4096).partition(b"\r\n")[0]


def test_errors_carry_what_s3_says(raw: Any, bucket: str, s3: Any, fails: Any) -> None:
    status, headers, body = raw("GET", f"/{bucket}/a%26b")
    assert status == 404
    assert headers["content-type"] == "application/xml"
    text = body.decode()
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>')
    assert "<Message>The specified key does not exist.</Message><Key>a&amp;b</Key>" in text
    assert f"<RequestId>{headers['x-amz-request-id']}</RequestId><HostId>{headers['x-amz-id-2']}</HostId>" in text
    status, _, body = raw("HEAD", f"/{bucket}/absent")
    assert (status, body) == (404, b"")
    error = fails("NoSuchBucket", s3.get_object, 404, Bucket="no-such-bucket", Key="key")
    assert error["BucketName"] == "no-such-bucket"
    fails("InvalidArgument", s3.get_object, 400, Bucket=bucket, Key="key", VersionId="abc")
    fails("NoSuchVersion", s3.get_object, 404, Bucket=bucket, Key="key", VersionId="A" * 32)
    status, _, body = raw("POST", "/")
    assert (status, b"MethodNotAllowed" in body) == (405, True)


@pytest.mark.parametrize(
    ("header", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("bytes=199990-", 199_990, 200_000),
        ("bytes=-7", 199_993, 200_000),
        ("bytes=100-9999999", 100, 200_000),
        ("bytes=-9999999", 0, 200_000),
        ("bytes=65530-131089", 65_530, 131_090),
    ],
)
def test_ranges(s3: Any, bucket: str, header: str, start: int, stop: int) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=DATA)
    got = s3.get_object(Bucket=bucket, Key="key", Range=header)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["Body"].read() == DATA[start:stop]
    assert got["ContentRange"] == f"bytes {start}-{stop - 1}/200000"
    assert s3.head_object(Bucket=bucket, Key="key", Range=header)["ContentLength"] == stop - start


def test_ranges_that_cannot_be(s3: Any, bucket: str, fails: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=DATA)
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    error = fails("InvalidRange", s3.get_object, 416, Bucket=bucket, Key="key", Range="bytes=200000-")
    assert (error["ActualObjectSize"], error["RangeRequested"]) == ("200000", "bytes=200000-")
    fails("InvalidRange", s3.get_object, 416, Bucket=bucket, Key="empty", Range="bytes=0-5")
    fails("InvalidRange", s3.get_object, 416, Bucket=bucket, Key="key", Range="bytes=-0")
    for ignored in ("bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=-"):
        got = s3.get_object(Bucket=bucket, Key="key", Range=ignored)
        assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (200, DATA)


def test_conditional_reads(s3: Any, bucket: str, fails: Any, raw: Any) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="key")["LastModified"]
    before, after = modified - timedelta(hours=1), modified + timedelta(seconds=1)
    at = {"Bucket": bucket, "Key": "key"}
    for read in (s3.get_object, s3.head_object):
        for good in ({"IfMatch": etag}, {"IfMatch": etag.strip('"')}, {"IfMatch": "*"}, {"IfNoneMatch": '"other"'}):
            read(**at, **good)
        read(**at, IfModifiedSince=before)
        read(**at, IfUnmodifiedSince=modified)
        read(**at, IfMatch=etag, IfUnmodifiedSince=before)
        read(**at, IfNoneMatch='"other"', IfModifiedSince=after)
        for failing in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": before}):
            code = "PreconditionFailed" if read == s3.get_object else "412"
            fails(code, read, 412, **at, **failing)
        for same in ({"IfNoneMatch": etag}, {"IfModifiedSince": modified}, {"IfMatch": etag, "IfNoneMatch": etag}):
            fails("304", read, 304, **at, **same)
    status, headers, body = raw("GET", f"/{bucket}/key", if_none_match=f'"a", {etag}')
    assert (status, body, headers["etag"]) == (304, b"", etag)


def test_conditional_writes(s3: Any, bucket: str, fails: Any) -> None:
    at = {"Bucket": bucket, "Key": "key"}
    fails("NoSuchKey", s3.put_object, 404, **at, Body=b"x", IfMatch='"abc"')
    etag = s3.put_object(**at, Body=b"one", IfNoneMatch="*")["ETag"]
    error = fails("PreconditionFailed", s3.put_object, 412, **at, Body=b"two", IfNoneMatch="*")
    assert error["Condition"] == "If-None-Match"
    fails("PreconditionFailed", s3.put_object, 412, **at, Body=b"two", IfMatch='"abc"')
    fails("PreconditionFailed", s3.put_object, 412, **at, Body=b"two", IfNoneMatch=etag)
    etag = s3.put_object(**at, Body=b"one and a half", IfNoneMatch='"other"')["ETag"]
    etag = s3.put_object(**at, Body=b"two", IfMatch=etag)["ETag"]
    fails("PreconditionFailed", s3.delete_object, 412, **at, IfMatch='"abc"')
    s3.delete_object(**at, IfMatch=etag)
    fails("404", s3.head_object, 404, **at)


def test_delete(s3: Any, bucket: str, raw: Any, fails: Any) -> None:
    s3.delete_object(Bucket=bucket, Key="absent")
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "absent"}]})
    assert [item["Key"] for item in answer["Deleted"]] == ["a", "absent"]
    objects = [{"Key": "b", "ETag": '"wrong"'}, {"Key": "c"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
    assert "Deleted" not in answer
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]
    many = {"Objects": [{"Key": str(number)} for number in range(1001)]}
    fails("MalformedXML", s3.delete_objects, 400, Bucket=bucket, Delete=many)
    status, _, body = raw("POST", f"/{bucket}?delete", "<Delete><Object><Key>b</Key></Object></Delete>")
    assert (status, b"Missing required header for this request" in body) == (400, True)
    bomb = '<!DOCTYPE d [<!ENTITY a "aaaa">]><Delete><Object><Key>&a;</Key></Object></Delete>'
    status, _, body = raw("POST", f"/{bucket}?delete", bomb, x_amz_sdk_checksum_algorithm="CRC32")
    assert (status, b"MalformedXML" in body) == (400, True)


def test_the_storage_class_is_given_back(s3: Any, bucket: str, fails: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="STANDARD_IA")
    assert s3.head_object(Bucket=bucket, Key="key")["StorageClass"] == "STANDARD_IA"
    fails("InvalidStorageClass", s3.put_object, 400, Bucket=bucket, Key="key", Body=b"", StorageClass="PAPER")


def test_tags(s3: Any, bucket: str, fails: Any) -> None:
    at = {"Bucket": bucket, "Key": "key"}
    s3.put_object(**at, Body=b"x", Tagging=urllib.parse.urlencode({"a": "1", "b": "x y&z"}))
    assert s3.head_object(**at)["TagCount"] == 2
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y&z"}]
    assert s3.get_object_tagging(**at)["TagSet"] == tags
    s3.put_object_tagging(**at, Tagging={"TagSet": tags[:1]})
    assert s3.get_object_tagging(**at)["TagSet"] == tags[:1]
    eleven = {"TagSet": [{"Key": str(number), "Value": ""} for number in range(11)]}
    fails("InvalidRequest", s3.put_object_tagging, 400, **at, Tagging=eleven)
    s3.delete_object_tagging(**at)
    assert s3.get_object_tagging(**at)["TagSet"] == []
    assert s3.get_object(**at)["Body"].read() == b"x"
    fails("NoSuchKey", s3.get_object_tagging, 404, Bucket=bucket, Key="absent")


def test_the_local_path_of_a_whole_file(s3: Any, bucket: str, raw: Any) -> None:
    s3.put_object(Bucket=bucket, Key="file", Body=DATA)
    s3.put_object(Bucket=bucket, Key="small", Body=b"x")
    _, headers, body = raw("GET", f"/{bucket}/file", x_clary_local_path="1")
    assert (headers["content-length"], body) == ("0", b"")
    with open(headers["x-clary-local-path"], "rb") as file:  # noqa: PTH123
        assert file.read() == DATA
    assert "x-clary-local-path" not in raw("GET", f"/{bucket}/file")[1]
    assert "x-clary-local-path" not in raw("GET", f"/{bucket}/small", x_clary_local_path="1")[1]


def test_presigned_urls(s3: Any, bucket: str, raw: Any) -> None:
    url = urllib.parse.urlsplit(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "a b"}))
    status, _, body = raw("PUT", f"{url.path}?{url.query}", b"signed")
    assert status == 200, body
    assert s3.get_object(Bucket=bucket, Key="a b")["Body"].read() == b"signed"
