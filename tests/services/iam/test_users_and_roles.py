from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def allow(action: Any, resource: Any = "*") -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}
    )


def refused(call: Any, code: str, message: str | None = None, **params: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message


def test_user_life(iam: Any) -> None:
    made = iam.create_user(UserName="ann", Path="/team/", Tags=[{"Key": "Team", "Value": "ml"}])["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    assert made["UserId"].startswith("AIDA") and len(made["UserId"]) == 21
    assert iam.get_user(UserName="ann")["User"]["Tags"] == [{"Key": "Team", "Value": "ml"}]
    refused(iam.create_user, "EntityAlreadyExists", "User with name ANN already exists.", UserName="ANN")
    assert [user["UserName"] for user in iam.list_users(PathPrefix="/team/")["Users"]] == ["ann"]
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    iam.update_user(UserName="ann", NewUserName="anna", NewPath="/")
    assert iam.get_user(UserName="anna")["User"]["UserId"] == made["UserId"]
    assert iam.list_user_tags(UserName="anna")["Tags"] == [{"Key": "Team", "Value": "ml"}]
    assert [item["AccessKeyId"] for item in iam.list_access_keys(UserName="anna")["AccessKeyMetadata"]] == [
        key["AccessKeyId"]
    ]
    refused(iam.get_user, "NoSuchEntity", "The user with name ann cannot be found.", UserName="ann")
    refused(iam.delete_user, "DeleteConflict", "Cannot delete entity, must delete access keys first.", UserName="anna")
    iam.delete_access_key(UserName="anna", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="anna")
    refused(iam.get_user, "NoSuchEntity", UserName="anna")


def test_get_user_without_name_is_the_caller(iam: Any) -> None:
    assert iam.get_user()["User"]["UserName"] == "administrator"


def test_access_keys(installation: Any, iam: Any) -> None:
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    identities = installation.identities
    credential = identities.resolve(key["AccessKeyId"])
    assert credential.secret == key["SecretAccessKey"]
    assert credential.principal.arn == f"arn:aws:iam::{ACCOUNT}:user/ann"
    iam.create_access_key(UserName="ann")
    refused(iam.create_access_key, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", UserName="ann")
    listed = iam.list_access_keys(UserName="ann", MaxItems=1)
    assert listed["IsTruncated"] and len(listed["AccessKeyMetadata"]) == 1
    assert "SecretAccessKey" not in listed["AccessKeyMetadata"][0]
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == "ann"
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Inactive")
    with pytest.raises(Exception, match="security token"):
        identities.resolve(key["AccessKeyId"])
    iam.update_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"], Status="Active")
    assert identities.resolve(key["AccessKeyId"]).secret == key["SecretAccessKey"]
    iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    refused(iam.delete_access_key, "NoSuchEntity", UserName="ann", AccessKeyId=key["AccessKeyId"])


def test_secrets_are_sealed_at_rest(installation: Any, iam: Any) -> None:
    iam.create_user(UserName="ann")
    secret = iam.create_access_key(UserName="ann")["AccessKey"]["SecretAccessKey"]
    home = installation.settings.home
    content = b"".join(file.read_bytes() for file in (home / "state").iterdir())
    assert b"ann" in content and secret.encode() not in content


def test_pages(iam: Any) -> None:
    for number in range(5):
        iam.create_user(UserName=f"user-{number}")
    pages = list(iam.get_paginator("list_users").paginate(PaginationConfig={"PageSize": 2}))
    names = [user["UserName"] for page in pages for user in page["Users"]]
    assert names == ["administrator", *(f"user-{number}" for number in range(5))]
    assert len(pages) == 3


def test_role_life(iam: Any) -> None:
    document = json.dumps(TRUST)
    made = iam.create_role(RoleName="train", AssumeRolePolicyDocument=document, Description="d", Path="/service-role/")
    assert made["Role"]["RoleId"].startswith("AROA")
    assert made["Role"]["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/service-role/train"
    role = iam.get_role(RoleName="train")["Role"]
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert role["MaxSessionDuration"] == 3600
    iam.update_role(RoleName="train", MaxSessionDuration=7200, Description="e")
    assert iam.get_role(RoleName="train")["Role"]["Description"] == "e"
    iam.tag_role(RoleName="train", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="train", TagKeys=["A"])
    assert iam.list_role_tags(RoleName="train")["Tags"] == [{"Key": "b", "Value": "2"}]
    refused(iam.get_role, "NoSuchEntity", "The role with name none cannot be found.", RoleName="none")
    iam.put_role_policy(RoleName="train", PolicyName="own", PolicyDocument=allow("s3:*"))
    assert iam.get_role_policy(RoleName="train", PolicyName="own")["PolicyDocument"] == json.loads(allow("s3:*"))
    refused(iam.delete_role, "DeleteConflict", "Cannot delete entity, must delete policies first.", RoleName="train")
    iam.delete_role_policy(RoleName="train", PolicyName="own")
    refused(
        iam.delete_role_policy,
        "NoSuchEntity",
        "The role policy with name own cannot be found.",
        RoleName="train",
        PolicyName="own",
    )
    managed = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    iam.attach_role_policy(RoleName="train", PolicyArn=managed)
    assert iam.list_attached_role_policies(RoleName="train")["AttachedPolicies"] == [
        {"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": managed}
    ]
    refused(
        iam.delete_role, "DeleteConflict", "Cannot delete entity, must detach all policies first.", RoleName="train"
    )
    iam.detach_role_policy(RoleName="train", PolicyArn=managed)
    iam.delete_role(RoleName="train")


def test_a_role_needs_a_trust_policy(iam: Any) -> None:
    bad = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]}
    refused(
        iam.create_role,
        "MalformedPolicyDocument",
        "Missing required field Principal",
        RoleName="x",
        AssumeRolePolicyDocument=json.dumps(bad),
    )
    refused(iam.create_role, "ValidationError", RoleName="x y", AssumeRolePolicyDocument=json.dumps(TRUST))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "This policy contains invalid Json"),
        ("{}", "Syntax errors in policy."),
        ('{"Version":"2013-01-01","Statement":[]}', "Policy document must be version 2012-10-17 or greater."),
        ('{"Statement":{"Effect":"Allow","Resource":"*"}}', "Policy statement must contain actions."),
        ('{"Statement":{"Effect":"Allow","Action":"s3:*"}}', "Policy statement must contain resources."),
        ('{"Statement":{"Effect":"allow","Action":"s3:*","Resource":"*"}}', "Syntax errors in policy."),
        (
            '{"Statement":{"Effect":"Allow","Action":"foo","Resource":"*"}}',
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (
            '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"bucket"}}',
            'Resource bucket must be in ARN format or "*".',
        ),
        (
            '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Principal":"*"}}',
            "Policy document should not specify a principal.",
        ),
        (
            '{"Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},'
            '{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}]}',
            "Statement IDs (SID) in a single policy must be unique.",
        ),
        (
            '{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Like":{"a:b":"c"}}}}',
            "Invalid Condition type : Like.",
        ),
    ],
)
def test_malformed_policies(iam: Any, document: str, message: str) -> None:
    iam.create_user(UserName="ann")
    refused(
        iam.put_user_policy,
        "MalformedPolicyDocument",
        message,
        UserName="ann",
        PolicyName="p",
        PolicyDocument=document,
    )


