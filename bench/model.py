"""A small real model behind an endpoint, for the measurements."""

from __future__ import annotations

import io
import random
import tarfile
import time
from typing import Any

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:3.0-5"
FEATURES = 30
ROW = ",".join(f"{0.1 * n:.3f}" for n in range(FEATURES)).encode()


def deploy(aws: Any, image: str) -> str:
    """Train a binary classifier of 50 trees, bring it into service, and give the endpoint's name."""
    name = f"bench-{int(time.time())}"
    serve(aws, name, image, train(aws, name, image))
    return name


def train(aws: Any, name: str, image: str) -> str:
    """Train a binary classifier of 50 trees in a job called ``name``, and give the URI of its archive."""
    s3, sagemaker = aws.client("s3"), aws.client("sagemaker")
    s3.create_bucket(Bucket=name)
    random.seed(0)
    rows = []
    for _ in range(500):
        row = [random.gauss(0, 1) for _ in range(FEATURES)]
        rows.append(",".join(f"{value:.4f}" for value in [float(sum(row[:5]) > 0), *row]))
    s3.put_object(Bucket=name, Key="train/data.csv", Body="\n".join(rows).encode())
    sagemaker.create_training_job(
        TrainingJobName=name,
        RoleArn=aws.role_arn,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        HyperParameters={"objective": "binary:logistic", "num_round": "50"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{name}/train/"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{name}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600}
    )
    job = sagemaker.describe_training_job(TrainingJobName=name)
    return str(job["ModelArtifacts"]["S3ModelArtifacts"])


def serve(aws: Any, name: str, image: str, data: str, **environment: str) -> None:
    """Make model, configuration and endpoint called ``name``, and wait until it is in service."""
    sagemaker = aws.client("sagemaker")
    container = {"Image": image, "ModelDataUrl": data, "Environment": environment}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=aws.role_arn, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def archive(files: dict[str, bytes]) -> bytes:
    """A ``tar.gz`` of these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
