"""Buckets: making, finding, listing, removing, and what is configured on them."""

from __future__ import annotations

import json
from typing import Any

import pytest


def test_life_of_a_bucket(s3: Any, fails: Any) -> None:
    assert s3.create_bucket(Bucket="life-of-a-bucket")["Location"] == "/life-of-a-bucket"
    s3.create_bucket(Bucket="life-of-a-bucket")
    head = s3.head_bucket(Bucket="life-of-a-bucket")
    assert (head["BucketRegion"], head["BucketArn"]) == ("us-east-1", "arn:aws:s3:::life-of-a-bucket")
    assert s3.get_bucket_location(Bucket="life-of-a-bucket")["LocationConstraint"] is None
    assert "Status" not in s3.get_bucket_versioning(Bucket="life-of-a-bucket")
    listed = {bucket["Name"]: bucket for bucket in s3.list_buckets()["Buckets"]}
    assert listed["life-of-a-bucket"]["CreationDate"].tzinfo is not None
    s3.put_object(Bucket="life-of-a-bucket", Key="key", Body=b"")
    error = fails("BucketNotEmpty", s3.delete_bucket, 409, Bucket="life-of-a-bucket")
    assert error["BucketName"] == "life-of-a-bucket"
    s3.delete_object(Bucket="life-of-a-bucket", Key="key")
    s3.delete_bucket(Bucket="life-of-a-bucket")
    fails("404", s3.head_bucket, 404, Bucket="life-of-a-bucket")
    error = fails("NoSuchBucket", s3.delete_bucket, 404, Bucket="life-of-a-bucket")
    assert error["Message"] == "The specified bucket does not exist"