def test_groups_give_permissions(installation: Any, iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.create_group(GroupName="ml")
    iam.put_group_policy(GroupName="ml", PolicyName="p", PolicyDocument=allow("sagemaker:List*"))
    ann = installation.identities.resolve(iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]).principal
    identities = installation.identities
    with pytest.raises(Exception, match="no identity-based policy allows"):
        identities.authorize(ann, "sagemaker:ListModels", "*")
    iam.add_user_to_group(GroupName="ml", UserName="ann")
    identities.authorize(ann, "sagemaker:ListModels", "*")
    assert [user["UserName"] for user in iam.get_group(GroupName="ml")["Users"]] == ["ann"]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="ann")["Groups"]] == ["ml"]
    refused(iam.delete_group, "DeleteConflict", GroupName="ml")
    iam.remove_user_from_group(GroupName="ml", UserName="ann")
    with pytest.raises(Exception, match="no identity-based policy allows"):
        identities.authorize(ann, "sagemaker:ListModels", "*")


def test_managed_policies_and_versions(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="p", PolicyDocument=allow("s3:GetObject"), Path="/x/")["Policy"]["Arn"]
    assert arn == f"arn:aws:iam::{ACCOUNT}:policy/x/p"
    refused(
        iam.create_policy,
        "EntityAlreadyExists",
        "A policy called p already exists. Duplicate names are not allowed.",
        PolicyName="p",
        PolicyDocument=allow("s3:*"),
    )
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=allow("s3:PutObject"), SetAsDefault=True)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"
    assert iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == json.loads(
        allow("s3:GetObject")
    )
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert [(item["VersionId"], item["IsDefaultVersion"]) for item in versions] == [("v2", True), ("v1", False)]
    refused(iam.delete_policy_version, "DeleteConflict", PolicyArn=arn, VersionId="v2")
    refused(iam.delete_policy, "DeleteConflict", PolicyArn=arn)
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v1")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v2")
    iam.create_user(UserName="ann")
    iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    users = iam.list_entities_for_policy(PolicyArn=arn)["PolicyUsers"]
    assert [user["UserName"] for user in users] == ["ann"]
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    refused(iam.delete_policy, "DeleteConflict", "Cannot delete a policy attached to entities.", PolicyArn=arn)
    iam.detach_user_policy(UserName="ann", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    refused(iam.get_policy, "NoSuchEntity", f"Policy {arn} was not found.", PolicyArn=arn)
    refused(
        iam.attach_user_policy,
        "NoSuchEntity",
        f"Policy {arn} does not exist or is not attachable.",
        UserName="ann",
        PolicyArn=arn,
    )


def test_every_policy_of_aws_is_a_policy(iam: Any) -> None:
    from clary.services.iam.documents import check_document
    from clary.services.iam.managed import managed_policies

    for policy in managed_policies().values():
        check_document(policy.document, "identity")
    names = {
        policy["PolicyName"]
        for page in iam.get_paginator("list_policies").paginate(Scope="AWS", PaginationConfig={"PageSize": 10})
        for policy in page["Policies"]
    }
    assert {"AdministratorAccess", "AmazonSageMakerFullAccess", "AmazonS3FullAccess", "ReadOnlyAccess"} <= names
    document = iam.get_policy_version(PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess", VersionId="v1")
    assert document["PolicyVersion"]["Document"]["Statement"][0]["Action"] == "*"


def test_boundaries(installation: Any, iam: Any) -> None:
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=allow("sagemaker:*"))["Policy"]["Arn"]
    iam.create_user(UserName="ann", PermissionsBoundary=boundary)
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=allow("*"))
    identities = installation.identities
    ann = identities.resolve(iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]).principal
    identities.authorize(ann, "sagemaker:ListModels", "*")
    with pytest.raises(Exception, match="because no permissions boundary allows the s3:ListBucket action"):
        identities.authorize(ann, "s3:ListBucket", "arn:aws:s3:::b")
    iam.delete_user_permissions_boundary(UserName="ann")
    identities.authorize(ann, "s3:ListBucket", "arn:aws:s3:::b")


