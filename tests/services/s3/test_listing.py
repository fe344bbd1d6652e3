"""Listings through boto3, against a plain model of the keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEYS = sorted(["a", "a/", "a/1", "a/2/x", "a/2/y", "a b", "b/1", "b//2", "c+d", "ü/é", "😀/x", "z\nz"], key=str.encode)


@pytest.fixture(scope="module")
def full(s3: Any) -> str:
    s3.create_bucket(Bucket="listing-full")
    for key in KEYS:
        s3.put_object(Bucket="listing-full", Key=key, Body=key.encode())
    return "listing-full"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    prefix=st.sampled_from(["", "a", "a/", "b/", "ü", "x"]),
    delimiter=st.sampled_from(["", "/", "2", "//"]),
    start=st.sampled_from(["", "a", "a/", "a/2/x", "b", "ü/é", "😀/"]),
    size=st.integers(1, 5),
    version=st.sampled_from(["list_objects", "list_objects_v2"]),
)
def test_pages(s3: Any, full: str, prefix: str, delimiter: str, start: str, size: int, version: str) -> None:
    arguments = {"Bucket": full, "Prefix": prefix, "Delimiter": delimiter}
    arguments["StartAfter" if version == "list_objects_v2" else "Marker"] = start
    keys, prefixes = [], []
    for page in s3.get_paginator(version).paginate(**arguments, PaginationConfig={"PageSize": size}):
        keys += [item["Key"] for item in page.get("Contents", [])]
        prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        assert page.get("KeyCount", 0) <= size
    expected_keys, expected_prefixes = [], []
    for key in KEYS:
        cut = key.find(delimiter, len(prefix)) if delimiter and key.startswith(prefix) else -1
        entry = key if cut < 0 else key[: cut + len(delimiter)]
        if key.startswith(prefix) and entry.encode() > start.encode():
            if cut < 0:
                expected_keys.append(key)
            elif entry not in expected_prefixes:
                expected_prefixes.append(entry)
    assert (keys, prefixes) == (expected_keys, expected_prefixes)


def test_what_an_entry_says(s3: Any, full: str) -> None:
    first = s3.list_objects(Bucket=full)["Contents"][0]
    head = s3.head_object(Bucket=full, Key=first["Key"])
    assert (first["ETag"], first["Size"], first["StorageClass"]) == (head["ETag"], 1, "STANDARD")
    assert first["LastModified"].replace(microsecond=0) == head["LastModified"]
    assert first["Owner"]["ID"]
    assert "Owner" not in s3.list_objects_v2(Bucket=full)["Contents"][0]
    assert "Owner" in s3.list_objects_v2(Bucket=full, FetchOwner=True)["Contents"][0]


def test_page_sizes(s3: Any, full: str, fails: Any, raw: Any) -> None:
    page = s3.list_objects_v2(Bucket=full, MaxKeys=0)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (0, False, 0)
    assert s3.list_objects_v2(Bucket=full, MaxKeys=5000)["MaxKeys"] == 1000
    error = fails("InvalidArgument", s3.list_objects_v2, 400, Bucket=full, MaxKeys=-1)
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("max-keys", "-1")
    fails("InvalidArgument", s3.list_objects_v2, 400, Bucket=full, ContinuationToken="nonsense!")
    assert s3.list_objects_v2(Bucket=full, ContinuationToken="")["KeyCount"] == len(KEYS)
    assert s3.list_objects(Bucket=full, Prefix="z\n")["Prefix"] == "z\n"
    fails("InvalidArgument", s3.list_objects_v2, 400, Bucket=full, EncodingType="base64")
    fails("NoSuchBucket", s3.list_objects_v2, 404, Bucket="no-such-bucket")
    _, _, body = raw("GET", f"/{full}?list-type=2&prefix=z")
    assert b"<Key>z\nz</Key>" in body
    _, _, body = raw("GET", f"/{full}?list-type=2&prefix=z&encoding-type=url")
    assert b"<Key>z%0Az</Key>" in body


def test_versions_of_a_bucket_without_versioning(s3: Any, full: str) -> None:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=full, PaginationConfig={"PageSize": 5})
    versions = [version for page in pages for version in page["Versions"]]
    assert [version["Key"] for version in versions] == KEYS
    assert {(version["VersionId"], version["IsLatest"]) for version in versions} == {("null", True)}
