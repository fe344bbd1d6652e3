"""Makes a home folder for ``kept`` by the Clary that runs it: ``python tests/state/keep.py REVISION.tar.xz``."""

from __future__ import annotations

import shutil
import sys
import tarfile
import time
from pathlib import Path
from typing import Any

import clary

HOME = Path("/tmp/clary-kept/home")
"""Always here, since the paths of logs are in the state."""
LEFT_OUT = ("run", "log", "trail", "pools")
IMAGE = "clary/python:3.11"
CODE = "print('loss=0.5'); open('/opt/ml/model/m', 'w').write('kept')"


def objects(server: Any, since: str) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="small", Body=b"kept since " + since.encode(), Metadata={"since": since})
    s3.put_object_tagging(Bucket="kept", Key="small", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_object(Bucket="kept", Key="large", Body=bytes(range(256)) * 800)
    upload = {"Bucket": "kept", "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    bodies = enumerate((b"\0" * (5 << 20), b"the end"), 1)
    parts = [{"PartNumber": n, "ETag": s3.upload_part(**upload, PartNumber=n, Body=b)["ETag"]} for n, b in bodies]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    key = server.client("kms").create_key(Description="kept")["KeyMetadata"]["KeyId"]
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    s3.put_object(Bucket="kept", Key="sealed", Body=b"s" * 70_000, **sealed)


def resources(server: Any, since: str) -> None:
    sagemaker, iam, logs, sqs = (server.client(name) for name in ("sagemaker", "iam", "logs", "sqs"))
    iam.create_user(UserName="kept-user")
    iam.attach_user_policy(UserName="kept-user", PolicyArn="arn:aws:iam::aws:policy/AmazonSageMakerFullAccess")
    tags = [{"Key": "since", "Value": since}]
    container = {"Image": IMAGE}
    sagemaker.create_model(
        ModelName="kept-model", ExecutionRoleArn=server.role_arn, PrimaryContainer=container, Tags=tags
    )
    variant = {"VariantName": "v", "ModelName": "kept-model"}
    variant |= {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}  # type: ignore[dict-item]
    sagemaker.create_endpoint_config(EndpointConfigName="kept-config", ProductionVariants=[variant])
    sagemaker.create_experiment(ExperimentName="kept-experiment")
    sagemaker.create_trial(TrialName="kept-trial", ExperimentName="kept-experiment")
    server.client("cloudwatch").put_metric_data(Namespace="kept", MetricData=[{"MetricName": "m", "Value": 4.0}])
    server.client("events").put_rule(Name="kept-rule", EventPattern='{"source":["aws.sagemaker"]}')
    sqs.send_message(QueueUrl=sqs.create_queue(QueueName="kept-queue")["QueueUrl"], MessageBody="kept")
    logs.create_log_group(logGroupName="kept")
    logs.create_log_stream(logGroupName="kept", logStreamName="s")
    line = {"timestamp": int(time.time() * 1000), "message": "a kept line"}
    logs.put_log_events(logGroupName="kept", logStreamName="s", logEvents=[line])


def job(server: Any, since: str) -> None:
    sagemaker = server.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName="kept-job",
        RoleArn=server.role_arn,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python", "-c", CODE],
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
        },
        OutputDataConfig={"S3OutputPath": "s3://kept/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={"since": since},
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="kept-job", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )


def main() -> None:
    """Fill a home through the API, stop it in order, and pack it."""
    archive = Path(sys.argv[1])
    since = archive.name.partition(".")[0]
    shutil.rmtree(HOME, ignore_errors=True)
    with clary.server(home=HOME) as server:
        objects(server, since)
        resources(server, since)
        job(server, since)
    for name in LEFT_OUT:
        shutil.rmtree(HOME / name, ignore_errors=True)
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        packed.add(HOME, ".", filter=_anonymous)
    shutil.rmtree(HOME)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
