"""Violations of the model's constraints in the words of AWS's servers."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from clary.core.errors import ServiceError, ValidationError, ValidationException
from clary.wire.catalog import service
from clary.wire.constraints import fits
from clary.wire.validate import _structure, validate


def refused(name: str, operation: str, **params: Any) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        validate(service(name).operation(operation), params)
    assert caught.value.status == 400
    return caught.value


FAILED = "failed to satisfy constraint"
TRAINING: dict[str, Any] = {
    "TrainingJobName": "a",
    "RoleArn": "arn:aws:iam::123456789012:role/x",
    "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/x"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


def training(**changes: Any) -> str:
    return refused("sagemaker", "CreateTrainingJob", **{**TRAINING, **changes}).message


def test_a_good_request_passes() -> None:
    validate(service("sagemaker").operation("CreateTrainingJob"), TRAINING)
    validate(service("sts").operation("GetCallerIdentity"), {})


def test_a_pattern() -> None:
    pattern = (
        service("sagemaker").operation("CreateTrainingJob").input_shape.members["TrainingJobName"].metadata["pattern"]
    )
    assert training(TrainingJobName="my_job") == (
        f"1 validation error detected: Value 'my_job' at 'trainingJobName' {FAILED}: "
        f"Member must satisfy regular expression pattern: {pattern}"
    )


def test_what_is_missing() -> None:
    error = refused("sagemaker", "DescribeTrainingJob")
    assert type(error) is ValidationException
    assert error.message == (
        f"1 validation error detected: Value null at 'trainingJobName' {FAILED}: Member must not be null"
    )
    assert "Value null at 'outputDataConfig.s3OutputPath'" in training(OutputDataConfig={})


def test_several_errors_are_joined() -> None:
    message = training(TrainingJobName="a" * 64, StoppingCondition={"MaxRuntimeInSeconds": 0})
    assert message.startswith("3 validation errors detected: Value 'aaa")
    assert "Member must have length less than or equal to 63; Value 'aaa" in message
    assert message.endswith(
        f"; Value '0' at 'stoppingCondition.maxRuntimeInSeconds' {FAILED}: "
        "Member must have value greater than or equal to 1"
    )


def test_an_enum() -> None:
    message = training(AlgorithmSpecification={"TrainingInputMode": "Tape"})
    assert message == (
        f"1 validation error detected: Value 'Tape' at 'algorithmSpecification.trainingInputMode' {FAILED}: "
        "Member must satisfy enum value set: [Pipe, File, FastFile]"
    )


def test_items_of_lists_have_numbers() -> None:
    message = training(Tags=[{"Key": "a", "Value": "b"}, {"Key": "", "Value": "b"}])
    assert f"Value '' at 'tags.2.member.key' {FAILED}: Member must have length greater than or equal to 1" in message
    assert "Value null at 'tags.1.member.value'" in training(Tags=[{"Key": "a"}])


def test_lists_and_maps_hold_no_nulls() -> None:
    assert "Value null at 'tags.2.member'" in training(Tags=[{"Key": "a", "Value": "b"}, None])
    assert "Value null at 'hyperParameters.a.member'" in training(HyperParameters={"a": None})
    groups = training(VpcConfig={"SecurityGroupIds": [None, "sg-1"], "Subnets": ["subnet-1"]})
    assert "Value null at 'vpcConfig.securityGroupIds.1.member'" in groups


def test_lists_of_scalars_show_the_whole_list() -> None:
    message = training(VpcConfig={"SecurityGroupIds": ["sg-1", "b" * 40], "Subnets": ["x"]})
    assert message.startswith(
        f"1 validation error detected: Value '[sg-1, {'b' * 40}]' at 'vpcConfig.securityGroupIds' {FAILED}: "
        "Member must satisfy constraint: [Member must have length less than or equal to 32, "
    )


def test_maps() -> None:
    message = training(HyperParameters={"k" * 300: "v"})
    assert f"Value '{{{'k' * 300}=v}}' at 'hyperParameters' {FAILED}: Map keys must satisfy constraint: [" in message
    message = training(HyperParameters={"k": "v" * 3000})
    assert "Map value must satisfy constraint: [Member must have length less than or equal to 2500" in message


def test_secrets_are_not_repeated() -> None:
    shape = service("iam").operation("CreateLoginProfile").input_shape.members["Password"]
    assert shape.metadata["sensitive"]
    message = refused("iam", "CreateLoginProfile", UserName="a", Password="").message
    assert message.startswith(
        f"2 validation errors detected: Value at 'password' {FAILED}: "
        "Member must have length greater than or equal to 1; Value at 'password' failed"
    )


@pytest.mark.parametrize(
    ("name", "operation", "code"),
    [
        ("iam", "CreateRole", "ValidationError"),
        ("sts", "AssumeRole", "ValidationError"),
        ("logs", "CreateLogGroup", "InvalidParameterException"),
        ("glue", "CreateDatabase", "ValidationException"),
        ("sagemaker-runtime", "InvokeEndpoint", "ValidationError"),
        ("sagemaker-featurestore-runtime", "GetRecord", "ValidationError"),
    ],
)
def test_every_service_has_its_code(name: str, operation: str, code: str) -> None:
    assert refused(name, operation).code == code


def test_the_query_code_is_a_class_of_its_own() -> None:
    assert isinstance(refused("iam", "CreateRole"), ValidationError)


def test_an_absent_streamed_body_is_the_callers_matter() -> None:
    validate(service("s3").operation("PutObject"), {"Bucket": "b", "Key": "k"})


def test_a_huge_bad_request_is_refused_quickly() -> None:
    started = time.perf_counter()
    refused("sagemaker", "CreateTrainingJob", **{**TRAINING, "Tags": [{"Key": "", "Value": "\x00"}] * 20_000})
    refused("sagemaker", "CreateTrainingJob", **{**TRAINING, "TrainingJobName": "a-" * 500_000})
    assert time.perf_counter() - started < 5


def made_up(shape: Any, chance: random.Random, depth: int = 0) -> Any:
    """A value of the shape's type that keeps its constraints or does not."""
    kind, metadata = shape.type_name, shape.metadata
    if kind == "structure":
        wanted = [name for name in shape.members if name in shape.required_members or chance.random() < 0.3]
        kept = [name for name in wanted if chance.random() < 0.97 and depth < 5]
        return {name: made_up(shape.members[name], chance, depth + 1) for name in kept}
    size = chance.choice([0, 1, 1, 2, metadata.get("min", 1), min(metadata.get("max", 3), 70)])
    if kind == "list":
        return [made_up(shape.member, chance, depth + 1) for _ in range(min(size, 3))]
    if kind == "map":
        return {made_up(shape.key, chance): made_up(shape.value, chance, depth + 1) for _ in range(min(size, 3))}
    if kind == "string":
        return chance.choice(
            [*metadata.get("enum", ["a" * size, "a/" * size, "arn:aws:iam::123456789012:role/x"]), "a"]
        )
    if kind == "blob":
        return b"x" * size
    if kind in ("integer", "long", "float", "double"):
        return chance.choice([metadata.get("min", 0), metadata.get("max", 9), 0, 10**9])
    return None


@pytest.mark.parametrize("name", ["sagemaker", "glue", "logs"])
def test_the_quick_check_refuses_what_the_slow_one_has_a_word_about(name: str) -> None:
    known, chance = service(name), random.Random(7)
    told = 0
    for operation in chance.sample(known.operation_names, 40):
        shape = known.operation(operation).input_shape
        if shape is None:
            continue
        for _ in range(5):
            found: list[str] = []
            params = made_up(shape, chance)
            _structure(shape, params, "", found)
            assert fits(shape)(params) == (not found), (operation, params, found)
            told += not found
    assert told > 20
