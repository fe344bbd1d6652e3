"""Filters, order and pages of List, and what is answered to arguments that make no sense."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


def test_pages_filters_and_order(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    for number in range(23):
        sagemaker.create_model_package_group(ModelPackageGroupName=f"group-{number:02}")

    def names(**arguments: object) -> list[str]:
        pages = sagemaker.get_paginator("list_model_package_groups").paginate(**arguments)
        return [row["ModelPackageGroupName"] for page in pages for row in page["ModelPackageGroupSummaryList"]]

    everything = [f"group-{number:02}" for number in range(23)]
    assert names() == everything
    assert names(PaginationConfig={"PageSize": 4}, SortBy="Name", SortOrder="Descending") == everything[::-1]
    assert names(NameContains="-1") == everything[10:20]
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    assert names(CreationTimeAfter=now + hour) == []
    assert names(CreationTimeBefore=now + hour) == everything
    assert len(sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]) == 10


def test_a_token_that_was_never_given_out_is_refused(clary_aws: Server) -> None:
    for token in ("x", "W10=", "bnVsbA==", "eyJhIjoxfQ=="):
        with pytest.raises(ClientError) as refused:
            clary_aws.client("sagemaker").list_experiments(NextToken=token)
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_token_belongs_to_the_order_that_it_continues(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    for name in ("a", "b", "c"):
        sagemaker.create_experiment(ExperimentName=name)
    token = sagemaker.list_experiments(SortBy="Name", MaxResults=1)["NextToken"]
    for other in ({}, {"SortBy": "CreationTime"}, {"SortBy": "Name", "SortOrder": "Ascending"}):
        with pytest.raises(ClientError) as refused:
            sagemaker.list_experiments(NextToken=token, **other)
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_accounts_regions_are_worlds_of_their_own(clary_aws: Server) -> None:
    clary_aws.client("sagemaker").create_experiment(ExperimentName="here")
    there = clary_aws.client("sagemaker", region_name="eu-west-1")
    assert there.list_experiments()["ExperimentSummaries"] == []
    there.create_experiment(ExperimentName="here")
    assert "eu-west-1" in there.describe_experiment(ExperimentName="here")["ExperimentArn"]


def test_what_is_not_there_yet_says_so(clary_aws: Server) -> None:
    with pytest.raises(ClientError) as refused:
        clary_aws.client("sagemaker").create_presigned_notebook_instance_url(NotebookInstanceName="n")
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError) as refused:
        clary_aws.client("sagemaker").get_sagemaker_servicecatalog_portfolio_status()
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "not available in Clary yet" in str(refused.value)


def test_tags_are_limited_and_checked(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")

    def create(tags: list[dict[str, str]]) -> None:
        sagemaker.create_experiment(ExperimentName="tagged", Tags=tags)

    for tags, message in [
        ([{"Key": "aws:x", "Value": "1"}], "reserved"),
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "Duplicate"),
    ]:
        with pytest.raises(ClientError, match=message):
            create(tags)
    create([{"Key": f"k{n}", "Value": "v"} for n in range(50)])
    arn = sagemaker.describe_experiment(ExperimentName="tagged")["ExperimentArn"]
    with pytest.raises(ClientError, match="limit"):
        sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one-more", "Value": "v"}])
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert len([tag for page in pages for tag in page["Tags"]]) == 50
