"""The model registry: numbered versions in groups, packages without, approval, policies of groups."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
INFERENCE = {
    "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    client = clary_aws.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="group")
    return client


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_versions_are_numbered_and_wait_for_approval(sagemaker: Any) -> None:
    arns = [
        sagemaker.create_model_package(ModelPackageGroupName="group", InferenceSpecification=INFERENCE)[
            "ModelPackageArn"
        ]
        for _ in range(3)
    ]
    assert [arn.rsplit(":", 1)[1] for arn in arns] == [f"model-package/group/{number}" for number in (1, 2, 3)]
    shown = sagemaker.describe_model_package(ModelPackageName=arns[0])
    assert (shown["ModelPackageGroupName"], shown["ModelPackageVersion"]) == ("group", 1)
    assert (shown["ModelApprovalStatus"], shown["ModelPackageStatus"]) == ("PendingManualApproval", "Completed")
    sagemaker.delete_model_package(ModelPackageName=arns[2])
    again = sagemaker.create_model_package(ModelPackageGroupName="group", InferenceSpecification=INFERENCE)
    assert again["ModelPackageArn"].endswith("/4")
    assert refused(sagemaker.delete_model_package_group, ModelPackageGroupName="group") == "ConflictException"


def test_approval_is_changed_and_told(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="group",
        InferenceSpecification=INFERENCE,
        CustomerMetadataProperties={"team": "a", "stage": "test"},
    )["ModelPackageArn"]
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good enough",
        CustomerMetadataProperties={"stage": "live"},
        CustomerMetadataPropertiesToRemove=["team"],
        AdditionalInferenceSpecificationsToAdd=[{"Name": "fast", **INFERENCE}],
    )
    shown = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (shown["ModelApprovalStatus"], shown["ApprovalDescription"]) == ("Approved", "good enough")
    assert shown["CustomerMetadataProperties"] == {"stage": "live"}
    assert [each["Name"] for each in shown["AdditionalInferenceSpecifications"]] == ["fast"]
    assert shown["LastModifiedBy"]["IamIdentity"]["Arn"].endswith("user/administrator")
    approved = sagemaker.list_model_packages(ModelPackageGroupName="group", ModelApprovalStatus="Approved")
    assert [row["ModelPackageArn"] for row in approved["ModelPackageSummaryList"]] == [arn]
    twice = {"ModelPackageArn": arn, "AdditionalInferenceSpecificationsToAdd": [{"Name": "fast", **INFERENCE}]}
    assert refused(sagemaker.update_model_package, **twice) == "ValidationException"


def test_packages_without_versions_are_listed_apart(sagemaker: Any) -> None:
    sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=INFERENCE)
    sagemaker.create_model_package(ModelPackageGroupName="group", InferenceSpecification=INFERENCE)

    def names(**asked: Any) -> list[str]:
        rows = sagemaker.list_model_packages(**asked)["ModelPackageSummaryList"]
        return [row["ModelPackageArn"].split("model-package/")[1] for row in rows]

    assert names() == ["alone"]
    assert names(ModelPackageType="Versioned") == ["group/1"]
    assert sorted(names(ModelPackageType="Both")) == ["alone", "group/1"]
    assert names(ModelPackageGroupName="group") == ["group/1"]
    assert names(NameContains="lon") == ["alone"]
    assert sagemaker.describe_model_package(ModelPackageName="alone")["ModelPackageName"] == "alone"
    assert refused(sagemaker.create_model_package, ModelPackageName="alone") == "ConflictException"


def test_many_at_once(sagemaker: Any) -> None:
    arn = sagemaker.create_model_package(ModelPackageGroupName="group", InferenceSpecification=INFERENCE)[
        "ModelPackageArn"
    ]
    other = arn.replace("group/1", "group/9")
    answer = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, other])
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["BatchDescribeModelPackageErrorMap"][other]["ErrorCode"] == "ValidationException"


def test_what_is_no_package(sagemaker: Any) -> None:
    for request in (
        {},
        {"ModelPackageName": "a", "ModelPackageGroupName": "group"},
        {"ModelPackageGroupName": "no-group"},
    ):
        assert refused(sagemaker.create_model_package, **request) == "ValidationException"
    assert refused(sagemaker.describe_model_package, ModelPackageName="none") == "ValidationException"


def test_policies_of_groups(sagemaker: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sagemaker:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refused(sagemaker.get_model_package_group_policy, ModelPackageGroupName="group") == "ValidationException"
    sagemaker.put_model_package_group_policy(ModelPackageGroupName="group", ResourcePolicy=policy)
    assert sagemaker.get_model_package_group_policy(ModelPackageGroupName="group")["ResourcePolicy"] == policy
    wrong = {"ModelPackageGroupName": "group", "ResourcePolicy": "{}"}
    assert refused(sagemaker.put_model_package_group_policy, **wrong) == "ValidationException"
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName="group")
    assert refused(sagemaker.delete_model_package_group_policy, ModelPackageGroupName="group") == "ValidationException"
