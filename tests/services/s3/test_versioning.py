"""Versions of objects: kept, read, listed, copied back and removed, as boto3 sees them."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(s3: Any, bucket: str, key: str, *bodies: bytes) -> list[str]:
    return [s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId", "null") for body in bodies]


def body_of(s3: Any, bucket: str, key: str, version: str | None = None) -> bytes:
    which = {} if version is None else {"VersionId": version}
    return bytes(s3.get_object(Bucket=bucket, Key=key, **which)["Body"].read())


def test_every_version_stays_until_it_is_removed_itself(s3: Any, versioned: str, fails: Any) -> None:
    at = {"Bucket": versioned, "Key": "key"}
    first, second = put(s3, versioned, "key", b"one", b"two")
    assert body_of(s3, versioned, "key") == b"two"
    assert body_of(s3, versioned, "key", first) == b"one"
    assert s3.head_object(**at)["VersionId"] == second
    deleted = s3.delete_object(**at)
    assert deleted["DeleteMarker"]
    error = fails("NoSuchKey", s3.get_object, 404, **at)
    assert error["Key"] == "key"
    fails("MethodNotAllowed", s3.get_object, 405, **at, VersionId=deleted["VersionId"])
    assert body_of(s3, versioned, "key", second) == b"two"
    assert s3.delete_object(**at, VersionId=deleted["VersionId"])["DeleteMarker"]
    assert body_of(s3, versioned, "key") == b"two"
    assert "DeleteMarker" not in s3.delete_object(**at, VersionId=second)
    assert body_of(s3, versioned, "key") == b"one"
    fails("BucketNotEmpty", s3.delete_bucket, 409, Bucket=versioned)
    s3.delete_object(**at, VersionId=first)
    s3.delete_bucket(Bucket=versioned)


def test_a_delete_marker_is_told_in_headers(s3: Any, versioned: str, raw: Any) -> None:
    put(s3, versioned, "key", b"x")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    status, headers, _ = raw("GET", f"/{versioned}/key")
    assert (status, headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == (404, "true", marker)
    status, headers, _ = raw("HEAD", f"/{versioned}/key?versionId={marker}")
    assert (status, headers["x-amz-delete-marker"], headers["allow"]) == (405, "true", "DELETE")


def test_versioning_that_is_suspended_keeps_what_there_is(s3: Any, bucket: str) -> None:
    put(s3, bucket, "key", b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    (kept,) = put(s3, bucket, "key", b"kept")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    assert put(s3, bucket, "key", b"one", b"two") == ["null", "null"]
    listed = s3.list_object_versions(Bucket=bucket)["Versions"]
    assert [(version["VersionId"], version["IsLatest"]) for version in listed] == [("null", True), (kept, False)]
    assert body_of(s3, bucket, "key", "null") == b"two"
    assert s3.delete_object(Bucket=bucket, Key="key")["VersionId"] == "null"
    answer = s3.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in answer["Versions"]] == [kept]
    assert [marker["VersionId"] for marker in answer["DeleteMarkers"]] == ["null"]


def test_an_older_version_is_brought_back_by_a_copy(s3: Any, versioned: str) -> None:
    first, _ = put(s3, versioned, "key", b"one", b"two")
    source = {"Bucket": versioned, "Key": "key", "VersionId": first}
    copy = s3.copy_object(Bucket=versioned, Key="key", CopySource=source)
    assert copy["CopySourceVersionId"] == first
    assert copy["VersionId"] not in ("", first)
    assert body_of(s3, versioned, "key") == b"one"
    assert len(s3.list_object_versions(Bucket=versioned)["Versions"]) == 3


def test_uploads_and_tags_have_versions_too(s3: Any, versioned: str) -> None:
    at = {"Bucket": versioned, "Key": "key"}
    upload = s3.create_multipart_upload(**at)["UploadId"]
    part = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    version = s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=parts)["VersionId"]
    (other,) = put(s3, versioned, "key", b"other")
    s3.put_object_tagging(**at, VersionId=version, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object_tagging(**at, VersionId=version)["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert s3.get_object_tagging(**at, VersionId=other)["TagSet"] == []


def test_many_are_deleted_by_version_and_by_key(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, "a", b"1", b"2")
    put(s3, versioned, "b", b"1")
    objects = [{"Key": "a", "VersionId": first}, {"Key": "b"}, {"Key": "a", "VersionId": "odd"}, {"Key": "c"}]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": objects})
    assert [error["Code"] for error in answer["Errors"]] == ["InvalidArgument"]
    a, b, c = answer["Deleted"]
    assert a == {"Key": "a", "VersionId": first}
    assert b["DeleteMarker"]
    assert c["DeleteMarkerVersionId"]
    assert body_of(s3, versioned, "a") == b"2"
    assert second


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_versions_are_paged(s3: Any, versioned: str, size: int) -> None:
    expected = []
    for key in ("a", "b/1", "b/2", "c"):
        expected += [(key, version) for version in reversed(put(s3, versioned, key, b"1", b"2", b"3"))]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=versioned, PaginationConfig={"PageSize": size}, EncodingType="url"
    )
    assert [(v["Key"], v["VersionId"]) for page in pages for v in page.get("Versions", [])] == expected
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=versioned, Delimiter="/", PaginationConfig={"PageSize": size}
    )
    found = list(pages)
    assert [prefix["Prefix"] for page in found for prefix in page.get("CommonPrefixes", [])] == ["b/"]
    assert sum(len(page.get("Versions", [])) for page in found) == 6


def test_what_versioning_cannot_be(s3: Any, bucket: str, fails: Any) -> None:
    broken = {"Status": "Sometimes"}
    fails(
        "IllegalVersioningConfigurationException", s3.put_bucket_versioning, 400, Bucket=bucket,
        VersioningConfiguration=broken,
    )  # fmt: skip
    second_factor = {"Status": "Enabled", "MFADelete": "Enabled"}
    fails("NotImplemented", s3.put_bucket_versioning, 501, Bucket=bucket, VersioningConfiguration=second_factor)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    fails("InvalidArgument", s3.list_object_versions, 400, Bucket=bucket, VersionIdMarker="x")