def test_instance_profiles(iam: Any) -> None:
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName="p")
    iam.add_role_to_instance_profile(InstanceProfileName="p", RoleName="r")
    assert iam.get_instance_profile(InstanceProfileName="p")["InstanceProfile"]["Roles"][0]["RoleName"] == "r"
    assert len(iam.list_instance_profiles_for_role(RoleName="r")["InstanceProfiles"]) == 1
    refused(iam.delete_role, "DeleteConflict", RoleName="r")
    iam.remove_role_from_instance_profile(InstanceProfileName="p", RoleName="r")
    iam.delete_instance_profile(InstanceProfileName="p")
    refused(iam.get_instance_profile, "NoSuchEntity", "Instance Profile p cannot be found.", InstanceProfileName="p")


def test_account(iam: Any) -> None:
    summary = iam.get_account_summary()["SummaryMap"]
    assert summary["Users"] == 1 and summary["Roles"] == 1 and summary["AccessKeysPerUserQuota"] == 2
    assert iam.list_account_aliases()["AccountAliases"] == []


def test_callers_need_permission(installation: Any, iam: Any) -> None:
    iam.create_user(UserName="ann")
    iam.put_user_policy(
        UserName="ann",
        PolicyName="self",
        PolicyDocument=allow(["iam:GetUser", "iam:*AccessKey*"], f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"),
    )
    ann = installation.identities.resolve(iam.create_access_key(UserName="ann")["AccessKey"]["AccessKeyId"]).principal
    own = installation.client("iam", ann)
    assert own.get_user()["User"]["UserName"] == "ann"
    assert own.create_access_key()["AccessKey"]["UserName"] == "ann"
    refused(
        own.get_user,
        "AccessDenied",
        f"User: {ann.arn} is not authorized to perform: iam:GetUser on resource: "
        f"arn:aws:iam::{ACCOUNT}:user/administrator because no identity-based policy allows the iam:GetUser action",
        UserName="administrator",
    )


def test_simulation(iam: Any) -> None:
    role = iam.create_role(RoleName="train", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::b/*"},
                {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::b/secret"},
                {
                    "Effect": "Allow",
                    "Action": "sagemaker:*",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"sagemaker:VpcSubnets": "x"}},
                },
            ],
        },
        indent=2,
    )
    iam.put_role_policy(RoleName="train", PolicyName="p", PolicyDocument=text)
    answer = iam.simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=["s3:GetObject", "sagemaker:CreateModel"],
        ResourceArns=["arn:aws:s3:::b/a", "arn:aws:s3:::b/secret"],
    )
    decisions = [result["EvalDecision"] for result in answer["EvaluationResults"]]
    assert decisions == ["allowed", "explicitDeny", "implicitDeny", "implicitDeny"]
    matched = answer["EvaluationResults"][0]["MatchedStatements"][0]
    lines = text.splitlines()
    assert matched["SourcePolicyId"] == "role_train_p"
    assert lines[matched["StartPosition"]["Line"] - 1][matched["StartPosition"]["Column"] - 1] == "{"
    assert matched["EndPosition"]["Line"] == matched["StartPosition"]["Line"] + 4
    assert answer["EvaluationResults"][2]["MissingContextValues"] == ["sagemaker:VpcSubnets"]
    with_key = iam.simulate_principal_policy(
        PolicySourceArn=role,
        ActionNames=["sagemaker:CreateModel"],
        ContextEntries=[
            {"ContextKeyName": "sagemaker:VpcSubnets", "ContextKeyValues": ["x"], "ContextKeyType": "string"}
        ],
    )
    assert with_key["EvaluationResults"][0]["EvalDecision"] == "allowed"
    assert with_key["EvaluationResults"][0]["EvalResourceName"] == "*"
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role, ActionNames=[f"s3:Get{letter}" for letter in "abcde"], PaginationConfig={"PageSize": 2}
    )
    assert [len(page["EvaluationResults"]) for page in pages] == [2, 2, 1]
    refused(iam.simulate_principal_policy, "NoSuchEntity", PolicySourceArn=role + "x", ActionNames=["s3:GetObject"])


def test_custom_simulation_with_boundary(iam: Any) -> None:
    answer = iam.simulate_custom_policy(
        PolicyInputList=[allow("s3:*")],
        PermissionsBoundaryPolicyInputList=[allow("s3:Get*")],
        ActionNames=["s3:GetObject", "s3:PutObject"],
    )
    results = answer["EvaluationResults"]
    assert [result["EvalDecision"] for result in results] == ["allowed", "implicitDeny"]
    assert [result["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] for result in results] == [
        True,
        False,
    ]
    refused(iam.simulate_custom_policy, "InvalidInput", PolicyInputList=["{"], ActionNames=["s3:GetObject"])
