"""Runs train.py as a training job and deploys what it made, with plain boto3."""

import io
import json
import tarfile
import time
from pathlib import Path

import boto3

HERE = Path(__file__).parent
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
NAME = time.strftime("script-mode-%Y-%m-%d-%H-%M-%S", time.gmtime())
SOON = {"Delay": 1, "MaxAttempts": 300}

s3, sagemaker, runtime = (boto3.client(name) for name in ("s3", "sagemaker", "sagemaker-runtime"))
role = boto3.client("iam").get_role(RoleName="ClaryExecutionRole")["Role"]["Arn"]
account = boto3.client("sts").get_caller_identity()["Account"]
bucket = f"script-mode-{account}"


def upload_source() -> str:
    """Pack the script with its requirements as the SDK does; gives the archive's address."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name in ("train.py", "requirements.txt"):
            tar.add(HERE / name, name)
    if bucket not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=f"{NAME}/sourcedir.tar.gz", Body=archive.getvalue())
    return f"s3://{bucket}/{NAME}/sourcedir.tar.gz"


def train(source: str) -> str:
    """Run the training job; gives the address of its model."""
    sagemaker.create_training_job(
        TrainingJobName=NAME,
        RoleArn=role,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "accuracy", "Regex": r"accuracy=([0-9.]+);"}],
        },
        HyperParameters={
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(source),
            "trees": "50",
        },
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/{NAME}"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName=NAME, WaiterConfig=SOON)
    job = sagemaker.describe_training_job(TrainingJobName=NAME)
    print({metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]})
    return job["ModelArtifacts"]["S3ModelArtifacts"]


def deploy(model: str, source: str) -> None:
    """Serve the model; the container finds model_fn in the same script."""
    variables = {"SAGEMAKER_PROGRAM": "train.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}
    sagemaker.create_model(
        ModelName=NAME,
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": model, "Environment": variables},
    )
    variant = {"VariantName": "AllTraffic", "ModelName": NAME, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig=SOON)


source = upload_source()
deploy(train(source), source)
answer = runtime.invoke_endpoint(
    EndpointName=NAME,
    ContentType="application/json",
    Accept="application/json",
    Body=json.dumps([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]),
)
print(json.loads(answer["Body"].read()))
sagemaker.delete_endpoint(EndpointName=NAME)
sagemaker.delete_endpoint_config(EndpointConfigName=NAME)
sagemaker.delete_model(ModelName=NAME)
