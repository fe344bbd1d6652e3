"""Keys of KMS that cannot be: requests that name them are refused at once, wherever they name them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.testing.server import Server

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
MISSING = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
OUTPUT = {"S3OutputPath": "s3://bucket/out"}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


@pytest.fixture
def role(clary_aws: Server) -> str:
    return clary_aws.role_arn


@pytest.fixture
def sagemaker(clary_aws: Server) -> Any:
    return clary_aws.client("sagemaker")


def training(role: str, output: str = "", volume: str = "") -> dict[str, Any]:
    return {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "OutputDataConfig": {**OUTPUT, "KmsKeyId": output},
        "ResourceConfig": {**RESOURCES, **({"VolumeKmsKeyId": volume} if volume else {})},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    }


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    return str(error.value.response["Error"]["Message"])


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (MISSING, f"Key '{MISSING}' does not exist"),
        ("alias/nothing", "Alias arn:aws:kms:us-east-1:123456789012:alias/nothing is not found"),
        ("nonsense", "key/nonsense' does not exist"),
        ("arn:aws:iam::123456789012:role/a", "Invalid arn arn:aws:iam::123456789012:role/a"),
        ("arn:aws:kms:eu-west-1:123456789012:alias/a", "Invalid arn eu-west-1"),
    ],
)
def test_keys_that_are_not_there(sagemaker: Any, role: str, key: str, why: str) -> None:
    said = refusal(sagemaker.create_training_job, TrainingJobName="keys", **training(role, output=key))
    assert said.startswith(f"The KMS key {key} in OutputDataConfig.KmsKeyId is invalid: ")
    assert why in said
    assert "ResourceConfig.VolumeKmsKeyId" in refusal(
        sagemaker.create_training_job, TrainingJobName="keys", **training(role, volume=key)
    )
    assert not sagemaker.list_training_jobs()["TrainingJobSummaries"]


def test_keys_that_do_not_encrypt(clary_aws: Server, sagemaker: Any, role: str) -> None:
    key = clary_aws.client("kms").create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    for members in (training(role, output=key), training(role, volume=key)):
        said = refusal(sagemaker.create_training_job, TrainingJobName="keys", **members)
        assert "key usage is SIGN_VERIFY which is not valid" in said


def test_keys_of_other_jobs(sagemaker: Any, role: str) -> None:
    cluster = {"ClusterConfig": RESOURCES}
    job = {
        "ProcessingJobName": "keys",
        "RoleArn": role,
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": cluster,
    }
    config = {"Outputs": [], "KmsKeyId": "alias/nothing"}
    said = refusal(sagemaker.create_processing_job, **job, ProcessingOutputConfig=config)
    assert "in ProcessingOutputConfig.KmsKeyId" in said
    cluster["ClusterConfig"] = RESOURCES | {"VolumeKmsKeyId": "alias/nothing"}
    assert "in ClusterConfig.VolumeKmsKeyId" in refusal(sagemaker.create_processing_job, **job)

    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    source = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}}
    transform: dict[str, Any] = {
        "TransformJobName": "keys",
        "ModelName": "m",
        "TransformInput": source,
        "TransformOutput": OUTPUT,
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    for member, change in (
        ("TransformOutput.KmsKeyId", {"TransformOutput": OUTPUT | {"KmsKeyId": "alias/nothing"}}),
        ("DataCaptureConfig.KmsKeyId", {"DataCaptureConfig": {"DestinationS3Uri": "s3://b/c", "KmsKeyId": "x"}}),
        (
            "TransformResources.VolumeKmsKeyId",
            {"TransformResources": transform["TransformResources"] | {"VolumeKmsKeyId": "x"}},
        ),
    ):
        assert f"in {member}" in refusal(sagemaker.create_transform_job, **(transform | change))


def test_keys_of_endpoints(sagemaker: Any, role: str) -> None:
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://bucket/seen",
        "CaptureOptions": [{"CaptureMode": "Input"}],
        "KmsKeyId": "alias/nothing",
    }
    config = {"EndpointConfigName": "keys", "ProductionVariants": [variant]}
    said = refusal(sagemaker.create_endpoint_config, **config, KmsKeyId="alias/nothing")
    assert re.match("The KMS key alias/nothing in KmsKeyId is invalid", said)
    said = refusal(sagemaker.create_endpoint_config, **config, DataCaptureConfig=capture)
    assert "in DataCaptureConfig.KmsKeyId is invalid" in said


def test_keys_of_tuning_jobs(sagemaker: Any, role: str) -> None:
    definition = training(role, output="alias/nothing")
    config = {
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:auc"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.1", "MaxValue": "0.5"}]},
    }
    definition["StaticHyperParameters"] = {"objective": "binary:logistic", "num_round": "2", "eval_metric": "auc"}
    said = refusal(
        sagemaker.create_hyper_parameter_tuning_job,
        HyperParameterTuningJobName="keys",
        HyperParameterTuningJobConfig=config,
        TrainingJobDefinition=definition,
    )
    assert "in OutputDataConfig.KmsKeyId is invalid" in said
