"""Algorithms, and the specifications that are refused."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

CHANNEL = {"Name": "train", "SupportedContentTypes": ["text/csv"], "SupportedInputModes": ["File"]}
METRIC = {"Name": "loss", "Regex": "loss=(.*)"}


def integer(**members: Any) -> dict[str, Any]:
    limits = {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "10"}}
    return {"Name": "depth", "Type": "Integer", "Range": limits, **members}


def create(server: Server, specification: dict[str, Any], **members: Any) -> Any:
    return server.client("sagemaker").create_algorithm(
        AlgorithmName="mine",
        TrainingSpecification={
            "TrainingImage": "image",
            "SupportedTrainingInstanceTypes": ["ml.m5.large"],
            "TrainingChannels": [CHANNEL],
            **specification,
        },
        **members,
    )


def test_an_algorithm_is_complete_at_once(clary_aws: Server) -> None:
    arn = create(
        clary_aws,
        {
            "SupportedHyperParameters": [integer(DefaultValue="6", IsTunable=True)],
            "MetricDefinitions": [METRIC],
            "SupportedTuningJobObjectiveMetrics": [{"Type": "Minimize", "MetricName": "loss"}],
        },
    )["AlgorithmArn"]
    for name in ("mine", arn):
        shown = clary_aws.client("sagemaker").describe_algorithm(AlgorithmName=name)
        assert (shown["AlgorithmName"], shown["AlgorithmStatus"]) == ("mine", "Completed")
        assert shown["AlgorithmStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
        assert shown["CertifyForMarketplace"] is False
        assert shown["TrainingSpecification"]["SupportsDistributedTraining"] is False
    with pytest.raises(ClientError, match=f"Algorithm {arn}x does not exist"):
        clary_aws.client("sagemaker").describe_algorithm(AlgorithmName=f"{arn}x")


CONTINUOUS = {"ContinuousParameterRangeSpecification": {"MinValue": "0.1", "MaxValue": "1e-3"}}
COLOURS = {"CategoricalParameterRangeSpecification": {"Values": ["red", "blue"]}}
REFUSED = [
    ("hyperparameter must be unique: depth", {"SupportedHyperParameters": [integer(), integer()]}),
    ("cannot be required", {"SupportedHyperParameters": [integer(DefaultValue="6", IsRequired=True)]}),
    ("does not fit its type Integer", {"SupportedHyperParameters": [integer(Range=COLOURS)]}),
    ("does not fit its type FreeText", {"SupportedHyperParameters": [integer(Type="FreeText")]}),
    ("cannot be tunable", {"SupportedHyperParameters": [{"Name": "t", "Type": "FreeText", "IsTunable": True}]}),
    ("is not in its range", {"SupportedHyperParameters": [integer(DefaultValue="11")]}),
    ("is not Integer: six", {"SupportedHyperParameters": [integer(DefaultValue="six")]}),
    ("is not Integer: 1_0", {"SupportedHyperParameters": [integer(DefaultValue="1_0")]}),
    (
        "is not Continuous: nan",
        {"SupportedHyperParameters": [{"Name": "r", "Type": "Continuous", "DefaultValue": "nan"}]},
    ),
    ("ends before it begins", {"SupportedHyperParameters": [{"Name": "r", "Type": "Continuous", "Range": CONTINUOUS}]}),
    (
        "is not in its range",
        {"SupportedHyperParameters": [{"Name": "c", "Type": "Categorical", "Range": COLOURS, "DefaultValue": "green"}]},
    ),
    ("metric must be unique: loss", {"MetricDefinitions": [METRIC, METRIC]}),
    ("channel must be unique: train", {"TrainingChannels": [CHANNEL, CHANNEL]}),
    (
        "objective metric loss is not among",
        {"SupportedTuningJobObjectiveMetrics": [{"Type": "Minimize", "MetricName": "loss"}]},
    ),
]


@pytest.mark.parametrize(("message", "specification"), REFUSED, ids=[message for message, _ in REFUSED])
def test_specifications_that_contradict_themselves(
    clary_aws: Server, message: str, specification: dict[str, Any]
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        create(clary_aws, specification)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_model_package_of_an_algorithm(clary_aws: Server) -> None:
    sagemaker = clary_aws.client("sagemaker")
    trained = {"AlgorithmName": "mine", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    asked = {"ModelPackageName": "packed", "SourceAlgorithmSpecification": {"SourceAlgorithms": [trained]}}
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.create_model_package(**asked)
    create(clary_aws, {})
    with pytest.raises(ClientError, match="has no InferenceSpecification"):
        sagemaker.create_model_package(**asked)
    sagemaker.delete_algorithm(AlgorithmName="mine")
    inference = {
        "Containers": [{"Image": "serving", "Environment": {"A": "B"}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    create(clary_aws, {}, InferenceSpecification=inference)
    with pytest.raises(ClientError, match="Both SourceAlgorithmSpecification and InferenceSpecification"):
        sagemaker.create_model_package(**asked, InferenceSpecification=inference)
    sagemaker.create_model_package(**asked)
    shown = sagemaker.describe_model_package(ModelPackageName="packed")
    assert shown["SourceAlgorithmSpecification"]["SourceAlgorithms"] == [trained]
    [container] = shown["InferenceSpecification"]["Containers"]
    assert (container["Image"], container["ModelDataUrl"]) == ("serving", "s3://bucket/model.tar.gz")
    assert container["Environment"] == {"A": "B"}


def test_inference_code_is_not_validated_yet(clary_aws: Server) -> None:
    asked = validation(clary_aws.role_arn)
    asked["ValidationProfiles"][0]["TransformJobDefinition"] = {
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/rows"}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    with pytest.raises(ClientError, match=r"TransformJobDefinition.*not available in Clary yet"):
        create(clary_aws, {}, ValidationSpecification=asked)


def validation(role: str) -> dict[str, Any]:
    channel = {
        "ChannelName": "train",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
    }
    job = {
        "TrainingInputMode": "File",
        "InputDataConfig": [channel],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }
    return {"ValidationRole": role, "ValidationProfiles": [{"ProfileName": "p", "TrainingJobDefinition": job}]}
