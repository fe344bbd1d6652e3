"""S3 as plain boto3 uses it beside jobs: transfers, presigned URLs, tokens of pages, a resource object."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.config import Config
from parity_lab import BUCKET, Lab


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_presigned_urls_work_for_those_who_have_no_key(lab: Lab, version: str | None) -> None:
    """Unless told otherwise boto3 signs them in the old version 2."""
    s3 = lab.server.client("s3", config=Config(signature_version=version))
    place = {"Bucket": BUCKET, "Key": "folder/a name+é.txt"}

    def fetch(method: str, url: str, body: bytes | None = None) -> bytes:
        # urllib would call any body a form, which is not what was signed.
        headers = {"Content-Type": ""} if body is not None else {}
        with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=30) as answer:
            return bytes(answer.read())

    fetch("PUT", s3.generate_presigned_url("put_object", place), b"content")
    disposition = {"ResponseContentDisposition": 'attachment; filename="b.txt"'}
    url = s3.generate_presigned_url("get_object", {**place, **disposition})
    assert fetch("GET", url) == b"content"
    for wrong in (url.replace("folder", "other"), url.replace("b.txt", "c.txt")):
        with pytest.raises(urllib.error.HTTPError) as refusal:
            fetch("GET", wrong)
        assert refusal.value.code == 403
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch("DELETE", url)
    old = s3.generate_presigned_url("get_object", place, ExpiresIn=-1) if version is None else None
    if old is not None:
        with pytest.raises(urllib.error.HTTPError) as refusal:
            fetch("GET", old)
        assert b"Request has expired" in refusal.value.read()


def test_files_are_transferred_in_parts_and_listed_in_pages(lab: Lab, tmp_path: Path) -> None:
    content = bytes(range(256)) * 80_000  # 20 MB: boto3 sends it in parts
    (tmp_path / "large").write_bytes(content)
    bucket = lab.server.session().resource("s3").Bucket(BUCKET)
    bucket.upload_file(str(tmp_path / "large"), "data/large", ExtraArgs={"Metadata": {"made-by": "test"}})
    bucket.download_file("data/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    head = lab.s3.head_object(Bucket=BUCKET, Key="data/large")
    assert (head["ContentLength"], head["Metadata"]) == (len(content), {"made-by": "test"})
    assert head["ETag"].endswith('-3"')
    for number in range(12):
        lab.put(f"many/{number:02}", str(number))
    pages = lab.s3.get_paginator("list_objects_v2").paginate(
        Bucket=BUCKET, Prefix="many/", PaginationConfig={"PageSize": 5}
    )
    sizes = [len(page["Contents"]) for page in pages]
    assert sizes == [5, 5, 2]
    answer = lab.s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [prefix["Prefix"] for prefix in answer["CommonPrefixes"]] == ["data/", "many/"]
    assert len(bucket.objects.filter(Prefix="many/").delete()[0]["Deleted"]) == 12
