"""Something of everything that Studio has pages for, made through the public API; some of it with hostile names."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from dataclasses import dataclass
from typing import Any

import studio_serving as serving
import studio_tuning as tuning

from clary.testing.server import Server

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
HOSTILE = "<img src=x onerror=\"window.hacked='name'\">"
"""Text that runs a script in every page that shows it as HTML."""
PASSWORD = "Correct-horse-7"
_SOON = {"Delay": 1, "MaxAttempts": 240}
_TRAIN = (
    'for i in 1 2 3 4 5 6 7 8; do echo "train:loss=0.$((9 - i)); validation:loss=0.$((10 - i)); accuracy=0.$i;"; done; '
    "echo model > /opt/ml/model/model.txt"
)
_KEEP = (
    "cat /opt/ml/input/data/stream_0 > /dev/null; cd /opt/ml/checkpoints; "
    "for i in 1 2 3; do echo epoch $i > epoch-$i.txt; done; mkdir best; echo model > best/model.txt"
)
_COUNT = (
    "cd /opt/ml/checkpoints; trap 'exit 0' TERM; n=$(cat steps || echo 0); "
    "while [ $n -lt 30 ]; do sleep 0.1; n=$((n + 1)); echo $n > steps; done"
)
_PREPARE = (
    "echo prepared > /opt/ml/processing/output/done.txt; "
    "python3 -c \"import pandas; pandas.DataFrame({'wine': ['red', 'white'] * 150, 'alcohol': [14.5, 12.25] * 150})"
    ".to_parquet('/opt/ml/processing/output/wines.parquet')\""
)
_INFERENCE = """
def model_fn(folder):
    return None


def predict_fn(data, model):
    return [[1.0] for _ in data]
"""


@dataclass(frozen=True)
class Contents:
    """The names of what ``fill`` has made."""

    server: Server
    bucket: str = "studio-things"
    training_job: str = "learns"
    failed_job: str = "learns-nothing"
    kept_job: str = "keeps-for-the-next"
    spot_job: str = "is-interrupted"
    built_in_job: str = "grows-trees"
    processing_job: str = "prepares"
    failed_processing_job: str = "prepares-nothing"
    experiment: str = "which-rate"
    runs: tuple[str, ...] = ("which-rate-run-1", "which-rate-run-2", "which-rate-run-3")
    user: str = "ada"
    group: str = "researchers"
    role: str = "ClaryExecutionRole"
    model: str = "answers"
    endpoint_config: str = "answers"
    endpoint: str = "answers"
    shared_endpoint: str = "shares"
    serverless_config: str = "on-demand"
    alarm: str = "too-slow"
    transform_job: str = "transforms"
    tuning_job: str = "climbs"
    compared_tuning_job: str = "compares-two"
    package_group: str = "champions"

    @property
    def names(self) -> dict[str, Any]:
        """All of them, for paths such as ``/training-jobs/{training_job}``."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("server", "runs")} | {
            "run": self.runs[0],
            "two_runs": ",".join(self.runs[:2]),
        }


def fill(server: Server) -> Contents:
    """Make everything, and wait until the jobs have ended and the endpoint serves."""
    contents = Contents(server)
    _objects(contents)
    _jobs(contents)
    _special_jobs(contents)
    _models(contents)
    serving.share(contents)
    serving.transform(contents)
    tuning.search(contents)
    _experiment(contents)
    _people(contents)
    _await(contents)
    return contents


def _objects(contents: Contents) -> None:
    s3 = contents.server.client("s3")
    s3.create_bucket(Bucket=contents.bucket)
    s3.put_object(Bucket=contents.bucket, Key="data/wine.csv", Body=b"class,alcohol\n0,14.23\n1,12.37\n")
    s3.put_object(Bucket=contents.bucket, Key=f"hostile/{HOSTILE.replace('/', '')}.txt", Body=HOSTILE.encode())
    page = b"<script>window.hacked = 'page'; parent.hacked = 'page'</script><h1>Hello</h1>"
    s3.put_object(Bucket=contents.bucket, Key="hostile/page.html", Body=page, ContentType="text/html")
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' onload=\"window.hacked='drawing'\"/>"
    s3.put_object(Bucket=contents.bucket, Key="hostile/drawing.svg", Body=drawing, ContentType="image/svg+xml")
    wine = gzip.compress(b"class,alcohol\n0,14.23\n1,12.37\n")
    s3.put_object(Bucket=contents.bucket, Key="streamed/wine.csv.gz", Body=wine)
    for part, rows in (("train", range(300)), ("validation", range(300, 400))):
        # Which class a row has is nearly told by its first feature.
        lines = [f"{int(n * 37 % 101 > 50)},{n * 37 % 101 + n % 7},{n % 13}" for n in rows]
        s3.put_object(Bucket=contents.bucket, Key=f"rows/{part}/rows.csv", Body="\n".join(lines).encode())
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(_INFERENCE)
        tar.addfile(member, io.BytesIO(_INFERENCE.encode()))
    s3.put_object(Bucket=contents.bucket, Key="model.tar.gz", Body=archive.getvalue())