def test_regions(client: Any, fails: Any) -> None:
    west = client(region="us-west-2")
    configuration = {"LocationConstraint": "us-west-2"}
    west.create_bucket(Bucket="west-bucket", CreateBucketConfiguration=configuration)
    assert west.get_bucket_location(Bucket="west-bucket")["LocationConstraint"] == "us-west-2"
    arguments = {"Bucket": "west-bucket", "CreateBucketConfiguration": configuration}
    fails("BucketAlreadyOwnedByYou", west.create_bucket, 409, **arguments)
    wrong = {"Bucket": "other-west", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    fails("IllegalLocationConstraintException", west.create_bucket, 400, **wrong)


@pytest.mark.parametrize(
    "name", ["ab", "a" * 64, "Upper", "a..b", "192.168.5.4", "-a-b", "a_b", "xn--abc", "abc-s3alias"]
)
def test_bad_names(raw: Any, name: str) -> None:
    status, _, body = raw("PUT", f"/{name}")
    assert status == 400
    assert b"<Code>InvalidBucketName</Code><Message>The specified bucket is not valid.</Message>" in body


def test_other_accounts(raw: Any, bucket: str, s3: Any, fails: Any) -> None:
    status, _, body = raw("PUT", f"/{bucket}", x_test_account="210987654321")
    assert (status, b"<Code>BucketAlreadyExists</Code>" in body) == (409, True)
    fails("AccessDenied", s3.list_objects_v2, 403, Bucket=bucket, ExpectedBucketOwner="210987654321")
    s3.list_objects_v2(Bucket=bucket, ExpectedBucketOwner="123456789012")
    status, _, body = raw("GET", "/", x_test_account="210987654321")
    assert b"<Bucket>" not in body


def test_pages_of_buckets(s3: Any, client: Any) -> None:
    for number in range(5):
        s3.create_bucket(Bucket=f"page-of-buckets-{number}")
    pages = s3.get_paginator("list_buckets").paginate(Prefix="page-of-", PaginationConfig={"PageSize": 2})
    names = [[bucket["Name"] for bucket in page["Buckets"]] for page in pages]
    assert names == [[f"page-of-buckets-{n}" for n in part] for part in ([0, 1], [2, 3], [4])]


def test_policy(s3: Any, bucket: str, fails: Any) -> None:
    fails("NoSuchBucketPolicy", s3.get_bucket_policy, 404, Bucket=bucket)
    resource = f"arn:aws:s3:::{bucket}/*"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"] == policy
    fails("MalformedPolicy", s3.put_bucket_policy, 400, Bucket=bucket, Policy="nonsense")
    elsewhere = json.dumps({"Statement": [{**statement, "Resource": "arn:aws:s3:::elsewhere/*"}]})
    fails("MalformedPolicy", s3.put_bucket_policy, 400, Bucket=bucket, Policy=elsewhere)
    s3.delete_bucket_policy(Bucket=bucket)
    fails("NoSuchBucketPolicy", s3.get_bucket_policy, 404, Bucket=bucket)


def test_tags_of_a_bucket(s3: Any, bucket: str, fails: Any) -> None:
    fails("NoSuchTagSet", s3.get_bucket_tagging, 404, Bucket=bucket)
    tags = [{"Key": "a", "Value": "1"}, {"Key": "ü", "Value": ""}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags
    twice = {"TagSet": [tags[0], tags[0]]}
    fails("InvalidTag", s3.put_bucket_tagging, 400, Bucket=bucket, Tagging=twice)
    s3.delete_bucket_tagging(Bucket=bucket)
    fails("NoSuchTagSet", s3.get_bucket_tagging, 404, Bucket=bucket)


def test_access_control_lists_are_off(s3: Any, bucket: str, fails: Any) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"", ACL="bucket-owner-full-control")
    for answer in (s3.get_bucket_acl(Bucket=bucket), s3.get_object_acl(Bucket=bucket, Key="key")):
        assert [grant["Permission"] for grant in answer["Grants"]] == ["FULL_CONTROL"]
        assert answer["Grants"][0]["Grantee"]["Type"] == "CanonicalUser"
        assert answer["Grants"][0]["Grantee"]["ID"] == answer["Owner"]["ID"]
    fails("AccessControlListNotSupported", s3.put_object, 400, Bucket=bucket, Key="key", ACL="public-read")
    fails("AccessControlListNotSupported", s3.put_bucket_acl, 400, Bucket=bucket, ACL="public-read")


def test_cross_origin_requests(s3: Any, bucket: str, raw: Any, fails: Any) -> None:
    fails("NoSuchCORSConfiguration", s3.get_bucket_cors, 404, Bucket=bucket)
    rule = {
        "AllowedOrigins": ["https://*.example.com"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["x-amz-*"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 60,
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]
    asked = {"origin": "https://a.example.com", "access_control_request_method": "PUT"}
    status, headers, _ = raw("OPTIONS", f"/{bucket}/key", **asked, access_control_request_headers="X-Amz-Date")
    assert status == 200
    assert headers["access-control-allow-origin"] == "https://a.example.com"
    assert headers["access-control-allow-headers"] == "x-amz-date"
    assert headers["access-control-max-age"] == "60"
    for change in ({"origin": "https://example.org"}, {"access_control_request_method": "DELETE"}):
        status, _, body = raw("OPTIONS", f"/{bucket}/key", **(asked | change))
        assert (status, b"AccessForbidden" in body) == (403, True)
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    _, headers, _ = raw("GET", f"/{bucket}/key", origin="https://a.example.com")
    assert headers["access-control-expose-headers"] == "ETag"
    _, headers, _ = raw("GET", f"/{bucket}/key", origin="https://example.org")
    assert "access-control-allow-origin" not in headers
    bad = {"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["PATCH"]}]}
    fails("InvalidRequest", s3.put_bucket_cors, 400, Bucket=bucket, CORSConfiguration=bad)
    s3.delete_bucket_cors(Bucket=bucket)


def test_what_a_bucket_does_not_have_is_told_as_s3_tells_it(s3: Any, bucket: str, fails: Any) -> None:
    fails("NoSuchWebsiteConfiguration", s3.get_bucket_website, 404, Bucket=bucket)
    fails("ReplicationConfigurationNotFoundError", s3.get_bucket_replication, 404, Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_what_is_not_done_says_so(s3: Any, bucket: str, fails: Any) -> None:
    website = {"IndexDocument": {"Suffix": "index.html"}}
    fails("NotImplemented", s3.put_bucket_website, 501, Bucket=bucket, WebsiteConfiguration=website)
    fails("NotImplemented", s3.create_bucket, 501, Bucket=f"{bucket}-acl", ObjectOwnership="ObjectWriter")


def test_objects_belong_to_the_bucket_owner(s3: Any, bucket: str, fails: Any) -> None:
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == enforced
    preferred = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    fails("NotImplemented", s3.put_bucket_ownership_controls, 501, Bucket=bucket, OwnershipControls=preferred)


def test_a_public_policy_can_be_blocked(s3: Any, bucket: str, fails: Any) -> None:
    fails("NoSuchPublicAccessBlockConfiguration", s3.get_public_access_block, 404, Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    blocks = {
        "BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
    }  # fmt: skip
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocks)
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == blocks
    fails("AccessDenied", s3.put_bucket_policy, 403, Bucket=bucket, Policy=policy)
    statement["Condition"] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert not s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"]
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
