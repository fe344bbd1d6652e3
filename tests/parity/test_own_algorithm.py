"""Algorithms of one's own: described once, validated by a real training job, trained with by their name."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, Lab, channel, eventually

TRAIN = """
import argparse, os, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
parser.add_argument("--colour")
arguments, _ = parser.parse_known_args()
rows = (pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "rows.csv").read_text().split()
print(f"loss={len(rows) / arguments.rounds}")
if arguments.colour == "grey":
    raise ValueError("grey is not a colour")
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.txt").write_text(f"{arguments.rounds} {arguments.colour}")
"""


def specification(lab: Lab, **changes: Any) -> dict[str, Any]:
    rounds = {"IntegerParameterRangeSpecification": {"MinValue": "1", "MaxValue": "10"}}
    colours = {"CategoricalParameterRangeSpecification": {"Values": ["red", "grey"]}}
    return {
        "TrainingImage": SKLEARN,
        "SupportedTrainingInstanceTypes": ["ml.m5.large"],
        "SupportedHyperParameters": [
            {"Name": "rounds", "Type": "Integer", "Range": rounds, "IsTunable": True, "IsRequired": True},
            {"Name": "colour", "Type": "Categorical", "Range": colours, "DefaultValue": "red"},
            {"Name": "sagemaker_program", "Type": "FreeText", "DefaultValue": '"train.py"'},
            {
                "Name": "sagemaker_submit_directory",
                "Type": "FreeText",
                "DefaultValue": f'"{lab.script(TRAIN)}"',
            },
        ],
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        "TrainingChannels": [
            {
                "Name": "train",
                "IsRequired": True,
                "SupportedContentTypes": ["text/csv"],
                "SupportedCompressionTypes": ["None"],
                "SupportedInputModes": ["File"],
            }
        ],
        **changes,
    }


def validation(lab: Lab, **hyperparameters: str) -> dict[str, Any]:
    definition = {
        "TrainingInputMode": "File",
        "HyperParameters": hyperparameters,
        "InputDataConfig": [channel("train", f"s3://{BUCKET}/train/")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }
    profile = {"ProfileName": "small", "TrainingJobDefinition": definition}
    return {"ValidationRole": lab.role, "ValidationProfiles": [profile]}


def create(lab: Lab, name: str, **members: Any) -> dict[str, Any]:
    """Create an algorithm and give it as it is once its validation has ended."""
    lab.put("train/rows.csv", "1\n2\n3\n4\n")
    members.setdefault("TrainingSpecification", specification(lab))
    lab.sagemaker.create_algorithm(AlgorithmName=name, **members)

    def look() -> dict[str, Any] | None:
        algorithm: dict[str, Any] = lab.sagemaker.describe_algorithm(AlgorithmName=name)
        return None if algorithm["AlgorithmStatus"] in ("Pending", "InProgress") else algorithm

    return dict(eventually(look, f"the validation of {name} has ended"))


def train(lab: Lab, name: str, algorithm: str, **changes: Any) -> None:
    changes.setdefault("channels", {"train": f"s3://{BUCKET}/train/"})
    request = lab.training(name, **changes)
    request["AlgorithmSpecification"] = {"AlgorithmName": algorithm, "TrainingInputMode": "File"}
    lab.sagemaker.create_training_job(**request)


def test_an_algorithm_is_validated_by_a_training_job_and_then_trained_with(lab: Lab) -> None:
    algorithm = create(lab, "counter", ValidationSpecification=validation(lab, rounds="2"), CertifyForMarketplace=True)
    assert algorithm["AlgorithmStatus"] == "Completed", algorithm["AlgorithmStatusDetails"]
    assert algorithm["AlgorithmStatusDetails"]["ValidationStatuses"] == [{"Name": "small", "Status": "Completed"}]
    assert algorithm["CertifyForMarketplace"] is True
    [validating] = lab.sagemaker.list_training_jobs(NameContains="counter-small")["TrainingJobSummaries"]
    job = lab.sagemaker.describe_training_job(TrainingJobName=validating["TrainingJobName"])
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"2 red"}

    train(lab, "counted", algorithm["AlgorithmArn"], hyperparameters={"rounds": 8, "colour": "red"})
    job = lab.completed("counted")
    assert job["AlgorithmSpecification"]["AlgorithmName"] == algorithm["AlgorithmArn"]
    assert "TrainingImage" not in job["AlgorithmSpecification"]
    assert job["AlgorithmSpecification"]["MetricDefinitions"] == [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [("loss", 0.5)]
    assert job["HyperParameters"]["sagemaker_program"] == '"train.py"'
    assert lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"]) == {"model.txt": b"8 red"}


def test_a_validation_that_fails_fails_its_algorithm(lab: Lab) -> None:
    algorithm = create(lab, "colourless", ValidationSpecification=validation(lab, rounds="2", colour="grey"))
    assert algorithm["AlgorithmStatus"] == "Failed"
    [status] = algorithm["AlgorithmStatusDetails"]["ValidationStatuses"]
    assert (status["Name"], status["Status"]) == ("small", "Failed")
    assert "ValueError: grey is not a colour" in status["FailureReason"]
    with pytest.raises(ClientError, match="cannot be used in status Failed"):
        train(lab, "never", "colourless", hyperparameters={"rounds": 2})
    lab.sagemaker.delete_algorithm(AlgorithmName="colourless")


def test_an_algorithm_under_validation_cannot_be_deleted_or_used(lab: Lab) -> None:
    lab.put("train/rows.csv", "1\n")
    lab.sagemaker.create_algorithm(
        AlgorithmName="young",
        TrainingSpecification=specification(lab),
        ValidationSpecification=validation(lab, rounds="2"),
    )
    with pytest.raises(ClientError, match="ConflictException"):
        lab.sagemaker.delete_algorithm(AlgorithmName="young")
    with pytest.raises(ClientError, match="cannot be used in status"):
        train(lab, "never", "young", hyperparameters={"rounds": 2})
    [job] = lab.sagemaker.list_training_jobs(NameContains="young-small")["TrainingJobSummaries"]
    lab.sagemaker.stop_training_job(TrainingJobName=job["TrainingJobName"])

    def failed() -> bool:
        return bool(lab.sagemaker.describe_algorithm(AlgorithmName="young")["AlgorithmStatus"] == "Failed")

    eventually(failed, "the algorithm whose validation was stopped has failed")


def test_a_validation_that_the_algorithm_does_not_take_leaves_nothing(lab: Lab) -> None:
    with pytest.raises(ClientError, match="rounds is required by the algorithm impatient"):
        create(lab, "impatient", ValidationSpecification=validation(lab))
    with pytest.raises(ClientError, match="does not exist"):
        lab.sagemaker.describe_algorithm(AlgorithmName="impatient")
