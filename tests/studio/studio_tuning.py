"""What Studio shows of tuning: a search some of whose trials fail, and one that compares two kinds of training jobs."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
MARKUP = "<b onclick=hacked=1>good</b>"
"""A value of a category that is HTML."""
TRIALS = 14
_CLIMB = """
import argparse, math, time
parser = argparse.ArgumentParser()
parser.add_argument("--momentum", type=float)
parser.add_argument("--rate", type=float, default=0.01)
parser.add_argument("--kind", default="plain")
parser.add_argument("--pause", type=float, default=0)
given, _ = parser.parse_known_args()
if given.rate > 0.3:
    raise SystemExit("it diverged")
time.sleep(given.pause)
score = 1 - (given.momentum - 0.3) ** 2 - 0.02 * (math.log10(given.rate) + 2) ** 2 + 0.1 * ("good" in given.kind)
print(f"score={score:.6f};", flush=True)
open("/opt/ml/model/model.txt", "w").write("model")
"""
_MOMENTUM = {"Name": "momentum", "MinValue": "0", "MaxValue": "0.9"}
_MAXIMIZE = {"Type": "Maximize", "MetricName": "score"}


def search(contents: Any) -> None:
    """Start both searches; the highest rates of the first diverge."""
    sagemaker = contents.server.client("sagemaker")
    ranges = {
        "ContinuousParameterRanges": [_MOMENTUM, {"Name": "rate", "MinValue": "0.0001", "MaxValue": "1"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ['"plain"', json.dumps(MARKUP)]}],
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=contents.tuning_job,
        HyperParameterTuningJobConfig=config(
            TRIALS, HyperParameterTuningJobObjective=_MAXIMIZE, ParameterRanges=ranges
        ),
        TrainingJobDefinition=definition(contents),
    )
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=contents.compared_tuning_job,
        HyperParameterTuningJobConfig=config(4),
        TrainingJobDefinitions=[
            definition(contents, rate=rate)
            | {
                "DefinitionName": name,
                "TuningObjective": _MAXIMIZE,
                "HyperParameterRanges": {"ContinuousParameterRanges": [_MOMENTUM]},
            }
            for name, rate in (("slow", "0.001"), ("fast", "0.1"))
        ],
    )


def config(jobs: int, **more: Any) -> dict[str, Any]:
    """A random search of a seed that makes some trials fail."""
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": 2}
    return {"Strategy": "Random", "ResourceLimits": limits, "RandomSeed": 7, **more}


def definition(contents: Any, **static: str) -> dict[str, Any]:
    """Training jobs that climb a hill."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(_CLIMB)
        tar.addfile(member, io.BytesIO(_CLIMB.encode()))
    contents.server.client("s3").put_object(Bucket=contents.bucket, Key="climb.tar.gz", Body=archive.getvalue())
    return {
        "StaticHyperParameters": {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": json.dumps(f"s3://{contents.bucket}/climb.tar.gz"),
            **static,
        },
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=([-0-9.]+)"}],
        },
        "RoleArn": contents.server.role_arn,
        "OutputDataConfig": {"S3OutputPath": f"s3://{contents.bucket}/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
            "KeepAlivePeriodInSeconds": 60,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
