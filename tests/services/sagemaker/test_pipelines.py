"""Pipelines: definitions that are JSON, and a version for each that was replaced."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

FIRST = json.dumps({"Version": "2020-12-01", "Steps": []})
SECOND = json.dumps({"Version": "2020-12-01", "Steps": [], "Metadata": {"n": 2}})


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    client = clary_aws.client("sagemaker")
    client.create_pipeline(PipelineName="p", PipelineDefinition=FIRST, RoleArn=clary_aws.role_arn)
    return client


def test_an_update_makes_a_version(clary_aws: Server, sagemaker: Any) -> None:
    updated = sagemaker.update_pipeline(PipelineName="p", PipelineDefinition=SECOND)
    assert updated["PipelineVersionId"] == 2
    assert sagemaker.describe_pipeline(PipelineName="p")["PipelineDefinition"] == SECOND
    before = sagemaker.describe_pipeline(PipelineName="p", PipelineVersionId=1)
    assert (before["PipelineDefinition"], before["PipelineArn"]) == (FIRST, updated["PipelineArn"])

    sagemaker.update_pipeline_version(
        PipelineArn=updated["PipelineArn"],
        PipelineVersionId=1,
        PipelineVersionDisplayName="The-first",
        PipelineVersionDescription="Before all others",
    )
    listed = sagemaker.list_pipeline_versions(PipelineName=updated["PipelineArn"])["PipelineVersionSummaries"]
    assert [(row["PipelineVersionId"], row.get("PipelineVersionDisplayName")) for row in listed] == [
        (2, None),
        (1, "The-first"),
    ]
    sagemaker.update_pipeline_version(
        PipelineArn=updated["PipelineArn"], PipelineVersionId=1, PipelineVersionAliasOperations={"Add": ["stable"]}
    )
    stable = sagemaker.describe_pipeline(PipelineName="p", PipelineVersionAlias="stable")
    assert stable["PipelineDefinition"] == FIRST
    with pytest.raises(ClientError) as refused:
        sagemaker.update_pipeline_version(
            PipelineArn=updated["PipelineArn"], PipelineVersionId=2, PipelineVersionAliasOperations={"Add": ["stable"]}
        )
    assert refused.value.response["Error"]["Code"] == "ConflictException"
    for missing in ({"PipelineVersionId": 9}, {"PipelineVersionAlias": "none"}):
        with pytest.raises(ClientError) as gone:
            sagemaker.describe_pipeline(PipelineName="p", **missing)
        assert gone.value.response["Error"]["Code"] == "ResourceNotFound"

    sagemaker.delete_pipeline(PipelineName="p")
    sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=FIRST, RoleArn=clary_aws.role_arn)
    assert len(sagemaker.list_pipeline_versions(PipelineName="p")["PipelineVersionSummaries"]) == 1


def test_the_sdk_knows_a_taken_name_by_its_wording(clary_aws: Server, sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="already exist") as taken:
        sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=FIRST, RoleArn=clary_aws.role_arn)
    assert taken.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize("definition", ["{", "[]", '"x"', "nothing"])
def test_a_definition_is_a_json_object(clary_aws: Server, sagemaker: Any, definition: str) -> None:
    for call in (
        lambda: sagemaker.create_pipeline(PipelineName="q", PipelineDefinition=definition, RoleArn=clary_aws.role_arn),
        lambda: sagemaker.update_pipeline(PipelineName="p", PipelineDefinition=definition),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.describe_pipeline(PipelineName="p")["PipelineDefinition"] == FIRST


def test_executions_come_later(sagemaker: Any) -> None:
    assert sagemaker.list_pipeline_executions(PipelineName="p")["PipelineExecutionSummaries"] == []
    with pytest.raises(ClientError, match="not available in Clary yet"):
        sagemaker.start_pipeline_execution(PipelineName="p")
    with pytest.raises(ClientError) as missing:
        sagemaker.start_pipeline_execution(PipelineName="none")
    assert missing.value.response["Error"]["Code"] == "ResourceNotFound"
