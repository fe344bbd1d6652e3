"""Artifacts, actions and contexts, the associations between them, and the group that they belong to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def artifact(sagemaker: Any, uri: str, type_: str = "DataSet", **others: Any) -> str:
    return str(sagemaker.create_artifact(Source={"SourceUri": uri}, ArtifactType=type_, **others)["ArtifactArn"])


def action(sagemaker: Any, name: str, type_: str = "ModelDeployment") -> str:
    made = sagemaker.create_action(ActionName=name, ActionType=type_, Source={"SourceUri": "s3://somewhere"})
    return str(made["ActionArn"])


def test_associations_are_drawn_and_removed(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    data, model = artifact(sagemaker, "s3://b/data", ArtifactName="data"), artifact(sagemaker, "s3://b/m", "Model")
    train = action(sagemaker, "train", "Training")
    sagemaker.add_association(SourceArn=data, DestinationArn=train, AssociationType="ContributedTo")
    sagemaker.add_association(SourceArn=train, DestinationArn=model)

    [edge] = sagemaker.list_associations(SourceArn=data)["AssociationSummaries"]
    assert edge.pop("CreationTime") <= datetime.now(UTC)
    assert edge == {
        "SourceArn": data,
        "SourceType": "DataSet",
        "SourceName": "data",
        "DestinationArn": train,
        "DestinationType": "Training",
        "DestinationName": "train",
        "AssociationType": "ContributedTo",
        "CreatedBy": {},
    }
    [edge] = sagemaker.list_associations(DestinationArn=model)["AssociationSummaries"]
    assert edge["AssociationType"] == "AssociatedWith"
    assert "DestinationName" not in edge

    with pytest.raises(ClientError, match="already exists") as refused:
        sagemaker.add_association(SourceArn=data, DestinationArn=train)
    assert code(refused) == "ValidationException"
    for ends in ((data, f"{train}x"), (f"{data}x", train)):
        with pytest.raises(ClientError, match="does not exist") as refused:
            sagemaker.add_association(SourceArn=ends[0], DestinationArn=ends[1])
        assert code(refused) == "ResourceNotFound"
    with pytest.raises(ClientError, match="no resource-based policy") as refused:
        sagemaker.add_association(SourceArn=data.replace("123456789012", "1" * 12), DestinationArn=train)
    assert code(refused) == "AccessDeniedException"
    with pytest.raises(ClientError, match="satisfy"):
        sagemaker.add_association(SourceArn="arn:aws:s3:::bucket", DestinationArn=train)

    sagemaker.delete_association(SourceArn=data, DestinationArn=train)
    assert sagemaker.list_associations(SourceArn=data)["AssociationSummaries"] == []
    with pytest.raises(ClientError, match="does not exist") as refused:
        sagemaker.delete_association(SourceArn=data, DestinationArn=train)
    assert code(refused) == "ResourceNotFound"


@pytest.fixture
def star(clary_aws: Server) -> tuple[Any, str, list[str]]:
    """An action and what it made: artifacts of three types."""
    sagemaker = clary_aws.client("sagemaker")
    centre = action(sagemaker, "centre")
    made = [artifact(sagemaker, f"s3://b/{number}", f"Type{number % 3}") for number in range(7)]
    for arn in made:
        sagemaker.add_association(SourceArn=centre, DestinationArn=arn, AssociationType="Produced")
    return sagemaker, centre, made


def rows(sagemaker: Any, size: int = 2, **arguments: Any) -> list[dict[str, Any]]:
    pages = sagemaker.get_paginator("list_associations").paginate(**arguments, PaginationConfig={"PageSize": size})
    return [row for page in pages for row in page["AssociationSummaries"]]


def test_associations_come_newest_first_and_in_any_order(star: tuple[Any, str, list[str]]) -> None:
    sagemaker, _, made = star
    assert [row["DestinationArn"] for row in rows(sagemaker)] == made[::-1]
    assert [row["DestinationArn"] for row in rows(sagemaker, SortOrder="Ascending")] == made
    for key in ("SourceArn", "DestinationArn", "SourceType", "DestinationType"):
        values = [row[key] for row in rows(sagemaker, SortBy=key, SortOrder="Ascending")]
        assert values == sorted(values)
        assert len(values) == 7
        assert [row[key] for row in rows(sagemaker, SortBy=key)] == values[::-1]
    assert len(sagemaker.list_associations(MaxResults=100)["AssociationSummaries"]) == 7


def test_associations_are_filtered(star: tuple[Any, str, list[str]]) -> None:
    sagemaker, centre, made = star
    assert {row["DestinationArn"] for row in rows(sagemaker, DestinationType="Type1")} == {made[1], made[4]}
    assert rows(sagemaker, SourceType="DataSet") == []
    assert len(rows(sagemaker, SourceType="ModelDeployment", AssociationType="Produced", SourceArn=centre)) == 7
    assert rows(sagemaker, AssociationType="SameAs") == []
    hour, now = timedelta(hours=1), datetime.now(UTC)
    assert rows(sagemaker, CreatedAfter=now + hour) == []
    assert len(rows(sagemaker, CreatedAfter=now - hour, CreatedBefore=now + hour)) == 7
    assert rows(sagemaker, SourceArn=made[0]) == []
    for token in ("x", "W10=", "7"):
        with pytest.raises(ClientError, match="token is invalid"):
            sagemaker.list_associations(NextToken=token)


def test_trial_components_take_part(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    component = sagemaker.create_trial_component(TrialComponentName="Tracker")["TrialComponentArn"]
    data = artifact(sagemaker, "s3://b/data")
    sagemaker.add_association(SourceArn=data, DestinationArn=component)
    sagemaker.create_experiment(ExperimentName="e")
    sagemaker.create_trial(TrialName="t", ExperimentName="e")
    sagemaker.associate_trial_component(TrialComponentName="Tracker", TrialName="t")
    # What a trial consists of is not lineage.
    [edge] = rows(sagemaker)
    assert (edge["DestinationType"], edge["DestinationName"]) == ("SageMakerExperimentTrialComponent", "Tracker")
    assert rows(sagemaker, DestinationType="SageMakerExperimentTrialComponent") == [edge]
    sagemaker.disassociate_trial_component(TrialComponentName="Tracker", TrialName="t")
    sagemaker.delete_trial_component(TrialComponentName="Tracker")
    assert rows(sagemaker) == []
    sagemaker.delete_artifact(ArtifactArn=data)


def test_a_source_is_one_artifact(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    types = [{"SourceIdType": "S3ETag", "Value": "1"}, {"SourceIdType": "Custom", "Value": "2"}]
    source = {"SourceUri": "s3://b/k", "SourceTypes": types}
    arn = sagemaker.create_artifact(Source=source, ArtifactType="DataSet", ArtifactName="first")["ArtifactArn"]
    again = {"SourceUri": "s3://b/k", "SourceTypes": types[::-1]}
    with pytest.raises(ClientError, match="already exists") as refused:
        sagemaker.create_artifact(Source=again, ArtifactType="Model")
    assert code(refused) == "ValidationException"
    assert artifact(sagemaker, "s3://b/k") != arn

    assert sagemaker.delete_artifact(Source=again)["ArtifactArn"] == arn
    with pytest.raises(ClientError, match="does not exist") as refused:
        sagemaker.delete_artifact(Source=again)
    assert code(refused) == "ResourceNotFound"
    with pytest.raises(ClientError, match="Either ArtifactArn or Source must be specified"):
        sagemaker.delete_artifact()


def test_artifacts_are_listed_by_type_and_source(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    arns = [artifact(sagemaker, f"s3://b/{number}", ("DataSet", "Model")[number % 2]) for number in range(4)]

    def listed(**filters: Any) -> list[str]:
        return [row["ArtifactArn"] for row in sagemaker.list_artifacts(**filters)["ArtifactSummaries"]]

    assert listed() == arns[::-1]
    assert listed(ArtifactType="Model") == [arns[3], arns[1]]
    assert listed(SourceUri="s3://b/2") == [arns[2]]
    assert listed(ArtifactType="Model", SourceUri="s3://b/2") == []


def test_what_has_associations_is_not_deleted(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    data, deployment = artifact(sagemaker, "s3://b/data"), action(sagemaker, "deploy")
    made = sagemaker.create_context(ContextName="c_1", ContextType="Endpoint", Source={"SourceUri": "arn:x"})
    context = made["ContextArn"]
    for ends in ((data, deployment), (deployment, context)):
        sagemaker.add_association(SourceArn=ends[0], DestinationArn=ends[1])
    for arn, delete in (
        (data, lambda: sagemaker.delete_artifact(ArtifactArn=data)),
        (deployment, lambda: sagemaker.delete_action(ActionName="deploy")),
        (context, lambda: sagemaker.delete_context(ContextName="c_1")),
    ):
        with pytest.raises(ClientError, match=f"'{arn}' is linked to 1 or more associations") as refused:
            delete()
        assert code(refused) == "ValidationException"
    sagemaker.delete_association(SourceArn=deployment, DestinationArn=context)
    sagemaker.delete_context(ContextName="c_1")


def test_an_update_overwrites_the_properties(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    arn = artifact(sagemaker, "s3://b/k", Properties={"a": "1", "b": "2"}, ArtifactName="old")
    sagemaker.update_artifact(ArtifactArn=arn, ArtifactName="new", PropertiesToRemove=["a"])
    described = sagemaker.describe_artifact(ArtifactArn=arn)
    assert (described["ArtifactName"], described["Properties"]) == ("new", {"b": "2"})
    sagemaker.update_artifact(ArtifactArn=arn, Properties={"c": "3", "d": "4"}, PropertiesToRemove=["d"])
    assert sagemaker.describe_artifact(ArtifactArn=arn)["Properties"] == {"c": "3"}

    with pytest.raises(ClientError, match="already exists") as refused:
        action(sagemaker, "deploy")
        action(sagemaker, "deploy")
    assert code(refused) == "ValidationException"
    sagemaker.update_action(ActionName="deploy", Status="Completed", Description="done")
    described = sagemaker.describe_action(ActionName="deploy")
    assert (described["Status"], described["Description"]) == ("Completed", "done")
    assert sagemaker.describe_action(ActionName=described["ActionArn"])["ActionName"] == "deploy"


def test_all_entities_belong_to_one_group(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    name = "sagemaker-default-lineage-group"
    assert sagemaker.list_lineage_groups()["LineageGroupSummaries"] == []
    with pytest.raises(ClientError) as refused:
        sagemaker.get_lineage_group_policy(LineageGroupName=name)
    assert code(refused) == "ResourceNotFound"
    entity = sagemaker.describe_artifact(ArtifactArn=artifact(sagemaker, "s3://b/k"))
    action(sagemaker, "deploy")
    [group] = sagemaker.list_lineage_groups()["LineageGroupSummaries"]
    assert (group["LineageGroupName"], group["LineageGroupArn"]) == (name, entity["LineageGroupArn"])
    assert sagemaker.describe_lineage_group(LineageGroupName=name)["DisplayName"] == name
    for given in (name, group["LineageGroupArn"]):
        policy = sagemaker.get_lineage_group_policy(LineageGroupName=given)
        assert policy["LineageGroupArn"] == group["LineageGroupArn"]
        assert "ResourcePolicy" not in policy
