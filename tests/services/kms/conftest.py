"""Clients of KMS that act as the administrator or as users with the policies of a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.iam.api import Principal

ACCOUNT = "123456789012"


@pytest.fixture
def kms(installation: Any) -> Any:
    return installation.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    """The ARN of a key with the default policy."""
    return str(kms.create_key(Description="first")["KeyMetadata"]["Arn"])


@pytest.fixture
def refused() -> Callable[..., str]:
    """Makes a call that must fail, and gives the code of the error."""

    def call(operation: Any, **arguments: Any) -> str:
        with pytest.raises(ClientError) as error:
            operation(**arguments)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
        return str(error.value.response["Error"]["Code"])

    return call


@pytest.fixture
def user(installation: Any) -> Callable[..., Principal]:
    """Makes a user whose policy has these statements, in any account."""

    def make(name: str, *statements: dict[str, Any], account: str = ACCOUNT) -> Principal:
        root = Principal(f"arn:aws:iam::{account}:root", account, account, "root", "")
        iam = installation.client("iam", root)
        made = iam.create_user(UserName=name)["User"]
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        return Principal(made["Arn"], account, made["UserId"], "user", name)

    return make
