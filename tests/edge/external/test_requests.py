"""boto3 as it is, against an installation whose objects lie elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import os
import socket
import threading
import urllib.error
import urllib.request
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from clary.testing.server import Server


def refusal(call: Any, **arguments: Any) -> tuple[str, int]:
    """Code and status of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_objects_lie_in_the_external_store_and_not_here(aws: Server, s3: Any, behind: Any) -> None:
    made = s3.put_object(
        Bucket="shared",
        Key="a/é b+c",
        Body=b"content",
        ContentType="text/plain",
        CacheControl="no-cache",
        Metadata={"made-by": "test"},
        Tagging="x=1",
    )
    assert made["ETag"] == f'"{hashlib.md5(b"content").hexdigest()}"'
    for client in (s3, behind):
        found = client.get_object(Bucket="shared", Key="a/é b+c")
        assert (found["Body"].read(), found["Metadata"]) == (b"content", {"made-by": "test"})
        assert (found["ContentType"], found["CacheControl"]) == ("text/plain", "no-cache")
        assert "ContentEncoding" not in found
        assert client.get_object_tagging(Bucket="shared", Key="a/é b+c")["TagSet"] == [{"Key": "x", "Value": "1"}]
    assert not (aws.home / "objects" / "index.db").exists()


def test_ranges_conditions_and_heads_are_the_stores_own(s3: Any) -> None:
    tag = s3.put_object(Bucket="shared", Key="digits", Body=b"0123456789")["ETag"]
    part = s3.get_object(Bucket="shared", Key="digits", Range="bytes=2-4")
    assert (part["Body"].read(), part["ContentRange"]) == (b"234", "bytes 2-4/10")
    assert s3.head_object(Bucket="shared", Key="digits")["ContentLength"] == 10
    assert refusal(s3.get_object, Bucket="shared", Key="digits", IfNoneMatch=tag) == ("304", 304)
    assert refusal(s3.get_object, Bucket="shared", Key="digits", IfMatch='"no"') == ("PreconditionFailed", 412)
    assert refusal(s3.get_object, Bucket="shared", Key="digits", Range="bytes=99-") == ("InvalidRange", 416)
    assert refusal(s3.put_object, Bucket="shared", Key="digits", Body=b"", IfNoneMatch="*")[0] == "PreconditionFailed"
    assert refusal(s3.head_object, Bucket="shared", Key="none") == ("404", 404)
    assert refusal(s3.get_object, Bucket="shared", Key="none") == ("NoSuchKey", 404)
    assert refusal(s3.list_objects_v2, Bucket="not-there") == ("NoSuchBucket", 404)


@pytest.mark.parametrize("size", [0, 1, 70_000, 3_000_000])
def test_bodies_of_any_size_pass_unchanged(s3: Any, behind: Any, size: int) -> None:
    content = os.urandom(size)
    s3.put_object(Bucket="shared", Key="sized", Body=io.BytesIO(content))
    assert behind.get_object(Bucket="shared", Key="sized")["Body"].read() == content
    assert s3.get_object(Bucket="shared", Key="sized")["Body"].read() == content


