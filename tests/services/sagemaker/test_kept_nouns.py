"""The nouns that are only kept: each is created, described, listed, updated, tagged and deleted by plain boto3."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


@dataclass(frozen=True)
class Noun:
    """What it takes to try a noun: the arguments of Create, a change, and its operations where they are irregular."""

    name: str
    create: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    plural: str = ""
    has_update: bool = True
    by_arn: bool = False
    takes_name: bool = True


NOUNS = [
    Noun("Experiment", {"Description": "first"}, {"Description": "second"}),
    Noun("TrialComponent", {"DisplayName": "first"}, {"DisplayName": "second"}),
    Noun(
        "Artifact",
        {"Source": {"SourceUri": "s3://b/k"}, "ArtifactType": "DataSet"},
        {"Properties": {"a": "b"}},
        by_arn=True,
    ),
    Noun("Action", {"Source": {"SourceUri": "s3://b/k"}, "ActionType": "Deploy"}, {"Description": "second"}),
    Noun("Context", {"Source": {"SourceUri": "s3://b/k"}, "ContextType": "Endpoint"}, {"Description": "second"}),
    Noun(
        "CodeRepository",
        {"GitConfig": {"RepositoryUrl": "https://example.com/r.git"}},
        {"GitConfig": {"SecretArn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}},
        plural="CodeRepositories",
    ),
    Noun("ModelPackageGroup", {"ModelPackageGroupDescription": "first"}, has_update=False),
    Noun(
        "StudioLifecycleConfig",
        {"StudioLifecycleConfigContent": "ZWNobwo=", "StudioLifecycleConfigAppType": "JupyterLab"},
        has_update=False,
    ),
    Noun(
        "AppImageConfig",
        {"KernelGatewayImageConfig": {"KernelSpecs": [{"Name": "python3"}]}},
        {"JupyterLabAppImageConfig": {}},
    ),
    Noun(
        "NotebookInstanceLifecycleConfig",
        {"OnStart": [{"Content": "ZWNobwo="}]},
        {"OnCreate": [{"Content": "ZWNobwo="}]},
    ),
    Noun("HumanTaskUi", {"UiTemplate": {"Content": "<p>label</p>"}}, has_update=False),
]
TAGGED = {"NotebookInstanceLifecycleConfig"}


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.name)
def test_a_noun_from_create_to_delete(clary_aws: Server, noun: Noun) -> None:
    sagemaker = clary_aws.client("sagemaker")

    def call(verb: str, name: str = noun.name, **arguments: Any) -> Any:
        return getattr(sagemaker, f"{verb}_{snake(name)}")(**arguments)

    name, arn_member = f"{noun.name}Name", f"{noun.name}Arn"
    created = call("create", **{name: "first-one"}, **noun.create, Tags=[{"Key": "team", "Value": "a"}])
    arn = created[arn_member]
    key = {arn_member: arn} if noun.by_arn else {name: "first-one"}

    described = call("describe", **key)
    assert described[name] == "first-one"
    assert described[arn_member] == arn
    for member, value in noun.create.items():
        if noun.name != "HumanTaskUi":
            assert described[member] == value

    listed = call("list", noun.plural or f"{noun.name}s")
    [rows] = [value for value in listed.values() if isinstance(value, list)]
    assert [row[arn_member] for row in rows] == [arn]

    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}])
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]

    if noun.has_update:
        call("update", **key, **noun.change)
        changed = call("describe", **key)
        for member, value in noun.change.items():
            assert changed[member] == value

    if not noun.by_arn:
        with pytest.raises(ClientError) as taken:
            call("create", **{name: "first-one"}, **noun.create)
        assert taken.value.response["Error"]["Code"] in ("ResourceInUse", "ValidationException")

    call("delete", **key)
    with pytest.raises(ClientError) as gone:
        call("describe", **key)
    assert gone.value.response["Error"]["Code"] in ("ResourceNotFound", "ValidationException")
    with pytest.raises(ClientError):
        sagemaker.list_tags(ResourceArn=arn)


def test_trials_and_their_components(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    with pytest.raises(ClientError, match="Experiment 'e' does not exist"):
        sagemaker.create_trial(TrialName="t", ExperimentName="e")
    sagemaker.create_experiment(ExperimentName="e")
    sagemaker.create_trial(TrialName="t", ExperimentName="e")
    for component in ("c1", "c2", "alone"):
        sagemaker.create_trial_component(TrialComponentName=component, Parameters={"rate": {"NumberValue": 0.5}})
    for component in ("c1", "c2"):
        sagemaker.associate_trial_component(TrialComponentName=component, TrialName="t")

    def components(**filters: str) -> set[str]:
        pages = sagemaker.get_paginator("list_trial_components").paginate(**filters, PaginationConfig={"PageSize": 1})
        return {row["TrialComponentName"] for page in pages for row in page["TrialComponentSummaries"]}

    assert components(TrialName="t") == components(ExperimentName="e") == {"c1", "c2"}
    assert components() == {"c1", "c2", "alone"}
    assert [row["TrialName"] for row in sagemaker.list_trials(TrialComponentName="c1")["TrialSummaries"]] == ["t"]

    sagemaker.update_trial_component(
        TrialComponentName="c1", Parameters={"depth": {"NumberValue": 3}}, ParametersToRemove=["rate"]
    )
    assert sagemaker.describe_trial_component(TrialComponentName="c1")["Parameters"] == {"depth": {"NumberValue": 3.0}}

    for refused in (
        lambda: sagemaker.delete_experiment(ExperimentName="e"),
        lambda: sagemaker.delete_trial(TrialName="t"),
        lambda: sagemaker.delete_trial_component(TrialComponentName="c1"),
    ):
        with pytest.raises(ClientError, match="cannot be deleted"):
            refused()
    for component in ("c1", "c2"):
        sagemaker.disassociate_trial_component(TrialComponentName=component, TrialName="t")
    sagemaker.delete_trial(TrialName="t")
    sagemaker.delete_experiment(ExperimentName="e")


def test_lineage_edges(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    source = {"SourceUri": "s3://bucket/data"}
    data = sagemaker.create_artifact(ArtifactName="data", Source=source, ArtifactType="DataSet")["ArtifactArn"]
    model = sagemaker.create_artifact(Source={"SourceUri": "s3://bucket/m"}, ArtifactType="Model")["ArtifactArn"]
    train = sagemaker.create_action(ActionName="train", Source=source, ActionType="Training")["ActionArn"]
    sagemaker.add_association(SourceArn=data, DestinationArn=train, AssociationType="ContributedTo")
    sagemaker.add_association(SourceArn=train, DestinationArn=model, AssociationType="Produced")

    [edge] = sagemaker.list_associations(SourceArn=data)["AssociationSummaries"]
    assert (edge["DestinationArn"], edge["AssociationType"], edge["SourceType"]) == (train, "ContributedTo", "DataSet")
    [edge] = sagemaker.list_associations(DestinationArn=model)["AssociationSummaries"]
    assert edge["SourceName"] == "train"
    assert len(sagemaker.list_associations()["AssociationSummaries"]) == 2
    [row] = sagemaker.list_artifacts(SourceUri="s3://bucket/data")["ArtifactSummaries"]
    assert row["ArtifactArn"] == data

    with pytest.raises(ClientError, match="already exists"):
        sagemaker.add_association(SourceArn=data, DestinationArn=train)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.add_association(SourceArn=data, DestinationArn=train + "x")
    sagemaker.delete_association(SourceArn=data, DestinationArn=train)
    assert sagemaker.list_associations(SourceArn=data)["AssociationSummaries"] == []
