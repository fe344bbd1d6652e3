"""Uploads by a form, as a browser sends them, under a signed policy."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

BOUNDARY = "a-boundary"


def form(*fields: tuple[str, str], file: bytes | None = b"content", filename: str = "a file.txt") -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields]
    if file is not None:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        parts.append(f"{head}Content-Type: text/plain\r\n\r\n".encode() + file + b"\r\n")
    return b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])


@pytest.fixture
def post(raw: Any, bucket: str) -> Any:
    def send(*fields: tuple[str, str], **file: Any) -> tuple[int, dict[str, str], bytes]:
        body = form(*fields, **file)
        answer: tuple[int, dict[str, str], bytes] = raw(
            "POST", f"/{bucket}", body, content_type=f"multipart/form-data; boundary={BOUNDARY}"
        )
        return answer

    return send


def policy(*conditions: Any, expiration: str = "2099-01-01T00:00:00.000Z") -> tuple[str, str]:
    document = {"expiration": expiration, "conditions": list(conditions)}
    return "policy", base64.b64encode(json.dumps(document).encode()).decode()


def test_a_file_with_its_name_and_attributes(s3: Any, bucket: str, post: Any) -> None:
    data = bytes(range(256)) * 20_000
    status, headers, _ = post(
        ("key", "up/${filename}"), ("Content-Type", "text/plain"), ("x-amz-meta-from", "form"), file=data
    )
    assert status == 204
    got = s3.get_object(Bucket=bucket, Key="up/a file.txt")
    assert got["Body"].read() == data
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"from": "form"})
    assert headers["etag"] == got["ETag"]


def test_what_is_answered(bucket: str, post: Any) -> None:
    status, headers, body = post(("key", "k"), ("success_action_status", "201"))
    assert status == 201
    assert b"<Key>k</Key>" in body
    assert headers["location"].endswith(f"/{bucket}/k")
    assert post(("key", "k"), ("success_action_status", "200"))[0] == 200
    assert post(("key", "k"), ("success_action_status", "999"))[0] == 204
    status, headers, _ = post(("key", "k"), ("success_action_redirect", "https://example.com/done?x=1"))
    assert status == 303
    assert headers["location"].startswith("https://example.com/done?x=1&bucket=")
    assert post(("key", "k"), ("success_action_redirect", "javascript:alert(1)"))[0] == 204


@pytest.mark.parametrize(
    ("conditions", "fields", "says"),
    [
        ([{"key": "k"}], [("key", "k")], ""),
        ([["starts-with", "$key", "user/"]], [("key", "user/x")], ""),
        ([["starts-with", "$key", "user/"]], [("key", "other/x")], "Policy Condition failed"),
        ([{"key": "k"}, {"bucket": "another"}], [("key", "k")], "Policy Condition failed"),
        ([{"key": "k"}], [("key", "k"), ("x-amz-meta-a", "b")], "Extra input fields: x-amz-meta-a"),
        ([{"key": "k"}, ["starts-with", "$x-amz-meta-a", ""]], [("key", "k"), ("x-amz-meta-a", "b")], ""),
        ([{"key": "k"}, ["content-length-range", 1, 7]], [("key", "k")], ""),
        ([{"key": "k"}, ["content-length-range", 8, 9]], [("key", "k")], "EntityTooSmall"),
        ([{"key": "k"}, ["content-length-range", 0, 6]], [("key", "k")], "EntityTooLarge"),
        ([{"key": "k"}, ["matches", "$key", "k"]], [("key", "k")], "InvalidPolicyDocument"),
        ([{"key": "k"}, ["content-length-range", "x", 6]], [("key", "k")], "InvalidPolicyDocument"),
    ],
)
def test_the_policy_decides(s3: Any, bucket: str, post: Any, conditions: Any, fields: Any, says: str) -> None:
    status, _, body = post(*fields, policy(*conditions))
    assert (status == 204) == (not says)
    assert says.encode() in body
    assert ("Contents" in s3.list_objects_v2(Bucket=bucket)) == (not says)


def test_what_is_no_form_or_no_policy(s3: Any, bucket: str, post: Any, raw: Any) -> None:
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    assert b"MalformedPOSTRequest" in raw("POST", f"/{bucket}", b"nonsense", content_type=kind)[2]
    assert b"MalformedPOSTRequest" in raw("POST", f"/{bucket}", form(("key", "k"))[:-60], content_type=kind)[2]
    assert b"MalformedPOSTRequest" in raw("POST", f"/{bucket}", form(("key", "k")), content_type="text/plain")[2]
    assert b"exactly one file" in post(("key", "k"), file=None)[2]
    assert b"named 'key'" in post(("other", "k"))[2]
    assert b"MaxPostPreDataLengthExceeded" in post(("key", "k"), ("x-amz-meta-a", "b" * 30_000))[2]
    assert b"KeyTooLong" in post(("key", "k" * 1025))[2]
    for odd in ("not base64", base64.b64encode(b"[]").decode(), base64.b64encode(b'{"conditions":[]}').decode()):
        assert b"InvalidPolicyDocument" in post(("key", "k"), ("policy", odd))[2]
    assert b"Policy expired" in post(("key", "k"), policy({"key": "k"}, expiration="2001-01-01T00:00:00Z"))[2]
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