def test_large_files_go_in_parts_and_come_back(s3: Any, tmp_path: Path) -> None:
    content = os.urandom(20 << 20)
    (tmp_path / "large").write_bytes(content)
    s3.upload_file(str(tmp_path / "large"), "shared", "large")
    assert s3.head_object(Bucket="shared", Key="large")["ETag"].endswith('-3"')
    s3.download_file("shared", "large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content


def test_an_upload_can_be_looked_at_copied_into_completed_and_given_up(aws: Server, s3: Any) -> None:
    s3.put_object(Bucket="shared", Key="source", Body=b"s" * (5 << 20))
    place = {"Bucket": "shared", "Key": "joined"}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    first = s3.upload_part_copy(**place, UploadId=upload, PartNumber=1, CopySource="shared/source")
    second = s3.upload_part(**place, UploadId=upload, PartNumber=2, Body=b"end")
    assert [part["Size"] for part in s3.list_parts(**place, UploadId=upload)["Parts"]] == [5 << 20, 3]
    parts = [
        {"PartNumber": 1, "ETag": first["CopyPartResult"]["ETag"]},
        {"PartNumber": 2, "ETag": second["ETag"]},
    ]
    done = s3.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": parts})
    assert done["Location"] == f"{aws.url}/shared/joined"
    assert s3.head_object(**place)["ContentLength"] == (5 << 20) + 3
    other = s3.create_multipart_upload(**place)["UploadId"]
    listed = s3.list_multipart_uploads(Bucket="shared", Prefix="joined")["Uploads"]
    assert [each["UploadId"] for each in listed] == [other]
    s3.abort_multipart_upload(**place, UploadId=other)
    assert refusal(s3.upload_part, **place, UploadId=other, PartNumber=1, Body=b"x") == ("NoSuchUpload", 404)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="there is no /proc that tells how much memory it has"
)
def test_what_passes_is_not_held_in_memory(aws: Server, s3: Any) -> None:
    edge = json.loads((aws.home / "run" / "edge.json").read_text())["pid"]

    def peak() -> int:
        text = Path(f"/proc/{edge}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0]) >> 10

    before, size = peak(), 96 << 20
    s3.put_object(Bucket="shared", Key="heavy", Body=io.BytesIO(bytes(size)))
    received = sum(map(len, s3.get_object(Bucket="shared", Key="heavy")["Body"].iter_chunks(1 << 20)))
    assert received == size
    assert peak() - before < 48
    s3.delete_object(Bucket="shared", Key="heavy")


def test_copies_keep_or_replace_metadata(s3: Any) -> None:
    s3.put_object(Bucket="shared", Key="from +1", Body=b"x", Metadata={"a": "1"})
    s3.copy_object(Bucket="shared", Key="to", CopySource={"Bucket": "shared", "Key": "from +1"})
    assert s3.head_object(Bucket="shared", Key="to")["Metadata"] == {"a": "1"}
    s3.copy_object(Bucket="shared", Key="to", CopySource="shared/to", Metadata={"b": "2"}, MetadataDirective="REPLACE")
    assert s3.head_object(Bucket="shared", Key="to")["Metadata"] == {"b": "2"}


def test_versions_are_the_stores_own(s3: Any) -> None:
    s3.create_bucket(Bucket="versioned")
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    place = {"Bucket": "versioned", "Key": "a b"}
    first, second = (s3.put_object(**place, Body=body)["VersionId"] for body in (b"1", b"2"))
    assert s3.get_object(**place, VersionId=first)["Body"].read() == b"1"
    source = {**place, "VersionId": first}
    s3.copy_object(Bucket="versioned", Key="copy", CopySource=source)
    assert s3.get_object(Bucket="versioned", Key="copy")["Body"].read() == b"1"
    s3.delete_object(**place)
    listed = s3.list_object_versions(Bucket="versioned", Prefix="a")
    assert [each["VersionId"] for each in listed["Versions"]] == [second, first]
    everything = s3.list_object_versions(Bucket="versioned")
    every = [*everything["Versions"], *everything["DeleteMarkers"]]
    keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in every]
    assert len(s3.delete_objects(Bucket="versioned", Delete={"Objects": keys})["Deleted"]) == 4
    s3.delete_bucket(Bucket="versioned")


def test_lists_come_in_pages_and_many_keys_go_at_once(aws: Server, s3: Any) -> None:
    for number in range(7):
        s3.put_object(Bucket="shared", Key=f"many/{number}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket="shared", Prefix="many/", PaginationConfig={"PageSize": 3}
    )
    assert [len(page["Contents"]) for page in pages] == [3, 3, 1]
    assert "many/" in [each["Prefix"] for each in s3.list_objects(Bucket="shared", Delimiter="/")["CommonPrefixes"]]
    removed = aws.session().resource("s3").Bucket("shared").objects.filter(Prefix="many/").delete()
    assert len(removed[0]["Deleted"]) == 7


