"""The steps of the main job, through the public API with plain boto3, as they would be written for AWS."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from clary.cli.mistakes import Mistake
from clary.cli.quickstart.display import Say

PROCESSING_IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TRAINING_IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
PARTS = ("train", "validation", "test")
_LOOK_S = 0.1
_BATCH = 50
_NOW_ABSENT = ("ValidationException", "ResourceNotFound", "NoSuchBucket", "404")


class JobFailed(Mistake):
    """A job or an endpoint ended as ``Failed``; the message has its reason and the end of its log."""


@dataclass
class Steps:
    """One walk: ``name`` is that of everything it makes, ``bucket`` holds its data under the prefix ``name``."""

    session: boto3.Session
    role_arn: str
    bucket: str
    name: str
    image_progress: Callable[[str], str]
    """What is happening with the environment of an image (its URI), in words; empty if nothing is."""
    bucket_is_ours: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.s3 = self.session.client("s3")
        self.sagemaker = self.session.client("sagemaker")
        self.runtime = self.session.client("sagemaker-runtime")
        self.logs = self.session.client("logs")

    def uri(self, *parts: str) -> str:
        """An address below the walk's prefix."""
        return "/".join((f"s3://{self.bucket}/{self.name}", *parts))

    def prepare(self, say: Say) -> None:
        """Put the script into a bucket and run it as a processing job, which writes three data sets."""
        try:
            self.s3.head_bucket(Bucket=self.bucket)
        except ClientError:
            where = {"LocationConstraint": self.s3.meta.region_name}
            place = {} if self.s3.meta.region_name == "us-east-1" else {"CreateBucketConfiguration": where}
            self.s3.create_bucket(Bucket=self.bucket, **place)
            self.bucket_is_ours = True
        script = Path(__file__).with_name("prepare.py").read_bytes()
        self.s3.put_object(Bucket=self.bucket, Key=f"{self.name}/code/prepare.py", Body=script)
        self.sagemaker.create_processing_job(
            ProcessingJobName=self.name,
            RoleArn=self.role_arn,
            AppSpecification={
                "ImageUri": PROCESSING_IMAGE,
                "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/prepare.py"],
            },
            ProcessingInputs=[
                {
                    "InputName": "code",
                    "S3Input": {
                        "S3Uri": self.uri("code/prepare.py"),
                        "LocalPath": "/opt/ml/processing/input/code",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            ProcessingOutputConfig={
                "Outputs": [
                    {
                        "OutputName": part,
                        "S3Output": {
                            "S3Uri": self.uri("data", part),
                            "LocalPath": f"/opt/ml/processing/output/{part}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for part in PARTS
                ]
            },
            ProcessingResources={
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
            },
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        group = "/aws/sagemaker/ProcessingJobs"
        while True:
            job = self.sagemaker.describe_processing_job(ProcessingJobName=self.name)
            status = job["ProcessingJobStatus"]
            line = self.image_progress(PROCESSING_IMAGE) or self._last_line(group)
            say(f"{status}: {line}" if line else status)
            if status == "Completed":
                return
            if status != "InProgress":
                raise self._failure(f"processing job {self.name}", status, job.get("FailureReason", ""), group)
            time.sleep(_LOOK_S)

    def train(self, say: Say) -> dict[str, Any]:
        """Train the built-in XGBoost algorithm; gives what ``DescribeTrainingJob`` says at the end."""
        self.sagemaker.create_training_job(
            TrainingJobName=self.name,
            RoleArn=self.role_arn,
            AlgorithmSpecification={"TrainingImage": TRAINING_IMAGE, "TrainingInputMode": "File"},
            HyperParameters={
                "objective": "binary:logistic",
                "num_round": "50",
                "max_depth": "4",
                "eta": "0.2",
                "subsample": "0.8",
                "eval_metric": "auc",
                "seed": "7",
            },
            InputDataConfig=[
                {
                    "ChannelName": channel,
                    "ContentType": "text/csv",
                    "DataSource": {
                        "S3DataSource": {
                            "S3DataType": "S3Prefix",
                            "S3Uri": self.uri("data", channel),
                            "S3DataDistributionType": "FullyReplicated",
                        }
                    },
                }
                for channel in ("train", "validation")
            ],
            OutputDataConfig={"S3OutputPath": self.uri("output")},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            StoppingCondition={"MaxRuntimeInSeconds": 600},
        )
        group = "/aws/sagemaker/TrainingJobs"
        while True:
            job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=self.name)
            status = job["TrainingJobStatus"]
            line = self.image_progress(TRAINING_IMAGE) or self._last_line(group)
            say(f"{job['SecondaryStatus']}: {line}" if line else job["SecondaryStatus"])
            if status == "Completed":
                return job
            if status not in ("InProgress", "Stopping"):
                raise self._failure(f"training job {self.name}", status, job.get("FailureReason", ""), group)
            time.sleep(_LOOK_S)

    def deploy(self, job: dict[str, Any], say: Say) -> None:
        """Make a model of the training job's archive, and put it behind an endpoint."""
        self.sagemaker.create_model(
            ModelName=self.name,
            ExecutionRoleArn=self.role_arn,
            PrimaryContainer={
                "Image": TRAINING_IMAGE,
                "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
            },
        )
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=self.name,
            ProductionVariants=[
                {
                    "VariantName": "AllTraffic",
                    "ModelName": self.name,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        )
        self.sagemaker.create_endpoint(EndpointName=self.name, EndpointConfigName=self.name)
        group = f"/aws/sagemaker/Endpoints/{self.name}"
        while True:
            endpoint = self.sagemaker.describe_endpoint(EndpointName=self.name)
            status = endpoint["EndpointStatus"]
            line = self._last_line(group, prefix="")
            say(f"{status}: {line}" if line else status)
            if status == "InService":
                return
            if status == "Failed":
                raise self._failure(
                    f"endpoint {self.name}", status, endpoint.get("FailureReason", ""), group, prefix=""
                )
            time.sleep(_LOOK_S)

    def predict(self, say: Say) -> tuple[list[int], list[float]]:
        """Send the held-out rows, some at a time; gives their labels and the scores that came back."""
        labels: list[int] = []
        scores: list[float] = []
        for batch in _batches(self._lines("test"), _BATCH):
            labels += [int(line.partition(",")[0]) for line in batch]
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.name,
                ContentType="text/csv",
                Body="\n".join(line.partition(",")[2] for line in batch).encode(),
            )
            scores += [float(score) for score in re.split(r"[,\s]+", answer["Body"].read().decode().strip())]
            say(f"{len(scores)} rows")
        return labels, scores

    def clean(self) -> None:
        """Stop what runs, and remove the endpoint, its configuration, the model and the data; nothing need be there."""
        self._drop(lambda: self.sagemaker.stop_processing_job(ProcessingJobName=self.name))
        self._drop(lambda: self.sagemaker.stop_training_job(TrainingJobName=self.name))
        self._drop(self._delete_endpoint)
        self._drop(lambda: self.sagemaker.delete_endpoint_config(EndpointConfigName=self.name))
        self._drop(lambda: self.sagemaker.delete_model(ModelName=self.name))
        self._drop(self._delete_data)

    # -- details -------------------------------------------------------------------------------------------------------

    def _lines(self, part: str) -> list[str]:
        lines: list[str] = []
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.name}/data/{part}/"
        )
        for page in pages:
            for entry in page.get("Contents", []):
                body = self.s3.get_object(Bucket=self.bucket, Key=entry["Key"])["Body"].read()
                lines += body.decode().splitlines()
        return lines

    def _last_line(self, group: str, prefix: str | None = None) -> str:
        lines = self._last_lines(group, 1, prefix)
        return lines[-1] if lines else ""

    def _last_lines(self, group: str, limit: int, prefix: str | None = None) -> list[str]:
        wanted = f"{self.name}/" if prefix is None else prefix
        try:
            choice = {"logStreamNamePrefix": wanted} if wanted else {}
            streams = self.logs.describe_log_streams(logGroupName=group, **choice)["logStreams"]
            if not streams:
                return []
            events = self.logs.get_log_events(
                logGroupName=group, logStreamName=streams[0]["logStreamName"], limit=limit, startFromHead=False
            )["events"]
        except ClientError as error:
            # The group appears with the first line.
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return []
            raise
        return [event["message"].rstrip() for event in events]

    def _failure(self, what: str, status: str, reason: str, group: str, prefix: str | None = None) -> JobFailed:
        lines = "\n".join(f"    {line}" for line in self._last_lines(group, 15, prefix))
        end = f"\nThe end of its log:\n{lines}" if lines else ""
        return JobFailed(f"the {what} ended as {status}: {reason or 'no reason was given'}{end}")

    def _delete_endpoint(self) -> None:
        deadline = time.monotonic() + 120
        deleted = False
        # The loop ends by the error that says that there is no such endpoint.
        while time.monotonic() < deadline:
            status = self.sagemaker.describe_endpoint(EndpointName=self.name)["EndpointStatus"]
            if not deleted and status not in ("Creating", "Updating", "SystemUpdating"):
                self.sagemaker.delete_endpoint(EndpointName=self.name)
                deleted = True
            time.sleep(_LOOK_S)

    def _delete_data(self) -> None:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{self.name}/")
        for page in pages:
            keys = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
            if keys:
                self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})
        if self.bucket_is_ours:
            self.s3.delete_bucket(Bucket=self.bucket)

    def _drop(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except ClientError as error:
            if error.response["Error"]["Code"] not in (*_NOW_ABSENT, "BucketNotEmpty"):
                raise


def _batches(lines: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]