def _jobs(contents: Contents) -> None:
    sagemaker = contents.server.client("sagemaker")
    place = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    for name, command in ((contents.training_job, _TRAIN), (contents.failed_job, "echo it cannot; exit 3")):
        sagemaker.create_training_job(
            TrainingJobName=name,
            RoleArn=contents.server.role_arn,
            AlgorithmSpecification={
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["/bin/sh", "-c", command],
                "MetricDefinitions": [
                    {"Name": metric, "Regex": f"{metric}=([0-9.]+)"}
                    for metric in ("train:loss", "validation:loss", "accuracy")
                ],
            },
            HyperParameters={"rate": "0.1", "note": HOSTILE},
            InputDataConfig=[channel("train", f"s3://{contents.bucket}/data/")],
            OutputDataConfig={"S3OutputPath": f"s3://{contents.bucket}/output"},
            ResourceConfig=place,
            StoppingCondition={"MaxRuntimeInSeconds": 120},
        )
    jobs = (
        (contents.processing_job, _PREPARE),
        (contents.failed_processing_job, "echo there is no data > /opt/ml/output/message; exit 4"),
    )
    for name, command in jobs:
        output = {
            "S3Uri": f"s3://{contents.bucket}/prepared",
            "LocalPath": "/opt/ml/processing/output",
            "S3UploadMode": "EndOfJob",
        }
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            RoleArn=contents.server.role_arn,
            AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["/bin/sh", "-c", command]},
            ProcessingOutputConfig={"Outputs": [{"OutputName": "prepared", "S3Output": output}]},
            ProcessingResources={"ClusterConfig": place},
            Environment={"NOTE": HOSTILE},
        )


def _special_jobs(contents: Contents) -> None:
    """Jobs with what few have: other channels and a warm pool, interruptions, and a built-in algorithm."""
    sagemaker = contents.server.client("sagemaker")
    place = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    common = {
        "RoleArn": contents.server.role_arn,
        "OutputDataConfig": {"S3OutputPath": f"s3://{contents.bucket}/output"},
    }
    checkpoints = f"s3://{contents.bucket}/checkpoints"
    sagemaker.create_training_job(
        TrainingJobName=contents.kept_job,
        AlgorithmSpecification=_script(_KEEP),
        InputDataConfig=[
            channel("train", f"s3://{contents.bucket}/data/", ContentType="text/csv"),
            channel(
                "stream",
                f"s3://{contents.bucket}/streamed/",
                ContentType="text/csv",
                InputMode="Pipe",
                CompressionType="Gzip",
                ShuffleConfig={"Seed": 7},
            ),
        ],
        # No other job is like it, so that none takes its warm pool.
        ResourceConfig=place | {"KeepAlivePeriodInSeconds": 600, "VolumeSizeInGB": 3},
        CheckpointConfig={"S3Uri": f"{checkpoints}/{contents.kept_job}"},
        RetryStrategy={"MaximumRetryAttempts": 2},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
        **common,
    )
    sagemaker.create_training_job(
        TrainingJobName=contents.spot_job,
        AlgorithmSpecification=_script(_COUNT),
        EnableManagedSpotTraining=True,
        ResourceConfig=place,
        CheckpointConfig={"S3Uri": f"{checkpoints}/{contents.spot_job}/"},
        StoppingCondition={"MaxRuntimeInSeconds": 120, "MaxWaitTimeInSeconds": 240},
        Environment={"CLARY_SPOT_INTERRUPTIONS": "1+2"},
        **common,
    )
    sagemaker.create_training_job(
        TrainingJobName=contents.built_in_job,
        AlgorithmSpecification={"TrainingImage": "sagemaker-xgboost:3.0-5", "TrainingInputMode": "File"},
        HyperParameters={
            "num_round": "12",
            "objective": "binary:logistic",
            "eval_metric": "auc,logloss",
            "learning_rate": "0.3",
        },
        InputDataConfig=[
            channel(name, f"s3://{contents.bucket}/rows/{name}/", ContentType="text/csv")
            for name in ("train", "validation")
        ],
        ResourceConfig=place,
        StoppingCondition={"MaxRuntimeInSeconds": 120},
        **common,
    )


def channel(name: str, uri: str, **more: Any) -> dict[str, Any]:
    """A channel of all objects below a prefix."""
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}, **more}


def _script(command: str) -> dict[str, Any]:
    return {"TrainingImage": IMAGE, "TrainingInputMode": "File", "ContainerEntrypoint": ["/bin/sh", "-c", command]}


