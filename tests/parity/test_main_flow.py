"""The main job with plain boto3: prepare data, train XGBoost, deploy, predict, update, clean up."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from parity_lab import BUCKET, SKLEARN, XGBOOST, Lab, channel, eventually, labelled_rows, labels, without_label

PREPARE = """
import pathlib, sys
import sklearn
rows = pathlib.Path("/opt/ml/processing/input/raw/rows.csv").read_text().splitlines()
split = int(len(rows) * float(sys.argv[1]))
for name, part in (("train", rows[:split]), ("validation", rows[split:])):
    folder = pathlib.Path("/opt/ml/processing/output") / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text("\\n".join(part))
print("split", len(rows), "rows with scikit-learn", sklearn.__version__)
"""


def test_from_raw_rows_to_predictions_and_back_to_nothing(lab: Lab) -> None:
    rows, held_out = labelled_rows(500), labelled_rows(60, seed=1)
    lab.put("raw/rows.csv", "\n".join(rows))
    lab.put("code/prepare.py", PREPARE)

    # Prepare: a script in the scikit-learn image splits the rows.
    def given(name: str, key: str) -> dict[str, object]:
        place = {"S3Uri": f"s3://{BUCKET}/{key}", "LocalPath": f"/opt/ml/processing/input/{name}"}
        return {"InputName": name, "S3Input": {**place, "S3DataType": "S3Prefix", "S3InputMode": "File"}}

    def made(name: str) -> dict[str, object]:
        place = {"S3Uri": f"s3://{BUCKET}/prepared/{name}", "LocalPath": f"/opt/ml/processing/output/{name}"}
        return {"OutputName": name, "S3Output": {**place, "S3UploadMode": "EndOfJob"}}

    processing = lab.process(
        "prepare",
        AppSpecification={
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/prepare.py"],
            "ContainerArguments": ["0.8"],
        },
        ProcessingInputs=[given("raw", "raw/"), given("code", "code/prepare.py")],
        ProcessingOutputConfig={"Outputs": [made("train"), made("validation")]},
    )
    assert processing["ProcessingJobStatus"] == "Completed", processing
    assert processing["ProcessingJobArn"].endswith(":processing-job/prepare")
    assert processing["CreationTime"] <= processing["ProcessingStartTime"] <= processing["ProcessingEndTime"]
    assert "split 500 rows with scikit-learn 1.2.1" in lab.log_of("prepare", "/aws/sagemaker/ProcessingJobs")
    assert lab.get(f"s3://{BUCKET}/prepared/train/rows.csv").decode().splitlines() == rows[:400]

    # Train: the built-in XGBoost on what the processing job made.
    lab.start(
        "train-1",
        hyperparameters={"objective": "binary:logistic", "num_round": 30, "eval_metric": "auc"},
        InputDataConfig=[channel(name, f"s3://{BUCKET}/prepared/{name}/") for name in ("train", "validation")],
    )
    lab.sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="train-1", WaiterConfig={"Delay": 0.2, "MaxAttempts": 1000}
    )
    job = lab.completed("train-1")
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == f"s3://{BUCKET}/output/train-1/output/model.tar.gz"
    assert "xgboost-model" in lab.archive(job["ModelArtifacts"]["S3ModelArtifacts"])
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:auc"] > 0.95

    # Deploy, and predict what the model has not seen.
    endpoint = lab.deploy("flow", job["ModelArtifacts"]["S3ModelArtifacts"])
    lab.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="flow")
    [variant] = endpoint["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("AllTraffic", 1)
    answer = lab.runtime.invoke_endpoint(
        EndpointName="flow", ContentType="text/csv", Accept="text/csv", Body=without_label(held_out)
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"].startswith("text/csv")
    scores = [float(score) for score in answer["Body"].read().decode().replace(",", "\n").split()]
    hits = sum((score > 0.5) == bool(label) for score, label in zip(scores, labels(held_out), strict=True))
    assert hits >= 54

    # Update: a second model takes the first one's place under load, and no request is refused meanwhile.
    lab.start(
        "train-2",
        hyperparameters={"objective": "binary:logistic", "num_round": 1},
        channels={"train": f"s3://{BUCKET}/prepared/train/"},
    )
    second = lab.completed("train-2")["ModelArtifacts"]["S3ModelArtifacts"]
    lab.model("flow-2", second)
    lab.endpoint_config("flow-2", "flow-2")
    body = without_label(held_out[:3])
    before = lab.invoke("flow", body)
    lab.sagemaker.update_endpoint(EndpointName="flow", EndpointConfigName="flow-2")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        lab.sagemaker.update_endpoint(EndpointName="flow", EndpointConfigName="flow")
    eventually(lambda: lab.invoke("flow", body) != before, "the second model answers")
    updated = lab.endpoint_settled("flow")
    assert (updated["EndpointStatus"], updated["EndpointConfigName"]) == ("InService", "flow-2")
    assert updated["LastModifiedTime"] > endpoint["CreationTime"]

    # Clean up: nothing answers any more.
    lab.sagemaker.delete_endpoint(EndpointName="flow")
    lab.sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="flow", WaiterConfig={"Delay": 0.1, "MaxAttempts": 300}
    )
    with pytest.raises(ClientError, match="Endpoint flow of account 123456789012 not found") as refusal:
        lab.invoke("flow", body)
    assert refusal.value.response["Error"]["Code"] == "ValidationError"
    for name in ("flow", "flow-2"):
        lab.sagemaker.delete_endpoint_config(EndpointConfigName=name)
        lab.sagemaker.delete_model(ModelName=name)
    with pytest.raises(ClientError, match="Could not find model"):
        lab.sagemaker.describe_model(ModelName="flow")


@pytest.mark.parametrize("image", [XGBOOST, SKLEARN])
def test_describe_gives_back_what_create_was_given(lab: Lab, image: str) -> None:
    lab.put("train/rows.csv", "\n".join(labelled_rows(20)))
    hyperparameters = {"num_round": 1} if image == XGBOOST else {}
    channels = {"train": f"s3://{BUCKET}/train/"}
    request = lab.training("as-given", image, hyperparameters=hyperparameters, channels=channels)
    request["Environment"] = {"MODE": "test"}
    tags = [{"Key": "team", "Value": "ml"}]
    created = lab.sagemaker.create_training_job(**request, Tags=tags)
    described = lab.sagemaker.describe_training_job(TrainingJobName="as-given")
    assert described["TrainingJobArn"] == created["TrainingJobArn"]
    for name, given in request.items():
        got = described[name]
        # Describe adds what a client left open.
        assert ({key: got[key] for key in given} if isinstance(given, dict) else got) == given
    assert described["EnableNetworkIsolation"] is False
    assert ("MetricDefinitions" in described["AlgorithmSpecification"]) == (image == XGBOOST)
    metadata = described["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == metadata["RequestId"]
    assert lab.sagemaker.list_tags(ResourceArn=created["TrainingJobArn"])["Tags"] == tags
