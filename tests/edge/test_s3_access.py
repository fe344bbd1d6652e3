"""S3 as roles may use it: the conditions of their policies see the request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server, server


@pytest.fixture(scope="module")
def aws() -> Iterator[Server]:
    with server() as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket="shared")
        for key in ("home/a", "secret/b"):
            s3.put_object(Bucket="shared", Key=key, Body=b"x")
        yield running


def as_role(aws: Server, name: str, *statements: dict[str, Any]) -> Any:
    """S3 as a role with these statements."""
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(*statements))
    return aws.session(role=name).client("s3")


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def denied(call: Any, **arguments: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == "AccessDenied"


def test_a_role_lists_what_its_policy_says(aws: Server) -> None:
    allowed = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shared"}
    s3 = as_role(aws, "lister", allowed | {"Condition": {"StringLike": {"s3:prefix": ["home/*"]}}})
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="shared", Prefix="home/")["Contents"]] == ["home/a"]
    denied(s3.list_objects_v2, Bucket="shared", Prefix="secret/")
    denied(s3.list_objects_v2, Bucket="shared")
    denied(s3.get_object, Bucket="shared", Key="home/a")


def test_a_denial_by_condition_holds(aws: Server) -> None:
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    s3 = as_role(
        aws,
        "writer",
        everything,
        everything | {"Effect": "Deny", "Condition": {"StringEquals": {"s3:x-amz-storage-class": "GLACIER"}}},
        everything | {"Effect": "Deny", "Condition": {"StringLike": {"s3:prefix": "secret/*"}}},
    )
    s3.put_object(Bucket="shared", Key="home/new", Body=b"x")
    denied(s3.put_object, Bucket="shared", Key="home/new", Body=b"x", StorageClass="GLACIER")
    denied(s3.list_objects_v2, Bucket="shared", Prefix="secret/")
