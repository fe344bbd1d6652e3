"""Hubs: contents in versions, the lists of the last ones and of all, and references to contents of other hubs."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

PUBLIC = "arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/xgboost"


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    client = clary_aws.client("sagemaker")
    client.create_hub(HubName="hub", HubDescription="Ours")
    return client


def put(sagemaker: Any, name: str, version: str, **more: Any) -> str:
    answer = sagemaker.import_hub_content(
        HubName="hub",
        HubContentName=name,
        HubContentType="Model",
        HubContentVersion=version,
        DocumentSchemaVersion="2.0.0",
        HubContentDocument='{"Url": "s3://bucket/model"}',
        **more,
    )
    return str(answer["HubContentArn"])


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return str(error.value.response["Error"]["Code"])


def test_contents_and_their_versions(sagemaker: Any) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        arn = put(sagemaker, "trees", version, HubContentSearchKeywords=["tabular"])
        assert arn.endswith(f":hub-content/hub/Model/trees/{version}")
    put(sagemaker, "lines", "1.0.0")
    of_trees = {"HubName": "hub", "HubContentType": "Model", "HubContentName": "trees"}
    assert sagemaker.describe_hub_content(**of_trees)["HubContentVersion"] == "1.10.0"
    shown = sagemaker.describe_hub_content(**of_trees, HubContentVersion="1.2.0")
    assert (shown["HubContentStatus"], shown["HubContentSearchKeywords"]) == ("Available", ["tabular"])
    assert shown["HubContentDocument"] == '{"Url": "s3://bucket/model"}'

    listed = sagemaker.list_hub_contents(HubName="hub", HubContentType="Model", SortBy="HubContentName")
    rows = [(row["HubContentName"], row["HubContentVersion"]) for row in listed["HubContentSummaries"]]
    assert rows == [("trees", "1.10.0"), ("lines", "1.0.0")]
    versions = sagemaker.list_hub_content_versions(**of_trees, SortBy="HubContentName", SortOrder="Ascending")
    assert [row["HubContentVersion"] for row in versions["HubContentSummaries"]] == ["1.2.0", "1.9.0", "1.10.0"]
    some = sagemaker.list_hub_content_versions(**of_trees, MinVersion="1.9.0", MaxResults=1)
    assert len(some["HubContentSummaries"]) == 1
    assert "NextToken" in some
    assert sagemaker.list_hub_contents(HubName="hub", HubContentType="Notebook")["HubContentSummaries"] == []

    assert refused(put, sagemaker=sagemaker, name="trees", version="1.2.0") == "ResourceInUse"
    assert refused(sagemaker.delete_hub, HubName="hub") == "ResourceInUse"
    sagemaker.update_hub_content(**of_trees, HubContentVersion="1.2.0", HubContentDescription="Old")
    assert sagemaker.describe_hub_content(**of_trees, HubContentVersion="1.2.0")["HubContentDescription"] == "Old"
    for version in ("1.2.0", "1.9.0", "1.10.0"):
        sagemaker.delete_hub_content(**of_trees, HubContentVersion=version)
    assert refused(sagemaker.describe_hub_content, **of_trees) == "ResourceNotFound"


def test_references(sagemaker: Any) -> None:
    made = sagemaker.create_hub_content_reference(
        HubName="hub", SageMakerPublicHubContentArn=PUBLIC, MinVersion="2.0.0", Tags=[{"Key": "a", "Value": "b"}]
    )
    named = {"HubName": "hub", "HubContentType": "ModelReference", "HubContentName": "xgboost"}
    shown = sagemaker.describe_hub_content(**named)
    assert (shown["SageMakerPublicHubContentArn"], shown["ReferenceMinVersion"]) == (PUBLIC, "2.0.0")
    assert sagemaker.list_tags(ResourceArn=made["HubContentArn"])["Tags"] == [{"Key": "a", "Value": "b"}]
    sagemaker.update_hub_content_reference(**named, MinVersion="2.1.0")
    assert sagemaker.describe_hub_content(**named)["ReferenceMinVersion"] == "2.1.0"
    sagemaker.delete_hub_content_reference(**named)
    assert refused(sagemaker.describe_hub_content, **named) == "ResourceNotFound"


def test_what_cannot_be_imported(sagemaker: Any) -> None:
    content = {
        "HubContentName": "n",
        "HubContentType": "Model",
        "DocumentSchemaVersion": "1.0.0",
        "HubContentDocument": "{",
    }
    assert refused(sagemaker.import_hub_content, HubName="hub", **content) == "ValidationException"
    assert refused(sagemaker.import_hub_content, HubName="no-hub", **content) == "ResourceNotFound"
