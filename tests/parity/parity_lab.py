"""What the parity tests share: a server with a bucket in it, short ways to start jobs and to await their ends."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
import textwrap
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import boto3

from clary.testing.server import Server

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
SKLEARN = f"{REGISTRY}/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = f"{REGISTRY}/sagemaker-xgboost:3.0-5"
LINEAR_LEARNER = "382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1"
BUCKET = "parity"
LONGEST_WAIT = 240.0
"""Seconds; the first job that needs an image waits until it is built."""


def eventually(look: Callable[[], Any], what: str, seconds: float = LONGEST_WAIT) -> Any:
    """The first true value that ``look`` gives; fails after ``seconds`` without one."""
    deadline = time.monotonic() + seconds
    while not (value := look()):
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:g} s"
        time.sleep(0.05)
    return value


class Lab:
    """A server with the bucket ``parity``, and its clients; or another account there, with a ``bucket`` of its own."""

    def __init__(self, server: Server, bucket: str = BUCKET, account: boto3.Session | None = None) -> None:
        self.server = server
        self.bucket = bucket
        client = server.client if account is None else account.client
        self.role = server.role_arn.replace(server.account, client("sts").get_caller_identity()["Account"])
        self.s3 = client("s3")
        self.sagemaker = client("sagemaker")
        self.runtime = client("sagemaker-runtime")
        self.logs = client("logs")
        self.s3.create_bucket(Bucket=bucket)

    def put(self, key: str, body: str | bytes) -> str:
        """Store an object and return its S3 URI."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body.encode() if isinstance(body, str) else body)
        return f"s3://{self.bucket}/{key}"

    def get(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        return bytes(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())

    def archive(self, uri: str) -> dict[str, bytes]:
        """The files of a ``tar.gz`` in the store, by name."""
        with tarfile.open(fileobj=io.BytesIO(self.get(uri)), mode="r:gz") as tar:
            return {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]

    def script(self, source: str, **others: str) -> str:
        """Store ``train.py``, with further files, as the SDK packs a source folder; gives its S3 URI."""
        files = {"train.py": textwrap.dedent(source), **others}
        return self.put(f"code/{hashlib.sha256(repr(files).encode()).hexdigest()[:12]}/sourcedir.tar.gz", pack(files))

    # -- training

    def training(self, name: str, image: str = XGBOOST, **changes: Any) -> dict[str, Any]:
        """The arguments of ``create_training_job``: channels by name in ``channels``, the rest as boto3 names it."""
        channels = changes.pop("channels", {})
        hyperparameters = {key: str(value) for key, value in changes.pop("hyperparameters", {}).items()}
        request: dict[str, Any] = {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
            "HyperParameters": hyperparameters,
            "InputDataConfig": [channel(key, uri) for key, uri in channels.items()],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        request["AlgorithmSpecification"].update(changes.pop("AlgorithmSpecification", {}))
        return {key: value for key, value in (request | changes).items() if value not in ([], {})}

    def start(self, name: str, image: str = XGBOOST, **changes: Any) -> str:
        """Start a training job and return its ARN."""
        return str(self.sagemaker.create_training_job(**self.training(name, image, **changes))["TrainingJobArn"])

    def start_script(self, name: str, source: str, image: str = SKLEARN, **changes: Any) -> str:
        """Start a training job of a script as the SDK's framework estimators do."""
        others = changes.pop("files", {})
        given = changes.pop("hyperparameters", {})
        hyperparameters = {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(self.script(source, **others)),
            **{key: json.dumps(value) for key, value in given.items()},
        }
        return self.start(name, image, hyperparameters=hyperparameters, **changes)

    def await_status(self, name: str, *secondary: str) -> dict[str, Any]:
        """The training job once its secondary status is one of ``secondary``; fails if it ends before."""

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            if job["SecondaryStatus"] in secondary:
                return job
            assert job["TrainingJobStatus"] in ("InProgress", "Stopping"), (job, self.log_of(name))
            return None

        return dict(eventually(look, f"{name} is {' or '.join(secondary)}"))

    def ended(self, name: str, seconds: float = LONGEST_WAIT) -> dict[str, Any]:
        """The training job once it has ended, however it did."""

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_training_job(TrainingJobName=name)
            return None if job["TrainingJobStatus"] in ("InProgress", "Stopping") else job

        return dict(eventually(look, f"{name} has ended", seconds))

    def completed(self, name: str, seconds: float = LONGEST_WAIT) -> dict[str, Any]:
        """The training job once it has completed; fails with its reason and log if it ends otherwise."""
        job = self.ended(name, seconds)
        assert job["TrainingJobStatus"] == "Completed", (job.get("FailureReason"), self.log_of(name))
        return job

    def log_of(self, name: str, group: str = "/aws/sagemaker/TrainingJobs") -> str:
        """All that a job or an endpoint has logged so far."""
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNamePrefix=name)
        return "\n".join(event["message"] for page in pages for event in page["events"])

    def endpoint_log(self, name: str) -> str:
        return self.log_of("AllTraffic/", f"/aws/sagemaker/Endpoints/{name}")

    def await_log(self, name: str, text: str) -> None:
        """Wait until a training job has logged ``text``; fails if it ends before."""

        def look() -> bool:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            if job["SecondaryStatus"] not in ("Training", "Uploading", "Completed", "Failed", "Stopped"):
                return False
            seen = text in self.log_of(name)
            assert seen or job["TrainingJobStatus"] in ("InProgress", "Stopping"), job
            return seen

        eventually(look, f"{text!r} in the log of {name}")

    # -- processing

    def process(self, name: str, **changes: Any) -> dict[str, Any]:
        """Run a processing job to its end, in the scikit-learn image unless told otherwise."""
        request: dict[str, Any] = {
            "ProcessingJobName": name,
            "RoleArn": self.role,
            "AppSpecification": {"ImageUri": SKLEARN},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}
            },
        }
        request["AppSpecification"].update(changes.pop("AppSpecification", {}))
        self.sagemaker.create_processing_job(**(request | changes))

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_processing_job(ProcessingJobName=name)
            return None if job["ProcessingJobStatus"] in ("InProgress", "Stopping") else job

        return dict(eventually(look, f"{name} has ended"))

    # -- endpoints

    def model(self, name: str, model_data: str | None, image: str = XGBOOST, **changes: Any) -> None:
        container: dict[str, Any] = {"Image": image, **changes}
        if model_data is not None:
            container["ModelDataUrl"] = model_data
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=container)

    def endpoint_config(self, name: str, model: str) -> None:
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": model,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])

    def endpoint_settled(self, name: str) -> dict[str, Any]:
        """The endpoint once it is in service or has failed."""

        def look() -> dict[str, Any] | None:
            endpoint: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if endpoint["EndpointStatus"] in ("Creating", "Updating", "Deleting") else endpoint

        return dict(eventually(look, f"endpoint {name} has settled"))

    def deploy(self, name: str, model_data: str, image: str = XGBOOST, **changes: Any) -> dict[str, Any]:
        """Model, endpoint configuration and endpoint, all called ``name``; gives the endpoint once it is in service."""
        self.model(name, model_data, image, **changes)
        self.endpoint_config(name, name)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        endpoint = self.endpoint_settled(name)
        assert endpoint["EndpointStatus"] == "InService", (endpoint, self.endpoint_log(name))
        return endpoint

    def invoke(self, name: str, body: str | bytes, content_type: str = "text/csv", **more: Any) -> bytes:
        answer = self.runtime.invoke_endpoint(EndpointName=name, ContentType=content_type, Body=body, **more)
        return bytes(answer["Body"].read())


def channel(name: str, uri: str, content_type: str = "text/csv") -> dict[str, Any]:
    """A channel with all objects under ``uri``."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": content_type, "DataSource": {"S3DataSource": source}}


def pack(files: Mapping[str, str | bytes]) -> bytes:
    """A ``tar.gz`` of ``files`` (contents by name)."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return raw.getvalue()


def wheel(name: str, source: str) -> bytes:
    """A wheel, version 1.0, with one module."""
    raw = io.BytesIO()
    information = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(raw, "w") as file:
        file.writestr(f"{name}.py", source)
        file.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{information}/RECORD", "")
    return raw.getvalue()


def labelled_rows(count: int, seed: int = 0) -> list[str]:
    """CSV rows: a label, which the sum of the first two of four features decides, and those features."""
    source = random.Random(seed)
    rows = []
    for _ in range(count):
        features = [source.gauss(0, 1) for _ in range(4)]
        rows.append(",".join([str(int(features[0] + features[1] > 0)), *(f"{value:.4f}" for value in features)]))
    return rows


def without_label(rows: Sequence[str]) -> str:
    return "\n".join(row.partition(",")[2] for row in rows)


def labels(rows: Sequence[str]) -> list[int]:
    return [int(row.partition(",")[0]) for row in rows]
