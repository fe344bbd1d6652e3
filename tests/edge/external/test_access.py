"""Who may do what is decided by Clary, whatever its keys may do at the external store."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.cli import doctor, objects, status
from clary.cli.installation import Installation
from clary.cli.mistakes import Mistake
from clary.core.settings import load
from clary.testing.server import Server, ServerError, server


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def allow(*actions: str, on: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": f"arn:aws:s3:::{on}"}


def as_role(aws: Server, name: str, *statements: dict[str, Any]) -> Any:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account}:root"}, "Action": "sts:AssumeRole"}
    iam = aws.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return aws.session(role=name).client("s3")


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_a_role_does_what_its_policy_says_and_no_more(aws: Server, s3: Any) -> None:
    for key in ("home/a", "secret/b"):
        s3.put_object(Bucket="shared", Key=key, Body=b"x")
    role = as_role(aws, "homely", allow("s3:GetObject", "s3:PutObject", "s3:DeleteObject", on="shared/home/*"))
    assert role.get_object(Bucket="shared", Key="home/a")["Body"].read() == b"x"
    assert refused(role.get_object, Bucket="shared", Key="secret/b") == "AccessDenied"
    assert refused(role.put_object, Bucket="shared", Key="secret/b", Body=b"y") == "AccessDenied"
    assert refused(role.list_objects_v2, Bucket="shared") == "AccessDenied"
    # What is copied must be readable too, and of many keys each is asked for.
    assert refused(role.copy_object, Bucket="shared", Key="home/c", CopySource="shared/secret/b") == "AccessDenied"
    role.copy_object(Bucket="shared", Key="home/c", CopySource="shared/home/a")
    keys = [{"Key": key} for key in ("home/a", "secret/b", "home/c")]
    answer = role.delete_objects(Bucket="shared", Delete={"Objects": keys})
    assert sorted(each["Key"] for each in answer["Deleted"]) == ["home/a", "home/c"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("secret/b", "AccessDenied")]
    assert s3.get_object(Bucket="shared", Key="secret/b")["Body"].read() == b"x"


def test_policies_of_buckets_count_and_stay_here(aws: Server, s3: Any, behind: Any) -> None:
    s3.create_bucket(Bucket="governed")
    s3.put_object(Bucket="governed", Key="a", Body=b"x")
    role = as_role(aws, "guest")
    assert refused(role.get_object, Bucket="governed", Key="a") == "AccessDenied"
    for_guest = allow("s3:GetObject", on="governed/*") | {
        "Principal": {"AWS": f"arn:aws:iam::{aws.account}:role/guest"}
    }
    s3.put_bucket_policy(Bucket="governed", Policy=document(for_guest))
    assert json.loads(s3.get_bucket_policy(Bucket="governed")["Policy"])["Statement"] == [for_guest]
    assert role.get_object(Bucket="governed", Key="a")["Body"].read() == b"x"
    assert refused(behind.get_bucket_policy, Bucket="governed") == "NoSuchBucketPolicy"
    assert refused(s3.put_bucket_policy, Bucket="governed", Policy="{}") == "MalformedPolicy"
    assert refused(s3.put_bucket_policy, Bucket="no-bucket", Policy=document(for_guest)) == "NoSuchBucket"
    assert s3.get_bucket_policy_status(Bucket="governed")["PolicyStatus"] == {"IsPublic": False}
    s3.put_public_access_block(Bucket="governed", PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    for_all = for_guest | {"Principal": "*"}
    assert refused(s3.put_bucket_policy, Bucket="governed", Policy=document(for_all)) == "AccessDenied"
    # A bucket of the same name begins without it.
    s3.delete_object(Bucket="governed", Key="a")
    s3.delete_bucket(Bucket="governed")
    s3.create_bucket(Bucket="governed")
    assert refused(s3.get_bucket_policy, Bucket="governed") == "NoSuchBucketPolicy"
    s3.delete_bucket(Bucket="governed")


def test_pages_of_browsers_are_answered_here(aws: Server, s3: Any) -> None:
    s3.put_object(Bucket="shared", Key="page", Body=b"x")
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://example.com"]}
    s3.put_bucket_cors(Bucket="shared", CORSConfiguration={"CORSRules": [rule]})
    url = s3.generate_presigned_url("get_object", {"Bucket": "shared", "Key": "page"})
    asked = urllib.request.Request(url, headers={"Origin": "https://example.com"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.headers["access-control-allow-origin"] == "https://example.com"
    s3.delete_bucket_cors(Bucket="shared")


def test_owners_are_those_of_this_account(aws: Server, s3: Any) -> None:
    s3.head_bucket(Bucket="shared", ExpectedBucketOwner=aws.account)
    with pytest.raises(ClientError, match="403"):
        s3.head_bucket(Bucket="shared", ExpectedBucketOwner="999999999999")
    s3.put_object(Bucket="shared", Key="mine", Body=b"x", ACL="bucket-owner-full-control")
    assert refused(s3.put_object, Bucket="shared", Key="mine", Body=b"x", ACL="public-read") == (
        "AccessControlListNotSupported"
    )
    assert s3.get_object_acl(Bucket="shared", Key="mine")["Owner"]["DisplayName"] == aws.account
    s3.put_object_acl(Bucket="shared", Key="mine", ACL="private")
    assert refused(s3.put_object_acl, Bucket="shared", Key="mine", ACL="public-read") == "AccessControlListNotSupported"
    assert refused(s3.get_object_acl, Bucket="shared", Key="none") == "NoSuchKey"
    assert refused(s3.get_bucket_acl, Bucket="no-bucket") == "NoSuchBucket"


@pytest.mark.parametrize("size", [1000, 2_000_000])
def test_a_checksum_behind_a_wrong_body_keeps_it_from_being_published(
    aws: Server, s3: Any, behind: Any, size: int
) -> None:
    s3.put_object(Bucket="shared", Key="chunked", Body=b"before")
    credentials = aws.session().get_credentials()
    body = b"%x\r\n" % size + b"x" * size + b"\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    headers = {
        "x-amz-decoded-content-length": str(size),
        "x-amz-trailer": "x-amz-checksum-crc32",
        "content-encoding": "aws-chunked",
    }
    request = AWSRequest("PUT", f"{aws.url}/shared/chunked", headers, body)
    request.context["checksum"] = {"request_algorithm": {"in": "trailer"}}
    request.context["payload_signing_enabled"] = False
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    assert request.headers["X-Amz-Content-SHA256"] == "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    sent = urllib.request.Request(request.url, body, dict(request.headers.items()), method="PUT")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(sent, timeout=30)
    assert b"BadDigest" in caught.value.read()
    assert behind.get_object(Bucket="shared", Key="chunked")["Body"].read() == b"before"


def test_a_reset_leaves_the_store_alone(aws: Server, s3: Any) -> None:
    s3.put_object(Bucket="shared", Key="kept", Body=b"x")
    with pytest.raises(ServerError, match="external store"):
        aws.reset()
    assert s3.get_object(Bucket="shared", Key="kept")["Body"].read() == b"x"


def test_status_and_doctor_say_where_objects_are(aws: Server, store: Server) -> None:
    installation = Installation(load(aws.home, {}, objects_url=store.url))
    found = status.collect(installation)
    assert found["objects"] == {"store": "external", "place": store.url, "problem": ""}
    assert f"Objects    {store.url}, which answers" in status.render(found, installation)
    assert next(each for each in doctor.examine(installation) if each.name == "Objects").state == "ok"
    own = Installation(load(store.home, {}))
    assert objects.describe(own) == {"store": "own", "place": str(store.home / "objects"), "problem": ""}


def test_the_platforms_own_mistakes_are_not_the_clients(installed: Any, store: Server) -> None:
    """Keys that the store does not know, and a store that is not there."""
    wrong = installed(store.url, "AKIANOBODY", "wrong")
    silent = installed("http://127.0.0.1:9", "k", "s")
    for aws, why in ((wrong, "refuses the keys"), (silent, "does not answer")):
        s3 = aws.client("s3", config=Config(retries={"total_max_attempts": 1}))
        with pytest.raises(ClientError, match=why) as caught:
            s3.list_buckets()
        assert caught.value.response["Error"]["Code"] == "ServiceUnavailable"
        url = store.url if aws is wrong else "http://127.0.0.1:9"
        assert why in objects.describe(Installation(load(aws.home, {}, objects_url=url)))["problem"]


def test_without_keys_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Mistake, match=r"objects\.json"), server(tmp_path, objects_url="http://127.0.0.1:9"):
        pass


def test_anonymous_requests_need_a_policy(aws: Server, s3: Any) -> None:
    s3.put_object(Bucket="shared", Key="mine", Body=b"x")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{aws.url}/shared/mine", timeout=30)