def _models(contents: Contents) -> None:
    sagemaker = contents.server.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{contents.bucket}/model.tar.gz"}
    sagemaker.create_model(
        ModelName=contents.model,
        ExecutionRoleArn=contents.server.role_arn,
        PrimaryContainer=container | {"Environment": {"SAGEMAKER_PROGRAM": "inference.py", "NOTE": HOSTILE}},
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": contents.model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=contents.endpoint_config, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=contents.endpoint, EndpointConfigName=contents.endpoint_config)
    sagemaker.create_model_package_group(
        ModelPackageGroupName=contents.package_group, ModelPackageGroupDescription=HOSTILE
    )
    for approval in ("Approved", "PendingManualApproval"):
        sagemaker.create_model_package(
            ModelPackageGroupName=contents.package_group,
            ModelPackageDescription=HOSTILE,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        )


def _experiment(contents: Contents) -> None:
    runs = [
        Run(
            name=name,
            title=f"run-{number}",
            parameters={"rate": number / 10, "depth": 3, "note": HOSTILE},
            metrics=[
                {"train:loss": 1 / (step + number), "validation:loss": 1.1 / (step + number), "accuracy": step / 12}
                for step in range(12)
            ],
            inputs={"data": f"s3://{contents.bucket}/data/wine.csv"},
            outputs={"model": f"s3://{contents.bucket}/model.tar.gz"},
        )
        for number, name in enumerate(contents.runs, 1)
    ]
    experiment(contents.server, contents.experiment, HOSTILE, runs)


@dataclass(frozen=True)
class Run:
    """A run of an experiment that has ended: what it was given, and what it measured at each step."""

    name: str
    title: str
    parameters: dict[str, float | str]
    metrics: list[dict[str, float]]
    inputs: dict[str, str]
    outputs: dict[str, str]


def experiment(server: Server, name: str, description: str, runs: list[Run]) -> None:
    """Make an experiment with runs, as the SageMaker SDK makes them."""
    sagemaker, metrics = server.client("sagemaker"), server.client("sagemaker-metrics")
    sagemaker.create_experiment(ExperimentName=name, Description=description)
    trial = f"Default-Run-Group-{name}"
    sagemaker.create_trial(TrialName=trial, ExperimentName=name)
    began = int(time.time()) - 600
    for run in runs:
        sagemaker.create_trial_component(
            TrialComponentName=run.name,
            DisplayName=run.title,
            StartTime=began,
            EndTime=began + 60,
            Status={"PrimaryStatus": "Completed"},
            Parameters={
                key: {"StringValue" if isinstance(value, str) else "NumberValue": value}
                for key, value in run.parameters.items()
            },
            InputArtifacts={key: {"Value": value, "MediaType": "text/csv"} for key, value in run.inputs.items()},
            OutputArtifacts={key: {"Value": value} for key, value in run.outputs.items()},
        )
        sagemaker.associate_trial_component(TrialComponentName=run.name, TrialName=trial)
        for step, told in enumerate(run.metrics):
            data = [
                {"MetricName": metric, "Timestamp": began + step, "Step": step, "Value": value}
                for metric, value in told.items()
            ]
            metrics.batch_put_metrics(TrialComponentName=run.name, MetricData=data)


def _people(contents: Contents) -> None:
    iam = contents.server.client("iam")
    iam.create_group(GroupName=contents.group)
    iam.create_user(UserName=contents.user)
    iam.create_login_profile(UserName=contents.user, Password=PASSWORD)
    iam.add_user_to_group(GroupName=contents.group, UserName=contents.user)
    allowed = {"Effect": "Allow", "Action": ["sagemaker:*Experiment*", "sagemaker:Search"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=contents.user, PolicyName="experiments", PolicyDocument=policy)


def _await(contents: Contents) -> None:
    sagemaker = contents.server.client("sagemaker")
    for name in (
        contents.training_job, contents.failed_job, contents.kept_job, contents.spot_job, contents.built_in_job,
    ):  # fmt: skip
        _ended(lambda name=name: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"])
    for name in (contents.processing_job, contents.failed_processing_job):
        _ended(lambda name=name: sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"])
    for name in (contents.tuning_job, contents.compared_tuning_job):
        _ended(
            lambda name=name: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)[
                "HyperParameterTuningJobStatus"
            ]
        )
    for name in (contents.endpoint, contents.shared_endpoint):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig=_SOON)
    serving.scale(contents)
    _ended(
        lambda: sagemaker.describe_transform_job(TransformJobName=contents.transform_job)["TransformJobStatus"],
    )


def _ended(status: Any) -> None:
    deadline = time.monotonic() + 240
    while status() not in ("Completed", "Failed"):
        assert time.monotonic() < deadline, "a job does not end"
        time.sleep(0.1)
