"""Workloads that run programs: training, tuning, processing, batch transform, and jobs that are stopped or deleted."""

from __future__ import annotations

import io
import json
import random
import tarfile
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from .ledger import ABSENT, is_absent, is_lost
from .site import LONGEST_JOB_S, LOOK_S, Job, Site
from .witness import PROGRAM, SERVER

PYTHON = "clary/python:3.11"
SCIKIT_LEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TRIALS = 4
_RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
_RUNS = {"MaxRuntimeInSeconds": 600}


def prepare(site: Site) -> None:
    """Store what the jobs share: code and data."""
    site.put("code/program.py", PROGRAM.encode())
    site.put("code/source.tar.gz", packed("train.py", PROGRAM))
    site.put("code/served.tar.gz", packed("code/inference.py", SERVER))
    for number in range(3):
        site.put(f"data/{number}.csv", _lines(number).encode())


def packed(name: str, text: str) -> bytes:
    """A ``tar.gz`` with one file."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return raw.getvalue()


def _lines(number: int) -> str:
    return "".join("x" * (number + each) + "\n" for each in range(1, 40))


def _environment(site: Site, job: Job, **more: str) -> dict[str, str]:
    return {"RUN": job.name, "FATE": job.fate, "WITNESS": str(site.witness.port), **more}


def training(site: Site) -> None:
    """Training jobs one after the other: most complete, some fail, some are stopped, some are deleted at the end."""
    _trained(site, "training")


def further_training(site: Site) -> None:
    """More of them at the same time, which keep their instances for the next."""
    _trained(site, "further-training", KeepAlivePeriodInSeconds=10)


def _trained(site: Site, prefix: str, **resources: Any) -> None:
    chance, sagemaker, number = random.Random(f"{site.seed}-{prefix}"), site.client("sagemaker"), 0
    while not site.over.is_set():
        number += 1
        job = Job(
            "TrainingJob", f"{prefix}-{number}", chance.choice(("complete", "complete", "complete", "fail", "stop"))
        )
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{site.bucket}/code/program.py"}
        request = {
            "TrainingJobName": job.name,
            "RoleArn": site.plant.role,
            "AlgorithmSpecification": {
                "TrainingImage": SCIKIT_LEARN if resources else PYTHON,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": ["python3", "/opt/ml/input/data/code/program.py"],
            },
            "Environment": _environment(site, job),
            "InputDataConfig": [{"ChannelName": "code", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": f"s3://{site.bucket}/models"},
            "ResourceConfig": {**_RESOURCES, **resources},
            "StoppingCondition": _RUNS,
        }
        stop = {"TrainingJobName": job.name}
        created = _run(site, job, lambda request=request: sagemaker.create_training_job(**request))
        _stop(site, job, chance, lambda stop=stop: sagemaker.stop_training_job(**stop))
        if created and site.await_end(job) and chance.random() < 0.2:
            _delete(site, job, lambda stop=stop: sagemaker.delete_training_job(**stop))


def processing(site: Site) -> None:
    """Processing jobs one after the other, which upload what they made."""
    chance, sagemaker, number = random.Random(f"{site.seed}-processing"), site.client("sagemaker"), 0
    while not site.over.is_set():
        number += 1
        job = Job("ProcessingJob", f"processing-{number}", chance.choice(("complete", "complete", "fail", "stop")))
        local = "/opt/ml/processing/"
        upload = {"S3Uri": f"s3://{site.bucket}/processed/{job.name}", "LocalPath": f"{local}out"}
        read = {"S3Uri": f"s3://{site.bucket}/code/program.py", "LocalPath": f"{local}code", "S3DataType": "S3Prefix"}
        request = {
            "ProcessingJobName": job.name,
            "RoleArn": site.plant.role,
            "AppSpecification": {"ImageUri": PYTHON, "ContainerEntrypoint": ["python3", f"{local}code/program.py"]},
            "Environment": _environment(site, job, OUT="processing/out"),
            "ProcessingInputs": [{"InputName": "code", "S3Input": {**read, "S3InputMode": "File"}}],
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": "out", "S3Output": {**upload, "S3UploadMode": "EndOfJob"}}]
            },
            "ProcessingResources": {"ClusterConfig": _RESOURCES},
        }
        stop = {"ProcessingJobName": job.name}
        created = _run(site, job, lambda request=request: sagemaker.create_processing_job(**request))
        _stop(site, job, chance, lambda stop=stop: sagemaker.stop_processing_job(**stop))
        if created:
            site.await_end(job)


def transforming(site: Site) -> None:
    """Transform jobs one after the other, each of a model of its own."""
    sagemaker, number = site.client("sagemaker"), 0
    while not site.over.is_set():
        number += 1
        expected = {f"{each}.csv.out": _lengths(_lines(each)) for each in range(3)}
        job = Job("TransformJob", f"transform-{number}", expected=expected)
        program = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_MODEL_SERVER_WORKERS": "1"}
        container = {
            "Image": SCIKIT_LEARN,
            "ModelDataUrl": f"s3://{site.bucket}/code/served.tar.gz",
            "Environment": _environment(site, job, **program),
        }
        model = {"ModelName": job.name, "ExecutionRoleArn": site.plant.role, "PrimaryContainer": container}
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{site.bucket}/data/"}
        request = {
            "TransformJobName": job.name,
            "ModelName": job.name,
            "TransformInput": {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"},
            "TransformOutput": {"S3OutputPath": f"s3://{site.bucket}/transformed/{job.name}", "Accept": "text/csv"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        }
        created = site.ledger.change("Model", job.name, job.name, lambda model=model: sagemaker.create_model(**model))
        if created and _run(site, job, lambda request=request: sagemaker.create_transform_job(**request)):
            site.await_end(job)


def _lengths(text: str) -> bytes:
    return "\n".join(str(len(line)) for line in text.splitlines()).encode()


def tuning(site: Site) -> None:
    """Tuning jobs one after the other, of a few trials each."""
    sagemaker, number = site.client("sagemaker"), 0
    while not site.over.is_set():
        number += 1
        job = Job("HyperParameterTuningJob", f"tuned-{number}")
        source = {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{site.bucket}/code/source.tar.gz",
        }
        request = {
            "HyperParameterTuningJobName": job.name,
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
                "ResourceLimits": {"MaxNumberOfTrainingJobs": TRIALS, "MaxParallelTrainingJobs": 2},
                "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]},
            },
            "TrainingJobDefinition": {
                "StaticHyperParameters": {name: json.dumps(value) for name, value in source.items()},
                "AlgorithmSpecification": {
                    "TrainingImage": SCIKIT_LEARN,
                    "TrainingInputMode": "File",
                    "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
                },
                "Environment": _environment(site, job),
                "RoleArn": site.plant.role,
                "OutputDataConfig": {"S3OutputPath": f"s3://{site.bucket}/models"},
                "ResourceConfig": _RESOURCES,
                "StoppingCondition": _RUNS,
            },
        }
        if _run(site, job, lambda request=request: sagemaker.create_hyper_parameter_tuning_job(**request)):
            site.await_end(job)


def _run(site: Site, job: Job, create: Callable[[], object]) -> bool:
    done = site.create(job, create)
    site.moments.reached("created")
    return done


def _stop(site: Site, job: Job, chance: random.Random, stop: Callable[[], object]) -> None:
    """Stop a job that would wait for ever, at once or when it has begun."""
    if job.fate != "stop":
        return
    if chance.random() < 0.7:
        site.witness.await_step(job.name, LONGEST_JOB_S / 2)
    until = time.monotonic() + LONGEST_JOB_S
    while time.monotonic() < until:
        try:
            stop()
        except Exception as error:
            if is_lost(error):
                site.pause(LOOK_S)
                continue
            # One that was sent again finds it done, a fault may have failed the job, and it may never have been made.
            if "is in status" not in str(error) and not is_absent(error):
                raise
        site.moments.reached("stopping")
        return
    site.errors.append(f"{job.name} could not be stopped")


def _delete(site: Site, job: Job, delete: Callable[[], object]) -> None:
    def call() -> None:
        try:
            delete()
        except ClientError as error:
            if not is_absent(error):
                raise  # else it was done, and sent again because its answer was lost

    site.ledger.change(job.kind, job.name, ABSENT, call)
