"""Repositories of ECR by plain boto3."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_repositories(clary_aws: Server) -> None:
    ecr = clary_aws.client("ecr")
    for name in ("team/model", "base"):
        made = ecr.create_repository(repositoryName=name, tags=[{"Key": "team", "Value": "a"}])["repository"]
    assert made["repositoryUri"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com/base"
    assert (made["imageTagMutability"], made["registryId"]) == ("MUTABLE", "123456789012")
    listed = ecr.describe_repositories()["repositories"]
    assert [each["repositoryName"] for each in listed] == ["base", "team/model"]
    first = ecr.describe_repositories(maxResults=1)
    assert ecr.describe_repositories(nextToken=first["nextToken"])["repositories"][0]["repositoryName"] == "team/model"
    [one] = ecr.describe_repositories(repositoryNames=["team/model"])["repositories"]
    assert one["repositoryArn"].endswith("repository/team/model")
    assert ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"] == [{"Key": "team", "Value": "a"}]
    ecr.tag_resource(resourceArn=one["repositoryArn"], tags=[{"Key": "cost", "Value": "1"}])
    ecr.untag_resource(resourceArn=one["repositoryArn"], tagKeys=["team"])
    assert ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"] == [{"Key": "cost", "Value": "1"}]
    ecr.put_image_tag_mutability(repositoryName="base", imageTagMutability="IMMUTABLE")
    [base] = ecr.describe_repositories(repositoryNames=["base"])["repositories"]
    assert base["imageTagMutability"] == "IMMUTABLE"
    assert ecr.list_images(repositoryName="base")["imageIds"] == []

    assert refused(ecr.create_repository, repositoryName="base") == "RepositoryAlreadyExistsException"
    assert refused(ecr.describe_repositories, repositoryNames=["base", "none"]) == "RepositoryNotFoundException"
    assert refused(ecr.list_images, repositoryName="none") == "RepositoryNotFoundException"
    assert ecr.delete_repository(repositoryName="base", force=True)["repository"]["repositoryName"] == "base"
    assert refused(ecr.delete_repository, repositoryName="base") == "RepositoryNotFoundException"


def test_policies(clary_aws: Server) -> None:
    ecr = clary_aws.client("ecr")
    ecr.create_repository(repositoryName="rr")
    assert refused(ecr.get_repository_policy, repositoryName="rr") == "RepositoryPolicyNotFoundException"
    assert refused(ecr.set_repository_policy, repositoryName="rr", policyText="{") == "InvalidParameterException"
    statement = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    ecr.set_repository_policy(repositoryName="rr", policyText=policy)
    assert ecr.get_repository_policy(repositoryName="rr")["policyText"] == policy
    ecr.delete_repository_policy(repositoryName="rr")
    assert refused(ecr.delete_repository_policy, repositoryName="rr") == "RepositoryPolicyNotFoundException"
    with pytest.raises(ClientError, match="not available in Clary yet"):
        ecr.get_authorization_token()
