"""What one account's policies share with a role of another account, and that nothing is shared without them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from clary.core.suites import S3_ACCOUNTS
from clary.testing.server import Server, server

OWNER, FRIEND = "main", "alt"
ROLE = f"arn:aws:iam::{S3_ACCOUNTS[FRIEND][0]}:role/visitor"
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def two_accounts() -> Iterator[Server]:
    # Test mode has three accounts, each with an administrator of its own.
    with server(test_mode=True) as running:
        yield running


def clients(running: Server, access_key: str, secret: str, token: str | None = None) -> Client:
    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=running.url,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )

    return client


@pytest.fixture(scope="module")
def owner(two_accounts: Server) -> Client:
    return clients(two_accounts, *S3_ACCOUNTS[OWNER][1:])


@pytest.fixture(scope="module")
def visit(two_accounts: Server) -> Callable[..., Client]:
    """Makes clients of the other account's role, narrowed by a session policy if one is given."""
    friend = clients(two_accounts, *S3_ACCOUNTS[FRIEND][1:])
    trust = {"Effect": "Allow", "Principal": {"AWS": S3_ACCOUNTS[FRIEND][0]}, "Action": "sts:AssumeRole"}
    friend("iam").create_role(RoleName="visitor", AssumeRolePolicyDocument=document(trust))
    allowed = {"Effect": "Allow", "Action": ["s3:*", "kms:*", "sagemaker:*"], "Resource": "*"}
    friend("iam").put_role_policy(RoleName="visitor", PolicyName="own", PolicyDocument=document(allowed))

    def session(**arguments: str) -> Client:
        keys = friend("sts").assume_role(RoleArn=ROLE, RoleSessionName="visit", **arguments)["Credentials"]
        return clients(two_accounts, keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    return session


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refused(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


NOTHING = document({"Effect": "Deny", "Action": "*", "Resource": "*"})


def test_a_bucket(owner: Client, visit: Callable[..., Client]) -> None:
    s3 = owner("s3")
    s3.create_bucket(Bucket="shared-reports")
    s3.put_object(Bucket="shared-reports", Key="2026.txt", Body=b"all well")
    asked = {"Bucket": "shared-reports", "Key": "2026.txt"}
    assert refused(visit()("s3").get_object, **asked) == "AccessDenied"
    share = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shared-reports/*",
    }
    s3.put_bucket_policy(Bucket="shared-reports", Policy=document(share))
    assert visit()("s3").get_object(**asked)["Body"].read() == b"all well"
    assert refused(visit()("s3").put_object, **asked, Body=b"") == "AccessDenied"
    assert refused(visit(Policy=NOTHING)("s3").get_object, **asked) == "AccessDenied"


def test_a_key(owner: Client, visit: Callable[..., Client]) -> None:
    kms = owner("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    asked = {"KeyId": key, "Plaintext": b"x"}
    assert refused(visit()("kms").encrypt, **asked) == "AccessDeniedException"
    own = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{S3_ACCOUNTS[OWNER][0]}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    share = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Encrypt", "Resource": "*"}
    kms.put_key_policy(KeyId=key, Policy=document(own, share))
    blob = visit()("kms").encrypt(**asked)["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(visit()("kms").decrypt, CiphertextBlob=blob, KeyId=key) == "AccessDeniedException"
    assert refused(visit(Policy=NOTHING)("kms").encrypt, **asked) == "AccessDeniedException"


def test_a_model_package_group(owner: Client, visit: Callable[..., Client]) -> None:
    sagemaker = owner("sagemaker")
    arn = sagemaker.create_model_package_group(ModelPackageGroupName="shared")["ModelPackageGroupArn"]
    asked = {"ModelPackageGroupName": arn}
    assert refused(visit()("sagemaker").describe_model_package_group, **asked) == "AccessDeniedException"
    share = {
        "Effect": "Allow",
        "Principal": {"AWS": ROLE},
        "Action": "sagemaker:DescribeModelPackageGroup",
        "Resource": arn,
    }
    sagemaker.put_model_package_group_policy(ModelPackageGroupName="shared", ResourcePolicy=document(share))
    shown = visit()("sagemaker").describe_model_package_group(**asked)
    assert shown["ModelPackageGroupArn"] == arn
    assert refused(visit()("sagemaker").delete_model_package_group, **asked) == "AccessDeniedException"
    assert refused(visit(Policy=NOTHING)("sagemaker").describe_model_package_group, **asked) == "AccessDeniedException"
