from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ClaryExecutionRole"


def trust(principal: Any, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"], **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action: Any, resource: Any = "*") -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    )


def refused(call: Any, code: str, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    assert caught.value.response["Error"]["Code"] == code, caught.value.response
    return str(caught.value.response["Error"]["Message"])


@pytest.fixture
def ann(installation: Any, iam: Any) -> Any:
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]
    return installation.identities.resolve(key).principal


def resolve(installation: Any, credentials: dict[str, Any]) -> Any:
    found = installation.identities.resolve(credentials["AccessKeyId"], credentials["SessionToken"])
    assert found.secret == credentials["SecretAccessKey"]
    return found.principal


def test_caller_identity(installation: Any, sts: Any, ann: Any) -> None:
    told = sts.get_caller_identity()
    assert told["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/administrator" and told["Account"] == ACCOUNT
    # It takes no permission.
    assert installation.client("sts", ann).get_caller_identity()["UserId"] == ann.user_id


def test_assume_role(installation: Any, sts: Any, iam: Any) -> None:
    answer = sts.assume_role(RoleArn=ROLE, RoleSessionName="me", DurationSeconds=900)
    role = iam.get_role(RoleName="ClaryExecutionRole")["Role"]
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role['RoleId']}:me",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/ClaryExecutionRole/me",
    }
    assert answer["Credentials"]["Expiration"].timestamp() == int(installation.now + 900)
    principal = resolve(installation, answer["Credentials"])
    told = installation.client("sts", principal).get_caller_identity()
    assert told["Arn"] == answer["AssumedRoleUser"]["Arn"] and told["UserId"] == f"{role['RoleId']}:me"


def test_the_account_is_trusted_but_the_user_needs_permission(installation: Any, iam: Any, ann: Any) -> None:
    client = installation.client("sts", ann)
    message = refused(client.assume_role, "AccessDenied", RoleArn=ROLE, RoleSessionName="me")
    assert message == f"User: {ann.arn} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=allow("sts:AssumeRole", ROLE))
    assert client.assume_role(RoleArn=ROLE, RoleSessionName="me")
    iam.update_assume_role_policy(
        RoleName="ClaryExecutionRole", PolicyDocument=trust({"Service": "sagemaker.amazonaws.com"})
    )
    refused(client.assume_role, "AccessDenied", RoleArn=ROLE, RoleSessionName="me")
    # One that the role names needs nothing else.
    iam.delete_user_policy(UserName="ann", PolicyName="p")
    iam.update_assume_role_policy(RoleName="ClaryExecutionRole", PolicyDocument=trust({"AWS": ann.arn}))
    assert client.assume_role(RoleArn=ROLE, RoleSessionName="me")


def test_unknown_roles_are_not_told_apart(sts: Any) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/none"
    assert "sts:AssumeRole on resource: " + arn in refused(
        sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="me"
    )


def test_external_id(sts: Any, iam: Any) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "42"}}
    arn = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}, Condition=condition))
    role = arn["Role"]["Arn"]
    refused(sts.assume_role, "AccessDenied", RoleArn=role, RoleSessionName="me")
    refused(sts.assume_role, "AccessDenied", RoleArn=role, RoleSessionName="me", ExternalId="43")
    assert sts.assume_role(RoleArn=role, RoleSessionName="me", ExternalId="42")


def test_durations(installation: Any, sts: Any, iam: Any) -> None:
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]["Arn"]
    message = refused(sts.assume_role, "ValidationError", RoleArn=role, RoleSessionName="me", DurationSeconds=3601)
    assert message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    refused(sts.assume_role, "ValidationError", RoleArn=role, RoleSessionName="me", DurationSeconds=899)
    iam.update_role(RoleName="r", MaxSessionDuration=7200)
    first = sts.assume_role(RoleArn=role, RoleSessionName="me", DurationSeconds=7200)
    iam.put_role_policy(RoleName="r", PolicyName="p", PolicyDocument=allow("sts:AssumeRole"))
    chained = installation.client("sts", resolve(installation, first["Credentials"]))
    assert "1 hour session limit" in refused(
        chained.assume_role, "ValidationError", RoleArn=role, RoleSessionName="again", DurationSeconds=3601
    )
    assert chained.assume_role(RoleArn=role, RoleSessionName="again")


def test_session_policy(installation: Any, sts: Any) -> None:
    answer = sts.assume_role(
        RoleArn=ROLE,
        RoleSessionName="me",
        Policy=allow("s3:GetObject"),
        PolicyArns=[{"arn": "arn:aws:iam::aws:policy/CloudWatchLogsFullAccess"}],
    )
    assert 0 < answer["PackedPolicySize"] < 10
    principal = resolve(installation, answer["Credentials"])
    authorize = installation.identities.authorize
    authorize(principal, "s3:GetObject", "arn:aws:s3:::b/k")
    authorize(principal, "logs:PutLogEvents", "*")
    with pytest.raises(Exception, match="no session policy"):
        authorize(principal, "s3:PutObject", "arn:aws:s3:::b/k")
    refused(sts.assume_role, "MalformedPolicyDocument", RoleArn=ROLE, RoleSessionName="me", Policy="{")
    large = allow([f"s3:Get{number}" for number in range(300)])
    refused(sts.assume_role, "PackedPolicyTooLarge", RoleArn=ROLE, RoleSessionName="me", Policy=large)


def test_session_tags(installation: Any, sts: Any, iam: Any) -> None:
    tags = [{"Key": "team", "Value": "red"}]
    refused(sts.assume_role, "AccessDenied", RoleArn=ROLE, RoleSessionName="me", Tags=tags)
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust({"AWS": ACCOUNT}))["Role"]["Arn"]
    answer = sts.assume_role(RoleArn=role, RoleSessionName="me", Tags=tags)
    assert resolve(installation, answer["Credentials"]).session_tags == (("team", "red"),)


def test_session_token(installation: Any, sts: Any, ann: Any) -> None:
    client = installation.client("sts", ann)
    principal = resolve(installation, client.get_session_token(DurationSeconds=900)["Credentials"])
    assert principal == ann
    role = resolve(installation, sts.assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"])
    refused(installation.client("sts", role).get_session_token, "AccessDenied")


def test_access_key_info(installation: Any, sts: Any, iam: Any) -> None:
    key = iam.list_access_keys(UserName="administrator")["AccessKeyMetadata"][0]["AccessKeyId"]
    assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
    session = sts.assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]["AccessKeyId"]
    assert sts.get_access_key_info(AccessKeyId=session)["Account"] == ACCOUNT
    for unknown in ("AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "ASIA" + "7" * 16, "ASIA" + "1" * 16):
        refused(sts.get_access_key_info, "ValidationError", AccessKeyId=unknown)


def test_web_identities_are_not_there_yet(sts: Any) -> None:
    with pytest.raises(ClientError, match="AssumeRole only"):
        sts.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="me", WebIdentityToken="t" * 10)
