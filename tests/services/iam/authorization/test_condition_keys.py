"""What a request gives policies to ask for, and that nobody looks before they do."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from clary.control.authorization import authorized
from clary.core.errors import AccessDenied
from clary.services.catalog import services
from clary.services.iam.principals import principal_of_arn
from clary.services.iam.request_context import ConditionKeys, way_here
from clary.services.sagemaker.condition_keys import conditions_of

SERVICES = services()
SAGEMAKER = SERVICES["sagemaker"]


def never() -> dict[str, Any]:
    raise AssertionError("nobody has asked for this")


def test_nothing_is_worked_out_before_it_is_asked_for() -> None:
    keys = ConditionKeys(never, never)
    assert keys
    assert keys.rounds == 1
    keys = ConditionKeys(lambda: {"sagemaker:RootAccess": "Enabled"}, never)
    assert keys["sagemaker:RootAccess"] == "Enabled"
    assert keys.get("aws:sourceip") is None
    with pytest.raises(AssertionError):
        keys.get("aws:resourcetag/owner")


def test_tags_of_a_resource_are_found_whatever_their_letters() -> None:
    keys = ConditionKeys(dict, lambda: {"aws:ResourceTag/Owner": "ann"})
    assert keys["aws:resourcetag/owner"] == "ann"
    assert keys.get("aws:resourcetag/team") is None
    assert list(keys) == []


def test_several_values_of_a_key_that_has_one_are_asked_about_in_turn() -> None:
    given = {"a": ("x", "y", "z"), "b": ("1", "2"), "c": ["l", "m"]}
    turns = [dict(ConditionKeys(lambda: given, never, turn)) for turn in range(3)]
    assert [(turn["a"], turn["b"]) for turn in turns] == [("x", "1"), ("y", "2"), ("z", "2")]
    assert turns[0]["c"] == ["l", "m"]
    keys = ConditionKeys(lambda: given, never)
    assert "a" in keys
    assert keys.rounds == 3


def test_how_a_request_came() -> None:
    assert way_here({}, "", "eu-west-1") == {"aws:SecureTransport": "false", "aws:RequestedRegion": "eu-west-1"}
    known = way_here({"user-agent": "Boto3/1", "referer": "http://x/"}, "10.0.0.1", "us-east-1")
    assert (known["aws:UserAgent"], known["aws:Referer"], known["aws:SourceIp"]) == ("Boto3/1", "http://x/", "10.0.0.1")


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (
            {"OutputDataConfig": {"KmsKeyId": "k"}, "ResourceConfig": {"VolumeKmsKeyId": "v"}},
            {"OutputKmsKey": "k", "OutputKmsKeyArn": "k", "VolumeKmsKey": "v", "VolumeKmsKeyArn": "v"},
        ),
        ({"EnableNetworkIsolation": False}, {"NetworkIsolation": False}),
        ({"VpcConfig": {"Subnets": ["a", "b"], "SecurityGroupIds": []}}, {"VpcSubnets": ["a", "b"]}),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 60}}, {"MaxRuntimeInSeconds": 60}),
        (
            {"SubnetId": "a", "DirectInternetAccess": "Disabled"},
            {"VpcSubnets": ["a"], "DirectInternetAccess": "Disabled"},
        ),
        (
            {"WorkteamArn": "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default"},
            {
                "WorkteamArn": "arn:aws:sagemaker:us-east-1:394669845002:workteam/public-crowd/default",
                "WorkteamType": "public-crowd",
            },
        ),
        (
            {"TrainingJobDefinitions": [{"StoppingCondition": {"MaxRuntimeInSeconds": n}} for n in (1, 2, 1)]},
            {"MaxRuntimeInSeconds": (1, 2)},
        ),
        ({"CustomerMetadataProperties": {"stage": "a"}}, {"CustomerMetadataProperties/stage": "a"}),
        ({"OutputDataConfig": {"S3OutputPath": "s3://b"}}, {}),
    ],
    ids=["keys", "isolation", "networks", "time", "notebook", "crowd", "definitions", "metadata", "nothing"],
)
def test_conditions_of_sagemaker(installation: Any, params: dict[str, Any], told: dict[str, Any]) -> None:
    found = conditions_of(installation.context(), "CreateTrainingJob", params)
    assert found == {f"sagemaker:{key}": value for key, value in told.items()}


def user(installation: Any, name: str, *statements: dict[str, Any]) -> Any:
    iam = installation.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Resource": "*", **each} for each in statements],
    }
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    return principal_of_arn(arn)


def test_groups_of_logs_by_their_tags(installation: Any, logs: Any) -> None:
    for team in ("a", "b"):
        logs.create_log_group(logGroupName=team, tags={"team": team})
        logs.create_log_stream(logGroupName=team, logStreamName="s")
    condition = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    reader = user(installation, "ann", {"Action": "logs:GetLogEvents", "Condition": condition})
    own = installation.client("logs", reader)
    assert own.get_log_events(logGroupName="a", logStreamName="s")["events"] == []
    with pytest.raises(own.exceptions.ClientError, match="not authorized"):
        own.get_log_events(logGroupName="b", logStreamName="s")


def test_what_a_space_is_decides(installation: Any) -> None:
    spaces = next(each.resource for each in SAGEMAKER.spelled().values() if each.resource.noun == "Space")
    context = installation.context()
    owner = "arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-1/ann"
    with context.platform.database.write() as transaction:
        from clary.state.records import Record

        document = {
            "SpaceSharingSettings": {"SharingType": "Private"},
            "OwnershipSettings": {"OwnerUserProfileName": "ann"},
        }
        arn = spaces.make_arn(context, "s", "d-1")
        transaction.insert(Record(spaces.key(context, "s", "d-1"), arn, 0.0, 0.0, document))
    hers = {
        "StringEquals": {"sagemaker:SpaceSharingType": "Private"},
        "ArnEquals": {"sagemaker:OwnerUserProfileArn": owner},
    }
    ann = user(installation, "ann", {"Action": "sagemaker:DeleteSpace", "Condition": hers})
    shared = {"StringEquals": {"sagemaker:SpaceSharingType": "Shared"}}
    bob = user(installation, "bob", {"Action": "sagemaker:DeleteSpace", "Condition": shared})
    params = {"DomainId": "d-1", "SpaceName": "s"}
    asked = replace(context, caller=ann)
    assert authorized(installation.identities, SAGEMAKER, "DeleteSpace", asked, params) is asked
    with pytest.raises(AccessDenied):
        authorized(installation.identities, SAGEMAKER, "DeleteSpace", replace(context, caller=bob), params)


def test_names_are_of_the_caller_s_account_and_arns_of_their_own(installation: Any) -> None:
    context = installation.context()
    foreign = "arn:aws:sagemaker:us-east-1:111122223333:model-package-group/g"
    for params in (
        {"ModelPackageGroupName": foreign},
        {"ModelPackageName": "arn:aws:sagemaker:us-east-1:111122223333:model-package/g/1"},
    ):
        operation = "ListModelPackages" if "ModelPackageGroupName" in params else "DescribeModelPackage"
        with pytest.raises(AccessDenied, match="because no resource-based policy allows"):
            authorized(installation.identities, SAGEMAKER, operation, context, params)
    own = authorized(installation.identities, SAGEMAKER, "ListModelPackages", context, {"ModelPackageGroupName": "g"})
    assert own.account == context.account
