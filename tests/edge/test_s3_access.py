"""S3 as roles may use it: the conditions of their policies see the request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from botocore.config import Config
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


def test_what_is_not_there_is_told_to_those_who_may_list(aws: Server) -> None:
    reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shared/*"}
    s3 = as_role(aws, "reader", reading)
    denied(s3.get_object, Bucket="shared", Key="none")
    listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shared"}
    s3 = as_role(aws, "knower", reading, listing)
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="shared", Key="none")


def test_tags_may_be_demanded(aws: Server) -> None:
    condition = {"StringEquals": {"s3:RequestObjectTag/team": "red"}}
    allowed = {"Effect": "Allow", "Action": ["s3:PutObject", "s3:PutObjectTagging"], "Resource": "*"}
    s3 = as_role(aws, "tagger", allowed | {"Condition": condition})
    s3.put_object(Bucket="shared", Key="home/tagged", Body=b"x", Tagging="team=red")
    denied(s3.put_object, Bucket="shared", Key="home/tagged", Body=b"x", Tagging="team=blue")
    denied(s3.put_object, Bucket="shared", Key="home/tagged", Body=b"x")


def test_a_public_policy_may_be_for_the_account_alone(aws: Server) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="public")
    s3.put_object(Bucket="public", Key="page", Body=b"for all")
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::public/*"}
    s3.put_bucket_policy(Bucket="public", Policy=_document(everybody))
    with urlopen(f"{aws.url}/public/page") as answer:
        assert answer.read() == b"for all"
    s3.put_public_access_block(
        Bucket="public", PublicAccessBlockConfiguration={"RestrictPublicBuckets": True, "BlockPublicPolicy": False}
    )
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{aws.url}/public/page")
    assert caught.value.code == 403
    assert s3.get_object(Bucket="public", Key="page")["Body"].read() == b"for all"


def upload(url: str, fields: dict[str, str], data: bytes) -> int:
    boundary = "boundary"
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = "".join([*parts, head]).encode() + data + f"\r\n--{boundary}--\r\n".encode()
    try:
        with urlopen(Request(url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_forms_upload_as_whoever_signed_them(aws: Server, signature: str) -> None:
    writing = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::shared/home/*"}
    as_role(aws, f"form-{signature}", writing)
    config = Config(signature_version=signature)
    s3 = aws.session(role=f"form-{signature}").client("s3", config=config)
    conditions = [["content-length-range", 1, 10]]
    post = s3.generate_presigned_post("shared", "home/${filename}", Conditions=conditions)
    assert upload(post["url"], post["fields"], b"content") == 204
    assert aws.client("s3").get_object(Bucket="shared", Key="home/f")["Body"].read() == b"content"
    assert upload(post["url"], post["fields"], b"too much content") == 400
    name = "signature" if signature == "s3" else "x-amz-signature"
    assert upload(post["url"], post["fields"] | {name: post["fields"][name][::-1]}, b"content") == 403
    elsewhere = s3.generate_presigned_post("shared", "secret/x")
    assert upload(elsewhere["url"], elsewhere["fields"], b"content") == 403
    assert upload(post["url"], post["fields"] | {"key": "other/f"}, b"content") == 403
    without = {key: value for key, value in post["fields"].items() if key != name}
    assert upload(post["url"], without, b"content") == 400


def test_a_key_of_kms_is_needed_to_read(aws: Server) -> None:
    everything = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    kms = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": key}
    without, with_key = as_role(aws, "no-key", everything), as_role(aws, "with-key", everything, kms)
    at = {"Bucket": "shared", "Key": "home/sealed"}
    asked = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    denied(without.put_object, **at, Body=b"x", **asked)
    with_key.put_object(**at, Body=b"x", **asked)
    assert with_key.get_object(**at)["Body"].read() == b"x"
    denied(without.get_object, **at)
    without.head_object(**at)
    denied(without.copy_object, Bucket="shared", Key="home/copy", CopySource="shared/home/sealed")
    aws.client("kms").disable_key(KeyId=key)
    with pytest.raises(ClientError, match=r"KMS\.DisabledException"):
        with_key.get_object(**at)