def test_buckets_are_made_listed_and_removed(aws: Server, s3: Any) -> None:
    elsewhere = aws.session(region="eu-west-1").client("s3")
    elsewhere.create_bucket(Bucket="passing", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert "passing" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket="passing")
    s3.delete_bucket(Bucket="passing")
    assert refusal(s3.head_bucket, Bucket="passing") == ("404", 404)
    assert refusal(s3.create_bucket, Bucket="No")[0] == "InvalidBucketName"


def test_virtual_hosts_name_buckets(aws: Server, s3: Any) -> None:
    s3.put_object(Bucket="shared", Key="by/host", Body=b"found")
    url = aws.url.replace("127.0.0.1", "localhost")
    style = Config(s3={"addressing_style": "virtual"}, signature_version="s3v4")
    client = aws.session().client("s3", endpoint_url=url, config=style)
    address = urlsplit(client.generate_presigned_url("get_object", {"Bucket": "shared", "Key": "by/host"}))
    assert address.hostname == "shared.localhost"
    # Not every machine knows where that is.
    connection = HTTPConnection("127.0.0.1", address.port, timeout=30)
    connection.request("GET", f"{address.path}?{address.query}", headers={"Host": address.netloc})
    assert connection.getresponse().read() == b"found"
    connection.close()


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_presigned_addresses_are_clarys_own(aws: Server, s3: Any, version: str | None) -> None:
    client = aws.client("s3", config=Config(signature_version=version))
    place = {"Bucket": "shared", "Key": "folder/a name+é.txt"}

    def fetch(method: str, url: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": ""} if body is not None else {}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=30) as answer:
            return bytes(answer.read())

    fetch("PUT", client.generate_presigned_url("put_object", place), b"content")
    disposition = {"ResponseContentDisposition": 'attachment; filename="b.txt"'}
    url = client.generate_presigned_url("get_object", {**place, **disposition})
    assert url.startswith(aws.url)
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert (answer.read(), answer.headers["content-disposition"]) == (b"content", 'attachment; filename="b.txt"')
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch("GET", url.replace("folder", "other"))


@pytest.mark.parametrize("size", [1000, 1_000_000])
def test_a_body_that_is_not_what_was_said_is_never_published(s3: Any, behind: Any, size: int) -> None:
    s3.put_object(Bucket="shared", Key="promised", Body=b"before")
    wrong = [{"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"ChecksumCRC32": "AAAAAA=="}]
    for claim in wrong:
        assert refusal(s3.put_object, Bucket="shared", Key="promised", Body=os.urandom(size), **claim)[0] == "BadDigest"
    assert behind.get_object(Bucket="shared", Key="promised")["Body"].read() == b"before"


def test_wrong_keys_are_refused_here(aws: Server, s3: Any) -> None:
    key = aws.session().get_credentials().access_key
    forger = aws.session().client("s3", aws_access_key_id=key, aws_secret_access_key="wrong")
    assert refusal(forger.get_object, Bucket="shared", Key="x") == ("SignatureDoesNotMatch", 403)
    stranger = aws.session().client("s3", aws_access_key_id="AKIANOBODY", aws_secret_access_key="wrong")
    assert refusal(stranger.list_buckets) == ("InvalidAccessKeyId", 403)


def test_a_store_that_breaks_off_breaks_the_answer_off(installed: Any) -> None:
    """Half an object must not look like a whole one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\nETag: "x"\r\n\r\nhalf')

        threading.Thread(target=serve, daemon=True).start()
        aws = installed(f"http://127.0.0.1:{listener.getsockname()[1]}", "k", "s")
        s3 = aws.client("s3", config=Config(retries={"total_max_attempts": 1}))
        with pytest.raises(HTTPClientError):
            s3.get_object(Bucket="shared", Key="x")["Body"].read()
