"""Experiments, trials and trial components: names, defaults, what belongs to what, and what is not deleted."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_defaults(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="Tried")
    sagemaker.create_trial(TrialName="First", ExperimentName="tried")
    sagemaker.create_trial_component(TrialComponentName="Step")
    assert sagemaker.describe_experiment(ExperimentName="Tried")["DisplayName"] == "Tried"
    trial = sagemaker.describe_trial(TrialName="First")
    assert (trial["DisplayName"], trial["ExperimentName"]) == ("First", "Tried")
    component = sagemaker.describe_trial_component(TrialComponentName="Step")
    assert component["DisplayName"] == "Step"
    assert component["LineageGroupArn"].endswith(":lineage-group/sagemaker-default-lineage-group")
    for member in ("Parameters", "InputArtifacts", "OutputArtifacts", "CreatedBy", "LastModifiedBy"):
        assert component[member] == {}
    for member in ("Metrics", "Sources"):
        assert component[member] == []
    for member in ("Status", "StartTime", "EndTime", "Source"):
        assert member not in component


def test_names_differ_by_more_than_capital_letters(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    arn = sagemaker.create_experiment(ExperimentName="MyExperiment")["ExperimentArn"]
    assert arn.endswith(":experiment/MyExperiment")
    with pytest.raises(ClientError, match=r"Experiment with name \(myexperiment\) already exists") as refused:
        sagemaker.create_experiment(ExperimentName="myexperiment")
    assert code(refused) == "ValidationException"
    described = sagemaker.describe_experiment(ExperimentName="MYEXPERIMENT")
    assert (described["ExperimentName"], described["ExperimentArn"]) == ("MyExperiment", arn)
    [row] = sagemaker.list_experiments()["ExperimentSummaries"]
    assert row["ExperimentName"] == "MyExperiment"

    sagemaker.create_trial(TrialName="T", ExperimentName="myExperiment")
    [row] = sagemaker.list_trials(ExperimentName="MYexperiment")["TrialSummaries"]
    assert row["TrialName"] == "T"
    found = sagemaker.search(
        Resource="ExperimentTrial",
        SearchExpression={"Filters": [{"Name": "TrialName", "Operator": "Equals", "Value": "T"}]},
    )
    assert found["Results"][0]["Trial"]["ExperimentName"] == "MyExperiment"
    sagemaker.delete_trial(TrialName="t")
    assert sagemaker.delete_experiment(ExperimentName="myexperiment")["ExperimentArn"] == arn


def test_a_policy_cannot_be_evaded_by_other_letters(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    arn = sagemaker.create_trial_component(TrialComponentName="Secret")["TrialComponentArn"]
    allow = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "sagemaker:DescribeTrialComponent", "Resource": arn}
    iam, role = clary_aws.client("iam"), "looks-on"
    trust = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}}'
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    document = {"Version": "2012-10-17", "Statement": [allow, deny]}
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=str(document).replace("'", '"'))
    theirs = clary_aws.session(role).client("sagemaker")
    theirs.list_trial_components()
    for name in ("Secret", "secret", "SECRET", arn):
        with pytest.raises(ClientError) as refused:
            theirs.describe_trial_component(TrialComponentName=name)
        assert code(refused) == "AccessDeniedException"


@pytest.fixture
def tried(clary_aws: Server) -> Any:
    """Two experiments: ``e`` with two trials of two components each, of which they share one; ``other`` has one."""
    sagemaker = clary_aws.client("sagemaker")
    for experiment, trials in (("e", {"t1": ("a", "both"), "t2": ("both", "c")}), ("other", {"t3": ("d",)})):
        sagemaker.create_experiment(ExperimentName=experiment)
        for trial, components in trials.items():
            sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
            for component in components:
                if component != "both" or trial == "t1":
                    sagemaker.create_trial_component(TrialComponentName=component)
                for _ in range(2):  # a second time changes nothing
                    sagemaker.associate_trial_component(TrialComponentName=component, TrialName=trial)
    sagemaker.create_trial_component(TrialComponentName="alone")
    return sagemaker


def components(sagemaker: Any, **arguments: Any) -> list[str]:
    pages = sagemaker.get_paginator("list_trial_components").paginate(**arguments, PaginationConfig={"PageSize": 2})
    return [row["TrialComponentName"] for page in pages for row in page["TrialComponentSummaries"]]


def test_what_belongs_to_what(tried: Any) -> None:
    assert components(tried) == ["alone", "d", "c", "both", "a"]
    assert components(tried, SortBy="Name", SortOrder="Ascending") == ["a", "alone", "both", "c", "d"]
    assert components(tried, TrialName="t1") == ["both", "a"]
    assert components(tried, TrialName="T2", SortOrder="Ascending") == ["both", "c"]
    assert components(tried, ExperimentName="e", SortBy="Name") == ["c", "both", "a"]
    assert components(tried, ExperimentName="other") == ["d"]
    assert components(tried, SourceArn="arn:aws:sagemaker:us-east-1:123456789012:training-job/x") == []

    def trials(**filters: str) -> list[str]:
        return [row["TrialName"] for row in tried.list_trials(**filters)["TrialSummaries"]]

    assert trials() == ["t3", "t2", "t1"]
    assert trials(ExperimentName="e") == ["t2", "t1"]
    assert trials(TrialComponentName="both") == ["t2", "t1"]
    assert trials(TrialComponentName="d", ExperimentName="e") == []
    tried.disassociate_trial_component(TrialComponentName="both", TrialName="t1")
    assert trials(TrialComponentName="both") == ["t2"]
    assert components(tried, ExperimentName="e") == ["c", "both", "a"]


def test_lists_refuse_what_makes_no_sense(tried: Any) -> None:
    for filters in ({"TrialName": "t1", "ExperimentName": "e"}, {"TrialName": "t1", "SourceArn": "arn:x"}):
        with pytest.raises(ClientError, match="Only one of") as refused:
            tried.list_trial_components(**filters)
        assert code(refused) == "ValidationException"
    for ask in (
        lambda: tried.list_trial_components(TrialName="nobody"),
        lambda: tried.list_trial_components(ExperimentName="nobody"),
        lambda: tried.list_trials(ExperimentName="nobody"),
        lambda: tried.list_trials(TrialComponentName="nobody"),
        lambda: tried.associate_trial_component(TrialComponentName="nobody", TrialName="t1"),
        lambda: tried.associate_trial_component(TrialComponentName="a", TrialName="nobody"),
        lambda: tried.disassociate_trial_component(TrialComponentName="a", TrialName="nobody"),
        lambda: tried.create_trial(TrialName="t9", ExperimentName="nobody"),
    ):
        with pytest.raises(ClientError, match="/nobody' does not exist") as refused:
            ask()
        assert code(refused) == "ResourceNotFound"


def test_what_still_belongs_to_something_is_not_deleted(tried: Any) -> None:
    for what, delete in (
        (
            "Experiment '.*/other' is linked to 1 or more trials",
            lambda: tried.delete_experiment(ExperimentName="other"),
        ),
        ("Trial '.*/t3' is linked to 1 or more trial components", lambda: tried.delete_trial(TrialName="t3")),
        ("TrialComponent '.*/d' is linked to 1 or more", lambda: tried.delete_trial_component(TrialComponentName="d")),
    ):
        with pytest.raises(ClientError, match=f"{what}.* and cannot be deleted") as refused:
            delete()
        assert code(refused) == "ValidationException"
    tried.disassociate_trial_component(TrialComponentName="d", TrialName="t3")
    tried.delete_trial_component(TrialComponentName="d")
    tried.delete_trial(TrialName="t3")
    tried.delete_experiment(ExperimentName="other")
    # Nothing of it is left for those that come after it.
    tried.create_experiment(ExperimentName="other")
    assert tried.list_trials(ExperimentName="other")["TrialSummaries"] == []


def test_parameters_and_artifacts_are_added_replaced_and_removed(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    one, two = {"NumberValue": 1.0}, {"StringValue": "two"}
    sagemaker.create_trial_component(TrialComponentName="c", Parameters={"a": one, "b": two})
    sagemaker.update_trial_component(
        TrialComponentName="c",
        DisplayName="shown",
        Parameters={"b": one, "c": two, "d": one},
        ParametersToRemove=["a", "d", "nothing"],
        OutputArtifacts={"model": {"Value": "s3://b/model"}},
        Status={"PrimaryStatus": "Completed", "Message": "done"},
    )
    described = sagemaker.describe_trial_component(TrialComponentName="C")
    assert described["Parameters"] == {"b": one, "c": two}
    assert described["OutputArtifacts"] == {"model": {"Value": "s3://b/model"}}
    assert described["Status"] == {"PrimaryStatus": "Completed", "Message": "done"}
    assert described["DisplayName"] == "shown"
    sagemaker.update_trial_component(
        TrialComponentName="c", ParametersToRemove=["b", "c"], OutputArtifactsToRemove=["model"]
    )
    described = sagemaker.describe_trial_component(TrialComponentName="c")
    assert described["Parameters"] == described["OutputArtifacts"] == {}
