"""Requests for tuning jobs that are refused, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

KMEANS = "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1"
X = {"Name": "x", "MinValue": "0", "MaxValue": "1"}
FEW = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "2", "3"]}]}
OBJECTIVE = {"Type": "Maximize", "MetricName": "score"}


def definition(server: Server, **changes: Any) -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {
            "TrainingImage": "python:3.11",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*)"}],
        },
        "RoleArn": server.role_arn,
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }


def config(**changes: Any) -> dict[str, Any]:
    return {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": OBJECTIVE,
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [X]},
        **changes,
    }


def limits(jobs: int = 2, parallel: int = 1) -> dict[str, Any]:
    return {"ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel}}


def integers(name: str, low: str, high: str) -> dict[str, Any]:
    return {"ParameterRanges": {"IntegerParameterRanges": [{"Name": name, "MinValue": low, "MaxValue": high}]}}


def band(**given: int) -> dict[str, Any]:
    return {"Strategy": "Hyperband", "StrategyConfig": {"HyperbandStrategyConfig": given}}


CONFIGS = [
    ("TrainingJobDefinition. is required|HyperParameterTuningJobObjective is required", {"objective": None}),
    ("At least one hyperparameter range", {"ParameterRanges": {}}),
    ("MinValue 1 must be less than", integers("x", "1", "1")),
    ("supports only categorical", {"Strategy": "Grid"}),
    ("must be the number of combinations", {"Strategy": "Grid", "ParameterRanges": FEW}),
    (r"provided ranges \[3.0\] must be equal or greater than the value of MaxNumberOfJobs, \[4\]",
     {"ParameterRanges": FEW, **limits(4)}),
    ("is 750, with a request of 751", limits(751)),
    ("is 100, with a request of 101", limits(200, 101)),
    ("only be specified for Hyperband", {"StrategyConfig": {"HyperbandStrategyConfig": {"MaxResource": 3}}}),
    ("must be Off to use the Hyperband", {**band(MaxResource=9), "TrainingJobEarlyStoppingType": "Auto"}),
    ("cannot be inferred", {"Strategy": "Hyperband"}),
    ("ascending order", band(MinResource=5, MaxResource=4)),
    ("ascending order", band(MaxResource=20_001)),
    ("Mode of Autotune", {"ParameterRanges": {"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}}),
    ("A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric definitions.",
     {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"}}),
]  # fmt: skip


@pytest.fixture
def create(clary_aws: Server) -> Callable[..., Any]:
    def create(config: dict[str, Any], training: dict[str, Any] | None = None, **more: Any) -> Any:
        members = {} if training is None else {"TrainingJobDefinition": training}
        return clary_aws.client("sagemaker").create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="tuning", HyperParameterTuningJobConfig=config, **members, **more
        )

    return create


@pytest.mark.parametrize(("message", "changes"), CONFIGS)
def test_configurations_that_are_refused(
    clary_aws: Server, create: Callable[..., Any], message: str, changes: dict[str, Any]
) -> None:
    given = config(**{name: value for name, value in changes.items() if name != "objective"})
    if "objective" in changes:
        del given["HyperParameterTuningJobObjective"]
    with pytest.raises(ClientError, match=message) as refused:
        create(given, definition(clary_aws))
    expected = "ResourceLimitExceeded" if "request of" in message else "ValidationException"
    assert refused.value.response["Error"]["Code"] == expected
    assert clary_aws.client("sagemaker").list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"] == []


DEFINITIONS = [
    ("both static and tunable: x", {"StaticHyperParameters": {"x": "1"}}),
    ("either ResourceConfig or", {"HyperParameterTuningResourceConfig": {"InstanceConfigs": []}}),
    ("either TrainingImage or AlgorithmName", {"AlgorithmSpecification": {"TrainingInputMode": "File"}}),
    ("cannot be specified in TrainingJobDefinition", {"TuningObjective": OBJECTIVE}),
    ("cannot be found|does not exist|Could not assume role", {"RoleArn": "arn:aws:iam::123456789012:role/Nobody"}),
]


@pytest.mark.parametrize(("message", "changes"), DEFINITIONS)
def test_definitions_that_are_refused(
    clary_aws: Server, create: Callable[..., Any], message: str, changes: dict[str, Any]
) -> None:
    if "HyperParameterTuningResourceConfig" in changes:
        instance = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5}
        changes = {"HyperParameterTuningResourceConfig": {"InstanceConfigs": [instance]}}
    with pytest.raises(ClientError, match=message):
        create(config(), definition(clary_aws, **changes))


BUILT_IN = [
    ("k of the algorithm is not tunable", "k", ("1", "5")),
    ("'unknown' was unexpected", "unknown", ("1", "5")),
    ("0 is not an integer in", "epochs", ("0", "5")),
]


@pytest.mark.parametrize(("message", "name", "ends"), BUILT_IN)
def test_what_a_built_in_algorithm_does_not_let_tune(
    clary_aws: Server, create: Callable[..., Any], message: str, name: str, ends: tuple[str, str]
) -> None:
    objective = {"Type": "Minimize", "MetricName": "test:msd"}
    training = definition(clary_aws, AlgorithmSpecification={"TrainingImage": KMEANS, "TrainingInputMode": "File"})
    training["StaticHyperParameters"] = {"feature_dim": "4"} | ({} if name == "k" else {"k": "3"})
    with pytest.raises(ClientError, match=message):
        create(config(HyperParameterTuningJobObjective=objective, **integers(name, *ends)), training)


def several(server: Server, *names: str, **changes: Any) -> list[dict[str, Any]]:
    ranges = {"ContinuousParameterRanges": [X]}
    return [
        definition(server, DefinitionName=name, TuningObjective=OBJECTIVE, HyperParameterRanges=ranges) | changes
        for name in names
    ]


PLAIN = {"Strategy": "Random", **limits()}
MINIMIZED = {"TuningObjective": {"Type": "Minimize", "MetricName": "score"}}


def test_several_definitions_that_are_refused(clary_aws: Server, create: Callable[..., Any]) -> None:
    def refused(config: dict[str, Any], definitions: list[dict[str, Any]], message: str, **more: Any) -> None:
        with pytest.raises(ClientError, match=message):
            create(config, TrainingJobDefinitions=definitions, **more)

    one, two = several(clary_aws, "one", "two")
    refused(PLAIN, [one, one], "must be unique: one, one")
    refused(PLAIN, [one, two | MINIMIZED], "must be of the same type")
    refused(config(), [one, two], "cannot be specified in HyperParameterTuningJobConfig")
    refused(
        PLAIN, [{name: one[name] for name in one if name != "DefinitionName"}], "DefinitionName is required in each"
    )
    refused(PLAIN | {"TrainingJobEarlyStoppingType": "Auto"}, [one, two], "Early stopping is only available")
    parents = {"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "parent"}]}
    start = {"WarmStartConfig": {**parents, "WarmStartType": "TransferLearning"}}
    refused(PLAIN, [one, two], "Warm start is only available", **start)
    refused(PLAIN, [one], "can't find a tuning job called parent", **start)
    with pytest.raises(ClientError, match="either TrainingJobDefinition or TrainingJobDefinitions"):
        create(PLAIN)
    with pytest.raises(ClientError, match="either TrainingJobDefinition or TrainingJobDefinitions"):
        create(PLAIN, definition(clary_aws), TrainingJobDefinitions=[one])


def test_a_role_that_the_caller_may_not_hand_on(clary_aws: Server, create: Callable[..., Any]) -> None:
    iam = clary_aws.client("iam")
    iam.create_user(UserName="ann")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sagemaker:*","Resource":"*"}]}'
    iam.put_user_policy(UserName="ann", PolicyName="sagemaker", PolicyDocument=policy)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = clary_aws.client(
        "sagemaker", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    with pytest.raises(ClientError, match="iam:PassRole"):
        ann.create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName="tuning",
            HyperParameterTuningJobConfig=config(),
            TrainingJobDefinition=definition(clary_aws),
        )
