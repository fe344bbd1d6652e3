"""Who asks for what in the cases of the comparison, and what is known of a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Case = dict[str, Any]

OWN, OTHER = "111122223333", "444455556666"
NOW = 1_767_225_600
"""2026-01-01T00:00:00Z."""
SERVICES = ("sagemaker.amazonaws.com", "s3.amazonaws.com", "events.amazonaws.com")
WORDS = ("blue", "green", "Blue", "red")
NAMES = ("ann", "bob", "blue", "green")


@dataclass(frozen=True)
class Asked:
    """An action on a kind of resource; ``arn`` is its form. ``policies``: whether the resource has a policy."""

    action: str
    arn: str
    policies: bool = True
    keys: tuple[str, ...] = ()


ASKED = (
    Asked("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:us-east-1:{account}:training-job/{name}-1", False),
    Asked("sagemaker:InvokeEndpoint", "arn:aws:sagemaker:us-east-1:{account}:endpoint/{name}", False),
    Asked("sagemaker:DescribeModelPackageGroup", "arn:aws:sagemaker:eu-west-1:{account}:model-package-group/{name}"),
    Asked("sagemaker:ListTrainingJobs", "*", False),
    Asked("s3:GetObject", "arn:aws:s3:::reports/{name}/2026.txt"),
    Asked("s3:PutObject", "arn:aws:s3:::reports/{name}/2026.txt"),
    Asked("s3:DeleteObject", "arn:aws:s3:::{name}-data/a:b/c"),
    Asked("s3:ListBucket", "arn:aws:s3:::{name}-data", keys=("s3:prefix", "s3:max-keys")),
    Asked("s3:ListAllMyBuckets", "*", False),
    Asked("kms:Decrypt", "arn:aws:kms:us-east-1:{account}:key/{name}"),
    Asked("kms:GenerateDataKey", "arn:aws:kms:us-east-1:{account}:key/{name}"),
    Asked("kms:DescribeKey", "arn:aws:kms:us-east-1:{account}:key/{name}"),
    Asked("kms:ListKeys", "*", False),
    Asked("iam:GetUser", "arn:aws:iam::{account}:user/{name}", False),
    Asked("iam:PassRole", "arn:aws:iam::{account}:role/team/{name}", False, ("iam:PassedToService",)),
    Asked("iam:CreatePolicy", "arn:aws:iam::{account}:policy/{name}", False),
    Asked("sts:AssumeRole", "arn:aws:iam::{account}:role/{name}", keys=("sts:ExternalId",)),
    Asked("sqs:SendMessage", "arn:aws:sqs:us-east-1:{account}:{name}-queue"),
    Asked("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:{account}:{name}-queue"),
    Asked("sns:Publish", "arn:aws:sns:eu-west-1:{account}:{name}-topic"),
)
TEXT = ("aws:RequestedRegion", "aws:Referer", "aws:UserAgent")
SEVERAL = ("aws:CalledVia", "aws:PrincipalOrgPaths")
VALUES: dict[str, tuple[str, ...]] = {
    "Numeric": ("1", "10", "10.5", "300", "3600"),
    "Date": ("2025-06-01", "2026-01", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00", "2027-03-01T12:30:00Z"),
    "Bool": ("true", "false", "True"),
    "IpAddress": ("203.0.113.7", "203.0.113.200", "10.1.2.3", "2001:db8::1", "2001:db8:1::42"),
    "Arn": (
        "arn:aws:sns:us-east-1:111122223333:alarms",
        "arn:aws:s3:::reports",
        f"arn:aws:iam::{OWN}:role/team/green",
        f"arn:aws:iam::{OTHER}:user/ann",
    ),
    "Several": ("athena.amazonaws.com", "glue.amazonaws.com", "kms.amazonaws.com"),
}


def arns_of(caller: dict[str, Any]) -> Sequence[str]:
    """The ARNs that mean a caller; the last is that of the request."""
    account, name = caller["account"], caller["name"]
    if caller["kind"] == "root":
        return [f"arn:aws:iam::{account}:root"]
    if caller["kind"] == "user":
        return [f"arn:aws:iam::{account}:user/{name}"]
    return [
        f"arn:aws:iam::{account}:role{caller['path']}{name}",
        f"arn:aws:sts::{account}:assumed-role/{name}/{caller['session']}",
    ]


def variables_of(caller: dict[str, Any], context: dict[str, Any], resource: str, owner: str) -> dict[str, Any]:
    """All condition keys of a request: those given, and those that AWS adds to every request.

    Reference: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    kind, account = caller["kind"], caller["account"]
    known: dict[str, Any] = {
        **context,
        "aws:CurrentTime": "2026-01-01T00:00:00Z",
        "aws:EpochTime": str(NOW),
        "aws:ViaAWSService": "false",
    }
    if not account:
        return known
    known |= {"aws:PrincipalArn": arns_of(caller)[0], "aws:PrincipalAccount": account}
    if kind == "user":
        known |= {"aws:username": caller["name"], "aws:userid": "AIDAEXAMPLE"}
    elif kind == "session":
        known["aws:userid"] = f"AROAEXAMPLE:{caller['session']}"
    elif kind == "root":
        known["aws:userid"] = account
    for key, value in {**caller["tags"], **caller["session_tags"]}.items():
        known[f"aws:PrincipalTag/{key}"] = value
    return known
