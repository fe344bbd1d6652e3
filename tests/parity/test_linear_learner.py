"""The built-in Linear Learner: train, look at its metrics, deploy, predict in its formats."""

from __future__ import annotations

import json

import pytest
from parity_lab import BUCKET, LINEAR_LEARNER, Lab, labelled_rows, labels, without_label


@pytest.mark.slow("training")
def test_a_binary_classifier_learns_and_answers_in_json_and_csv(lab: Lab) -> None:
    rows, held_out = labelled_rows(400), labelled_rows(40, seed=1)
    lab.put("train/rows.csv", "\n".join(rows[:300]))
    lab.put("validation/rows.csv", "\n".join(rows[300:]))
    lab.start(
        "linear",
        LINEAR_LEARNER,
        hyperparameters={"predictor_type": "binary_classifier", "mini_batch_size": 50, "epochs": 8, "num_models": 4},
        channels={name: f"s3://{BUCKET}/{name}/" for name in ("train", "validation")},
    )
    job = lab.completed("linear")
    metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert metrics["validation:binary_classification_accuracy"] > 0.9
    assert "train:objective_loss" in metrics

    lab.deploy("linear", job["ModelArtifacts"]["S3ModelArtifacts"], LINEAR_LEARNER)
    answer = json.loads(lab.invoke("linear", without_label(held_out)))
    assert set(answer["predictions"][0]) == {"score", "predicted_label"}
    found = [int(prediction["predicted_label"]) for prediction in answer["predictions"]]
    assert sum(a == b for a, b in zip(found, labels(held_out), strict=True)) >= 36

    features = [float(value) for value in held_out[0].split(",")[1:]]
    same = json.loads(lab.invoke("linear", json.dumps({"instances": [{"features": features}]}), "application/json"))
    assert same["predictions"][0]["score"] == pytest.approx(answer["predictions"][0]["score"], abs=1e-6)
    line = lab.invoke("linear", without_label(held_out[:2]), Accept="application/jsonlines").decode().splitlines()
    assert [json.loads(each)["predicted_label"] for each in line] == found[:2]


@pytest.mark.slow("training")
def test_a_regressor_learns_a_line(lab: Lab) -> None:
    lab.put("train/rows.csv", "\n".join(f"{3 * x + 1},{x}" for x in [i / 100 for i in range(500)]))
    lab.start(
        "line",
        LINEAR_LEARNER,
        hyperparameters={"predictor_type": "regressor", "mini_batch_size": 50, "epochs": 10, "feature_dim": 1},
        channels={"train": f"s3://{BUCKET}/train/"},
    )
    job = lab.completed("line")
    lab.deploy("line", job["ModelArtifacts"]["S3ModelArtifacts"], LINEAR_LEARNER)
    [prediction] = json.loads(lab.invoke("line", "2.0"))["predictions"]
    assert prediction["score"] == pytest.approx(7, abs=0.5)
