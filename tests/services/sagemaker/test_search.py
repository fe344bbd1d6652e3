"""``Search`` through boto3: filters, order, pages, what it shows of each type, and what it refuses."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from clary.testing.server import Server

Filter = dict[str, str]


def where(name: str, operator: str | None = None, value: str | None = None) -> Filter:
    given = {"Name": name, "Operator": operator, "Value": value}
    return {member: text for member, text in given.items() if text is not None}


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    return clary_aws.client("sagemaker")


@pytest.fixture
def runs(sagemaker: Any) -> Any:
    """Two experiments, of which the first has two runs, and a trial component that belongs to none."""
    for experiment in ("vision", "speech"):
        sagemaker.create_experiment(ExperimentName=experiment, Tags=[{"Key": "team", "Value": experiment}])
        sagemaker.create_trial(TrialName=f"{experiment}-trial", ExperimentName=experiment)
    run = {"Key": "sagemaker:trial-component-source", "Value": "run"}
    for number, name in enumerate(("vision-first", "vision-second", "loose")):
        sagemaker.create_trial_component(
            TrialComponentName=name,
            DisplayName=f"Number-{number}",
            Parameters={"rate": {"NumberValue": 0.5 + number}, "optimizer": {"StringValue": f"adam-{number}"}},
            InputArtifacts={"data": {"Value": f"s3://bucket/{name}", "MediaType": "text/csv"}},
            Tags=[{"Key": "number", "Value": str(number)}, *([run] if number < 2 else [])],
        )
        if number < 2:
            sagemaker.associate_trial_component(TrialComponentName=name, TrialName="vision-trial")
    return sagemaker


def found(sagemaker: Any, resource: str, *filters: Filter, **arguments: Any) -> list[str]:
    """The names of all that a search finds, page by page."""
    if filters:
        arguments["SearchExpression"] = {"Filters": list(filters)}
    pages = sagemaker.get_paginator("search").paginate(Resource=resource, **arguments)
    records = [next(iter(result.values())) for page in pages for result in page["Results"]]
    member = f"{resource.removeprefix('Experiment') or 'Experiment'}Name"
    return [record[member] for record in records]


def components(sagemaker: Any, *filters: Filter, **arguments: Any) -> list[str]:
    return found(
        sagemaker, "ExperimentTrialComponent", *filters, SortBy="CreationTime", SortOrder="Ascending", **arguments
    )


ALL = ["vision-first", "vision-second", "loose"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([where("TrialComponentName", "Equals", "loose")], [2]),
        ([where("TrialComponentName", None, "loose")], [2]),
        ([where("TrialComponentName", "NotEquals", "loose")], [0, 1]),
        ([where("TrialComponentName", "Contains", "vision")], [0, 1]),
        ([where("TrialComponentName", "Contains", "VISION")], []),
        ([where("TrialComponentName", "In", "loose, vision-first,nothing")], [0, 2]),
        ([where("DisplayName", "Contains", "Number"), where("TrialComponentName", "Contains", "o")], [0, 1, 2]),
        ([where("TrialComponent.DisplayName", "Equals", "Number-1")], [1]),
        ([where("Tags.number", "Equals", "1")], [1]),
        ([where("Tags.number", "In", "0,2")], [0, 2]),
        ([where("Tags.number", "NotEquals", "1")], [0, 2]),
        ([where("Tags.sagemaker:trial-component-source", "NotExists")], [2]),
        ([where("Tags.sagemaker:trial-component-source")], [0, 1]),
        ([where("Tags", "Contains", "run")], [0, 1]),
        ([where("Parameters.rate", "GreaterThan", "0.5")], [1, 2]),
        ([where("Parameters.rate", "Equals", "1.50")], [1]),
        ([where("Parameters.rate.NumberValue", "LessThanOrEqualTo", "1.5")], [0, 1]),
        ([where("Parameters.optimizer", "Equals", "adam-1")], [1]),
        ([where("Parameters.optimizer", "Contains", "adam")], [0, 1, 2]),
        ([where("Parameters.none", "NotExists")], [0, 1, 2]),
        ([where("InputArtifacts.data", "Contains", "loose")], [2]),
        ([where("InputArtifacts.data.MediaType", "Equals", "text/csv")], [0, 1, 2]),
        ([where("InputArtifacts", "Contains", "vision-s")], [1]),
        ([where("Parents.ExperimentName", "Equals", "vision")], [0, 1]),
        ([where("Parents.ExperimentName", "Equals", "speech")], []),
        ([where("Parents.TrialName", "NotEquals", "vision-trial")], [2]),
        ([where("Parents.TrialName", "Equals", "vision-trial"), where("TrialComponentName", None, "loose")], []),
        ([where("Parents", "NotExists")], [2]),
        ([where("RunName", "Equals", "second")], [1]),
        ([where("RunName", "NotEquals", "second")], [0, 2]),
        ([where("RunName", "Exists")], [0, 1]),
        ([where("CreationTime", "GreaterThan", "2020-01-01T00:00:00")], [0, 1, 2]),
        ([where("CreationTime", "LessThan", "2020-01-01T00:00:00Z")], []),
        ([where("EndTime", "Exists")], []),
    ],
    ids=lambda value: str(value) if not isinstance(value, list) else "",
)
def test_filters(runs: Any, filters: list[Filter], expected: list[int]) -> None:
    assert components(runs, *filters) == [ALL[number] for number in expected]


def test_expressions_nest(runs: Any) -> None:
    def search(**expression: Any) -> list[str]:
        return components(runs, SearchExpression=expression)

    first, second, loose = (where("TrialComponentName", "Equals", name) for name in ALL)
    assert search(Filters=[first, loose], Operator="Or") == ["vision-first", "loose"]
    assert search(Filters=[first, second]) == []
    either = {"Filters": [first, second], "Operator": "Or"}
    assert search(SubExpressions=[either], Filters=[where("Tags.number", "Equals", "1")]) == ["vision-second"]
    assert search(SubExpressions=[either, {"Filters": [loose]}], Operator="Or") == ALL
    parents = [where("Parents.TrialName", "Equals", "vision-trial"), where("Parents.ExperimentName", "In", "vision,x")]
    assert search(NestedFilters=[{"NestedPropertyName": "Parents", "Filters": parents}]) == ALL[:2]
    parents[1]["Value"] = "speech"
    assert search(NestedFilters=[{"NestedPropertyName": "Parents", "Filters": parents}]) == []


def test_order_and_pages(runs: Any) -> None:
    def names(**arguments: Any) -> list[str]:
        return found(runs, "ExperimentTrialComponent", PaginationConfig={"PageSize": 1}, **arguments)

    # The newest change comes first: the tags of a resource are not a part of it.
    assert names() == ALL[::-1]
    runs.update_trial_component(TrialComponentName="vision-first", DisplayName="z")
    assert names() == ["vision-first", "loose", "vision-second"]
    assert names(SortOrder="Ascending") == ["vision-second", "loose", "vision-first"]
    for order in ("TrialComponentName", "TrialComponentArn", "InputArtifacts.data"):
        assert names(SortBy=order, SortOrder="Ascending") == sorted(ALL)
    for order in ("Parameters.rate", "parameters.rate", "Parameters.optimizer", "Tags.number"):
        assert names(SortBy=order) == ALL[::-1]
    # What has no value comes last either way; the database cannot sort by the name of a run.
    assert names(SortBy="RunName") == ["vision-second", "vision-first", "loose"]
    assert names(SortBy="RunName", SortOrder="Ascending") == ["vision-first", "vision-second", "loose"]
    assert names(SortBy="Parents.TrialName")[2] == "loose"
    assert names(SortBy="EndTime") == ALL[::-1]


def test_hits_are_counted(runs: Any) -> None:
    def hits(**arguments: Any) -> list[tuple[int, str]]:
        pages = runs.get_paginator("search").paginate(Resource="ExperimentTrialComponent", **arguments)
        return [(page["TotalHits"]["Value"], page["TotalHits"]["Relation"]) for page in pages]

    assert hits() == [(3, "EqualTo")]
    assert hits(PaginationConfig={"PageSize": 1}) == [(3, "EqualTo")] * 3
    named = {"Filters": [where("RunName", "NotEquals", "none")]}
    ending = [(2, "GreaterThanOrEqualTo"), (3, "GreaterThanOrEqualTo"), (3, "EqualTo")]
    assert hits(SearchExpression=named, PaginationConfig={"PageSize": 1}) == ending
    assert hits(SearchExpression=named, SortBy="RunName", PaginationConfig={"PageSize": 2}) == [(3, "EqualTo")] * 2
    assert hits(CrossAccountFilterOption="SameAccount") == [(3, "EqualTo")]
    assert hits(CrossAccountFilterOption="CrossAccount") == [(0, "EqualTo")]
    # A page has ten unless the request says otherwise.
    for number in range(8):
        runs.create_trial_component(TrialComponentName=f"more-{number}")
    assert len(runs.search(Resource="ExperimentTrialComponent")["Results"]) == 10


def test_visibility_conditions(runs: Any) -> None:
    def visible(*conditions: tuple[str, str]) -> list[str]:
        return components(runs, VisibilityConditions=[{"Key": key, "Value": value} for key, value in conditions])

    assert visible(("Tags.number", "1")) == ["vision-second"]
    assert visible(("Tags.sagemaker:trial-component-source", "no run")) == ["loose"]
    assert visible(("Tags.other", "x"), ("Tags.number", "2")) == ["loose"]


def test_what_only_search_shows(runs: Any) -> None:
    [first] = runs.search(
        Resource="ExperimentTrialComponent", SearchExpression={"Filters": [where("RunName", "Equals", "first")]}
    )["Results"]
    component = first["TrialComponent"]
    assert component["Parents"] == [{"TrialName": "vision-trial", "ExperimentName": "vision"}]
    assert component["RunName"] == "first"
    assert {"Key": "number", "Value": "0"} in component["Tags"]
    filters = [where("TrialComponentSummaries.TrialComponentName", "Equals", "vision-second")]
    [result] = runs.search(Resource="ExperimentTrial", SearchExpression={"Filters": filters})["Results"]
    summaries = result["Trial"]["TrialComponentSummaries"]
    assert [summary["TrialComponentName"] for summary in summaries] == ["vision-first", "vision-second"]
    assert found(runs, "Experiment", where("Tags.team", "Equals", "speech")) == ["speech"]
    described = runs.describe_experiment(ExperimentName="speech")
    [result] = runs.search(
        Resource="Experiment", SearchExpression={"Filters": [where("ExperimentName", "Equals", "speech")]}
    )["Results"]
    del described["ResponseMetadata"]
    assert result == {"Experiment": described | {"Tags": [{"Key": "team", "Value": "speech"}]}}


def test_models_on_the_dashboard(sagemaker: Any, clary_aws: Server) -> None:
    for name in ("served", "idle"):
        container = {"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1"}
        sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=clary_aws.role_arn)
    variant = {"VariantName": "v", "ModelName": "served", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="endpoint", EndpointConfigName="config")
    arn = sagemaker.describe_model(ModelName="served")["ModelArn"]
    content = {"model_overview": {"model_id": arn}, "intended_uses": {"risk_rating": "High"}}
    sagemaker.create_model_card(ModelCardName="card", Content=json.dumps(content), ModelCardStatus="Draft")

    def models(*filters: Filter, **arguments: Any) -> list[Any]:
        expression = {"SearchExpression": {"Filters": list(filters)}} if filters else {}
        results = sagemaker.search(Resource="Model", **expression, **arguments)["Results"]
        return [result["Model"] for result in results]

    assert [model["Model"]["ModelName"] for model in models(SortBy="ModelName")] == ["served", "idle"]
    [served] = models(where("Endpoints.EndpointName", "Equals", "endpoint"))
    assert served["Model"]["ModelArn"] == arn
    assert served["Endpoints"][0]["EndpointArn"].endswith("endpoint/endpoint")
    assert (served["ModelCard"]["ModelCardName"], served["ModelCard"]["RiskRating"]) == ("card", "High")
    [idle] = models(where("Model.ModelName", "Equals", "idle"), where("ModelCard", "NotExists"))
    assert "Endpoints" not in idle
    assert found(sagemaker, "ModelCard", where("ModelId", "Equals", arn)) == ["card"]
    assert found(sagemaker, "ModelCard", where("RiskRating", "Equals", "Low")) == []
    assert found(sagemaker, "Endpoint", where("EndpointConfigName", "Equals", "config")) == ["endpoint"]


def test_every_type_can_be_searched_for(sagemaker: Any) -> None:
    model = sagemaker.meta.service_model
    for resource in model.shape_for("ResourceType").enum:
        assert sagemaker.search(Resource=resource)["Results"] == []
        assert sagemaker.search(Resource=resource, SortBy="CreationTime")["TotalHits"]["Value"] == 0
        assert sagemaker.get_search_suggestions(Resource=resource)["PropertyNameSuggestions"]
    sagemaker.create_model_package_group(ModelPackageGroupName="group")
    assert found(sagemaker, "ModelPackageGroup", where("ModelPackageGroupName", "Equals", "group")) == ["group"]
    sagemaker.create_model_package(ModelPackageGroupName="group")
    sagemaker.create_model_package(ModelPackageGroupName="group")
    versions = sagemaker.search(
        Resource="ModelPackage",
        SearchExpression={"Filters": [where("ModelPackageGroupName", "Equals", "group")]},
        SortBy="ModelPackageVersion",
    )["Results"]
    assert [result["ModelPackage"]["ModelPackageVersion"] for result in versions] == [2, 1]


def test_times_are_compared(sagemaker: Any) -> None:
    sagemaker.create_experiment(ExperimentName="now")
    created = sagemaker.describe_experiment(ExperimentName="now")["CreationTime"].astimezone(UTC)

    def names(operator: str, moment: datetime, form: str = "%Y-%m-%dT%H:%M:%S") -> list[str]:
        return found(sagemaker, "Experiment", where("CreationTime", operator, moment.strftime(form)))

    second = timedelta(seconds=1)
    assert names("Equals", created) == names("Equals", created, "%Y-%m-%dT%H:%M:%SZ") == ["now"]
    assert names("Equals", created - second) == names("NotEquals", created) == []
    assert names("GreaterThanOrEqualTo", created) == names("LessThan", created + second) == ["now"]
    assert names("GreaterThan", created + second) == names("LessThanOrEqualTo", created - second) == []


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("Experiment", {"Filters": [where("Nothing", "Equals", "x")]}, "^Unknown property name: Nothing$"),
    ("ExperimentTrialComponent", {"Filters": [where("ExperimentName")]}, "Unknown property name: ExperimentName"),
    ("TrainingJob", {"Filters": [where("ResourceConfig.Nothing")]}, "Unknown property name"),
    ("TrainingJob", {"Filters": [where("TrainingJobName.x")]}, "Unknown property name"),
    ("TrainingJob", {"Filters": [where("..")]}, "Unknown property name"),
    ("TrainingJob", {"Filters": [where("TrainingJobName", "GreaterThan", "1")]}, "not supported for TrainingJobName"),
    ("TrainingJob", {"Filters": [where("BillableTimeInSeconds", "Contains", "1")]}, "not supported"),
    ("TrainingJob", {"Filters": [where("BillableTimeInSeconds", "In", "1")]}, "not supported"),
    ("TrainingJob", {"Filters": [where("EnableNetworkIsolation", "LessThan", "true")]}, "not supported"),
    ("TrainingJob", {"Filters": [where("ResourceConfig", "Equals", "x")]}, "not supported"),
    ("TrainingJob", {"Filters": [where("Tags.a", "LessThan", "1")]}, "not supported"),
    ("TrainingJob", {"Filters": [where("BillableTimeInSeconds", "Equals", "many")]}, "must be an integer or a decimal"),
    ("TrainingJob", {"Filters": [where("HyperParameters.a", "LessThan", "few")]}, "must be an integer or a decimal"),
    ("TrainingJob", {"Filters": [where("Metrics.a", "Equals", "1e999")]}, "must be an integer or a decimal"),
    ("TrainingJob", {"Filters": [where("EnableNetworkIsolation", "Equals", "1")]}, "must be true or false"),
    ("TrainingJob", {"Filters": [where("CreationTime", "Equals", "yesterday")]}, "ISO 8601"),
    ("TrainingJob", {"Filters": [where("TrainingJobName", "Equals")]}, "requires a value"),
    ("TrainingJob", {"Filters": [where("TrainingJobName", "Exists", "x")]}, "takes no value"),
    (
        "TrainingJob",
        {"Filters": [where("TrainingJobName", "Contains", "a"), where("RoleArn", "Contains", "b")]},
        "^'CONTAINS' operator usage limit of 1 exceeded.$",
    ),
    ("TrainingJob", {}, "requires at least one"),
    ("TrainingJob", {"Operator": "Or", "SubExpressions": [{"Operator": "And"}]}, "requires at least one"),
    ("TrainingJob", {"Filters": [where("RoleArn")] * 21}, "less than or equal to 20"),
    (
        "TrainingJob",
        {"Filters": [where("RoleArn")] * 11, "SubExpressions": [{"Filters": [where("RoleArn")]}] * 10},
        "up to 20 elements",
    ),
    ("TrainingJob", {"SubExpressions": [{"Filters": [where("RoleArn")] * 17}] * 3}, "is 50"),
    (
        "TrainingJob",
        {"NestedFilters": [{"NestedPropertyName": "RoleArn", "Filters": [where("RoleArn.x")]}]},
        "not a list",
    ),
    (
        "TrainingJob",
        {"NestedFilters": [{"NestedPropertyName": "InputDataConfig", "Filters": [where("RoleArn")]}]},
        "not one of InputDataConfig",
    ),
]


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    error = refused.value.response["Error"]
    assert (error["Code"], refused.value.response["ResponseMetadata"]["HTTPStatusCode"]) == ("ValidationException", 400)
    return str(error["Message"])


def test_what_is_refused(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker", config=Config(parameter_validation=False))
    for resource, expression, message in REFUSED:
        assert re.search(message, refusal(sagemaker.search, Resource=resource, SearchExpression=expression)), message
    search = sagemaker.search
    assert "enum value set" in refusal(search, Resource="Nothing")
    assert "Unknown property name: Nothing" in refusal(search, Resource="Experiment", SortBy="Nothing")
    assert "not a single value" in refusal(search, Resource="TrainingJob", SortBy="HyperParameters")
    for size in (0, 101):
        assert "maxResults" in refusal(search, Resource="TrainingJob", MaxResults=size)
    visibility = [{"Key": "team", "Value": "x"}]
    assert "Tags.<key>" in refusal(search, Resource="TrainingJob", VisibilityConditions=visibility)


def test_tokens_are_good_for_their_search_only(runs: Any) -> None:
    token = runs.search(Resource="ExperimentTrialComponent", MaxResults=1)["NextToken"]
    again = runs.search(Resource="ExperimentTrialComponent", MaxResults=2, NextToken=token)
    assert len(again["Results"]) == 2
    assert "NextToken" not in again
    for arguments in ({"Resource": "Experiment"}, {"Resource": "ExperimentTrialComponent", "SortBy": "DisplayName"}):
        assert "token is invalid" in refusal(runs.search, NextToken=token, **arguments)
    for bad in ("x", "W10=", "bnVsbA==", token[:-8], base64.urlsafe_b64encode(b'[1,2,3,["a"]]').decode()):
        assert "token is invalid" in refusal(runs.search, Resource="ExperimentTrialComponent", NextToken=bad)


def test_suggestions(runs: Any) -> None:
    def suggested(hint: str, resource: str = "ExperimentTrialComponent") -> list[str]:
        query = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        answer = runs.get_search_suggestions(Resource=resource, SuggestionQuery=query)
        return [suggestion["PropertyName"] for suggestion in answer["PropertyNameSuggestions"]]

    assert suggested("Display") == ["DisplayName"]
    assert suggested("Parameters.r") == [
        "Parameters.rate",
        "Parameters.rate.NumberValue",
        "Parameters.rate.StringValue",
    ]
    assert suggested("Parameters.rate.N") == ["Parameters.rate.NumberValue"]
    assert suggested("tags.") == ["Tags.number", "Tags.sagemaker:trial-component-source"]
    assert suggested("Parents") == ["Parents.ExperimentName", "Parents.TrialName"]
    assert suggested("Tags.t", "Experiment") == ["Tags.team"]
    assert suggested("InputDataConfig.DataSource.S3DataSource.S3U", "TrainingJob") == [
        "InputDataConfig.DataSource.S3DataSource.S3Uri"
    ]
    everything = runs.get_search_suggestions(Resource="ExperimentTrialComponent")["PropertyNameSuggestions"]
    assert {"PropertyName": "Tags.number"} in everything
    # Each can be searched by.
    for name in (suggestion["PropertyName"] for suggestion in everything):
        runs.search(Resource="ExperimentTrialComponent", SearchExpression={"Filters": [where(name)]})
