"""A tuning job whose control plane is killed again and again loses no trial and makes none twice."""

from __future__ import annotations

import io
import json
import random
import tarfile
import time
from typing import Any

import pytest

pytestmark = pytest.mark.slow("survival")

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "survival"
TRIALS = 10
SCRIPT = b"""
import argparse, time

parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
given, _ = parser.parse_known_args()
print(f"step with {given.rate}", flush=True)
time.sleep(0.3)
print(f"score={1 - abs(given.rate - 0.5)};", flush=True)
"""


def source(plant: Any) -> str:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(SCRIPT)
        tar.addfile(member, io.BytesIO(SCRIPT))
    plant.client("s3").put_object(Bucket=BUCKET, Key="code/tuned.tar.gz", Body=raw.getvalue())
    return f"s3://{BUCKET}/code/tuned.tar.gz"


def create(plant: Any, name: str, strategy: str) -> None:
    plant.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": TRIALS, "MaxParallelTrainingJobs": 3},
            "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0", "MaxValue": "1"}]},
        },
        TrainingJobDefinition={
            "StaticHyperParameters": {
                "sagemaker_program": json.dumps("train.py"),
                "sagemaker_submit_directory": json.dumps(source(plant)),
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=(.*?);"}],
            },
            "RoleArn": plant.role,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )


@pytest.mark.parametrize(("strategy", "seed"), [("Random", 1), ("Bayesian", 2)])
def test_a_tuning_job_under_random_kills(plant: Any, wait_until: Any, strategy: str, seed: int) -> None:
    chance = random.Random(seed)
    name, sagemaker = f"tuned-{seed}", plant.client("sagemaker")
    create(plant, name, strategy)

    def described() -> dict[str, Any]:
        return dict(sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))

    kills = 0
    while described()["HyperParameterTuningJobStatus"] == "InProgress" and kills < 15:
        # The moment is the very thing that is tried here; there is no condition to wait for.
        time.sleep(chance.uniform(0, 1.0))
        pid = plant.pid("control")
        plant.kill("control")
        wait_until(lambda pid=pid: plant.pid("control") != pid)
        kills += 1
    wait_until(lambda: described()["HyperParameterTuningJobStatus"] != "InProgress", 120)
    job = described()
    assert job["HyperParameterTuningJobStatus"] == "Completed", job
    assert job["ObjectiveStatusCounters"] == {"Succeeded": TRIALS, "Pending": 0, "Failed": 0}

    trials = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, MaxResults=100
    )["TrainingJobSummaries"]
    assert [each["TrainingJobName"].split("-")[2] for each in trials] == [f"{n:03d}" for n in range(1, TRIALS + 1)]
    assert len({each["TunedHyperParameters"]["rate"] for each in trials}) == TRIALS
    # There is no training job that the tuning job does not know, and each ran once.
    known = {each["TrainingJobName"] for each in trials}
    rows = sagemaker.list_training_jobs(MaxResults=100, NameContains=name)["TrainingJobSummaries"]
    assert {row["TrainingJobName"] for row in rows} == known
    for each in trials:
        begun = [line for line in plant.lines(each["TrainingJobName"]) if line.startswith("step")]
        assert begun == [f"step with {float(each['TunedHyperParameters']['rate'])}"]
    plant.await_rest()
