"""Groups of resources by their tags, and tags across services: what the model registry's collections stand on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


def query(**tags: list[str]) -> dict[str, str]:
    filters = [{"Key": key, "Values": values} for key, values in tags.items()]
    return {
        "Type": "TAG_FILTERS_1_0",
        "Query": json.dumps({"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": filters}),
    }


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_a_group_holds_what_has_its_tags(clary_aws: Server) -> None:
    groups, sagemaker = clary_aws.client("resource-groups"), clary_aws.client("sagemaker")
    made = groups.create_group(Name="ours", ResourceQuery=query(team=["a", "b"]), Tags={"team": "b"})
    assert made["Group"]["GroupArn"] == "arn:aws:resource-groups:us-east-1:123456789012:group/ours"
    for name, team in (("first", "a"), ("second", "c")):
        tags = [{"Key": "team", "Value": team}]
        sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=tags)

    def held(**more: Any) -> list[str]:
        rows = groups.list_group_resources(Group="ours", **more)["Resources"]
        return [row["Identifier"]["ResourceArn"].rsplit(":", 1)[1] for row in rows]

    assert held() == ["group/ours", "model-package-group/first"]
    packages = {"Name": "resource-type", "Values": ["AWS::SageMaker::ModelPackageGroup"]}
    assert held(Filters=[packages]) == ["model-package-group/first"]
    groups.update_group_query(Group="ours", ResourceQuery=query(team=["c"]))
    assert held() == ["model-package-group/second"]
    assert [each["Name"] for each in groups.list_groups()["Groups"]] == ["ours"]
    assert groups.get_group(Group="ours")["Group"]["Name"] == "ours"
    arn = made["Group"]["GroupArn"]
    groups.tag(Arn=arn, Tags={"x": "y"})
    groups.untag(Arn=arn, Keys=["team"])
    assert groups.get_tags(Arn=arn)["Tags"] == {"x": "y"}
    assert refused(groups.create_group, Name="ours", ResourceQuery=query(team=["a"])) == "BadRequestException"
    wrong = {"Type": "TAG_FILTERS_1_0", "Query": "{"}
    assert refused(groups.create_group, Name="w", ResourceQuery=wrong) == "BadRequestException"
    groups.delete_group(Group="ours")
    assert refused(groups.get_group, Group="ours") == "NotFoundException"


def test_tags_across_services(clary_aws: Server) -> None:
    tagging, sagemaker = clary_aws.client("resourcegroupstaggingapi"), clary_aws.client("sagemaker")
    tags = [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}]
    first = sagemaker.create_experiment(ExperimentName="e", Tags=tags)["ExperimentArn"]
    clary_aws.client("ecr").create_repository(repositoryName="repo", tags=[{"Key": "team", "Value": "b"}])

    def arns(**asked: Any) -> list[str]:
        pages = tagging.get_paginator("get_resources").paginate(**asked, ResourcesPerPage=1)
        return [row["ResourceARN"].split(":", 5)[5] for page in pages for row in page["ResourceTagMappingList"]]

    assert arns(TagFilters=[{"Key": "team"}]) == ["repository/repo", "experiment/e"]
    assert arns(TagFilters=[{"Key": "team", "Values": ["a"]}, {"Key": "stage"}]) == ["experiment/e"]
    assert arns(ResourceTypeFilters=["ecr"]) == ["repository/repo"]
    assert arns(ResourceTypeFilters=["sagemaker:experiment"]) == ["experiment/e"]
    assert tagging.get_tag_keys()["TagKeys"] == ["stage", "team"]
    assert tagging.get_tag_values(Key="team")["TagValues"] == ["a", "b"]
    missing = "arn:aws:sagemaker:us-east-1:123456789012:experiment/none"
    failed = tagging.tag_resources(ResourceARNList=[first, missing], Tags={"more": "1"})["FailedResourcesMap"]
    assert list(failed) == [missing]
    tagging.untag_resources(ResourceARNList=[first], TagKeys=["team"])
    shown = {tag["Key"] for tag in sagemaker.list_tags(ResourceArn=first)["Tags"]}
    assert shown == {"stage", "more"}
