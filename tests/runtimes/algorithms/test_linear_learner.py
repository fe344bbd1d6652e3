"""The Linear Learner, trained and served on real data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.algorithms.linear_learner.metrics import metric_definitions

BINARY = {"predictor_type": "binary_classifier"}


def _job(runtime: Any, root: Path, datasets: Path, name: str) -> Any:
    job = runtime.job(root).channel("train", datasets / f"{name}-train.csv")
    return job.channel("validation", datasets / f"{name}-validation.csv")


def _metrics(log: str) -> dict[str, float]:
    """The last value of every documented metric that its expression finds in ``log``."""
    found = {entry["Name"]: re.findall(entry["Regex"], log) for entry in metric_definitions()}
    return {name: float(values[-1]) for name, values in found.items() if values}


def _features(datasets: Path, name: str, rows: int) -> str:
    lines = (datasets / f"{name}-validation.csv").read_text().splitlines()[:rows]
    return "\n".join(line.partition(",")[2] for line in lines)


def test_binary_classifier(linear_learner: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    job = _job(linear_learner, ml_root, datasets, "breast_cancer")
    job.channel("test", datasets / "breast_cancer-validation.csv")
    log = job.succeed(BINARY)
    metrics = _metrics(log)
    assert metrics["validation:binary_classification_accuracy"] > 0.96
    assert metrics["validation:roc_auc_score"] > 0.98
    assert metrics["test:binary_f_beta"] > 0.96 and metrics["test:precision"] > 0.9 and metrics["test:recall"] > 0.9
    assert metrics["train:progress"] == 100 and metrics["train:throughput"] > 0
    assert metrics["validation:objective_loss:final"] < 0.3
    assert "validation:mse" not in metrics
    artifact = json.loads((ml_root / "model" / "model.json").read_text())
    assert (artifact["format"], artifact["version"], artifact["feature_dim"]) == ("clary-linear-learner", 1, 30)

    server = serve(linear_learner, ml_root).wait()
    answer = server.invoke(_features(datasets, "breast_cancer", 143), accept="application/json").json()
    truth = [int(line[0]) for line in (datasets / "breast_cancer-validation.csv").read_text().splitlines()]
    right = sum(row["predicted_label"] == label for row, label in zip(answer["predictions"], truth, strict=True))
    assert right / len(truth) == pytest.approx(metrics["validation:binary_classification_accuracy"])
    assert all(0 <= row["score"] <= 1 for row in answer["predictions"])


def test_requests_and_answers(linear_learner: Any, ml_root: Path, golden: Path, serve: Any) -> None:
    """The same rows in every documented format give the same scores."""
    rows = [line.split(",") for line in "0,1,2,3,9\n1,5,6,7,8\n2,9,1,1,1\n0,1,2,2,9".splitlines()]
    job = linear_learner.job(ml_root)
    job.channel("train", "\n".join(",".join(row) for row in rows * 10))
    job.succeed({"predictor_type": "multiclass_classifier", "num_classes": "3", "feature_dim": "4"})
    server = serve(linear_learner, ml_root).wait()
    flowers = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5]]
    body = "\n".join(",".join(map(str, row)) for row in flowers)
    expected = server.invoke(body).json()["predictions"]
    assert [len(row["score"]) for row in expected] == [3, 3, 3]
    assert all(row["predicted_label"] == row["score"].index(max(row["score"])) for row in expected)
    dense = {"instances": [{"features": row} for row in flowers]}
    nested = {"instances": [{"data": {"features": {"values": row}}} for row in flowers]}
    sparse = {
        "instances": [
            {"data": {"features": {"keys": [3, 0, 2, 1], "shape": [4], "values": [row[3], row[0], row[2], row[1]]}}}
            for row in flowers
        ]
    }
    for request in (dense, nested, sparse):
        assert server.invoke(json.dumps(request), "application/json").json()["predictions"] == expected
    lines = "\n".join(json.dumps(instance) for instance in dense["instances"])
    answer = server.invoke(lines, "application/jsonlines", "application/jsonlines")
    assert [json.loads(line) for line in answer.body.splitlines()] == expected
    csv = server.invoke(body, accept="text/csv").body.decode().splitlines()
    assert csv == [f'"{row["score"]}",{row["predicted_label"]}' for row in expected]
    for name in ("dense-float64", "unlabelled"):
        answer = server.invoke((golden / f"{name}.recordio").read_bytes(), "application/x-recordio-protobuf")
        assert [row["score"] for row in answer.json()["predictions"]] == [
            pytest.approx(row["score"], abs=1e-5) for row in expected
        ]
    (ml_root / "answer").write_bytes(server.invoke(body, accept="application/x-recordio-protobuf").body)
    code = """
import json, sys
from pathlib import Path
from clary_runtimes.algorithms.data.recordio import read_records
records = read_records(Path(sys.argv[1]).read_bytes())
print(json.dumps([{name: tensor.values.tolist() for name, tensor in record.label.items()} for record in records]))
"""
    found = linear_learner.evaluate(code, str(ml_root / "answer"))
    assert [row["predicted_label"] for row in found] == [[row["predicted_label"]] for row in expected]
    assert [row["score"] for row in found] == [pytest.approx(row["score"], rel=1e-6) for row in expected]


def test_regressor(linear_learner: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    metrics = _metrics(_job(linear_learner, ml_root, datasets, "diabetes").succeed({"predictor_type": "regressor"}))
    # Ordinary least squares leaves 3,180 on these rows; predicting the mean leaves 4,964.
    assert metrics["validation:mse"] < 3300
    assert 40 < metrics["validation:absolute_loss"] < 50
    answer = serve(linear_learner, ml_root).wait().invoke(_features(datasets, "diabetes", 2)).json()
    assert [list(row) for row in answer["predictions"]] == [["score"], ["score"]]
    assert 20 < answer["predictions"][0]["score"] < 350


def test_multiclass_classifier(linear_learner: Any, ml_root: Path, datasets: Path) -> None:
    given = {"predictor_type": "multiclass_classifier", "num_classes": "3", "accuracy_top_k": "2"}
    log = _job(linear_learner, ml_root, datasets, "iris").succeed({**given, "balance_multiclass_weights": "true"})
    metrics = _metrics(log)
    assert metrics["validation:multiclass_accuracy"] > 0.9
    assert metrics["validation:multiclass_top_k_accuracy"] > 0.95
    assert metrics["validation:macro_f_beta"] > 0.9 and metrics["validation:dcg"] > 0.9
    assert "validation multiclass_top_k_accuracy_2 <score>" in log


@pytest.mark.parametrize(
    ("given", "metric", "least"),
    [
        ({"loss": "hinge_loss"}, "validation:binary_classification_accuracy", 0.95),
        ({"optimizer": "sgd"}, "validation:binary_classification_accuracy", 0.95),
        ({"optimizer": "rmsprop", "mini_batch_size": "50"}, "validation:binary_classification_accuracy", 0.95),
        ({"num_models": "1", "learning_rate": "0.1", "wd": "0.01", "l1": "0"}, "validation:binary_f_beta", 0.95),
        ({"positive_example_weight_mult": "balanced"}, "validation:binary_classification_accuracy", 0.95),
        ({"positive_example_weight_mult": "auto"}, "validation:binary_classification_accuracy", 0.95),
        (
            {"binary_classifier_model_selection_criteria": "precision_at_target_recall", "target_recall": "0.99"},
            "validation:recall",
            0.98,
        ),
        (
            {"binary_classifier_model_selection_criteria": "recall_at_target_precision", "target_precision": "0.99"},
            "validation:precision",
            0.98,
        ),
        ({"binary_classifier_model_selection_criteria": "loss_function"}, "validation:roc_auc_score", 0.98),
        ({"binary_classifier_model_selection_criteria": "f_beta", "f_beta": "2"}, "validation:binary_f_beta", 0.95),
        ({"_tuning_objective_metric": "validation:recall"}, "validation:recall", 0.5),
    ],
)
def test_ways_to_train_a_binary_classifier(
    linear_learner: Any, ml_root: Path, datasets: Path, given: dict[str, str], metric: str, least: float
) -> None:
    log = _job(linear_learner, ml_root, datasets, "breast_cancer").succeed({**BINARY, **given})
    assert _metrics(log)[metric] >= least


@pytest.mark.parametrize(
    "loss",
    ["absolute_loss", "huber_loss", "eps_insensitive_squared_loss", "eps_insensitive_absolute_loss", "quantile_loss"],
)
def test_losses_of_a_regressor(linear_learner: Any, ml_root: Path, datasets: Path, loss: str) -> None:
    given = {"predictor_type": "regressor", "loss": loss, "mini_batch_size": "50"}
    metrics = _metrics(_job(linear_learner, ml_root, datasets, "diabetes").succeed(given))
    assert metrics["validation:absolute_loss"] < 48


def test_a_quantile_leaves_its_share_above(linear_learner: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    given = {"predictor_type": "regressor", "loss": "quantile_loss", "quantile": "0.9", "mini_batch_size": "50"}
    _job(linear_learner, ml_root, datasets, "diabetes").succeed({**given, "epochs": "50"})
    answer = serve(linear_learner, ml_root).wait().invoke(_features(datasets, "diabetes", 111)).json()
    truth = [float(line.split(",")[0]) for line in (datasets / "diabetes-validation.csv").read_text().splitlines()]
    above = sum(label > row["score"] for row, label in zip(answer["predictions"], truth, strict=True))
    assert 0.8 < above / len(truth) < 0.97


def test_scaling_is_folded_into_the_model(linear_learner: Any, ml_root: Path, serve: Any) -> None:
    """A column of timestamps and a label far from zero: exact up to the noise of training."""
    rows = [(3_000_000 + 500.0 * n, 1_700_000_000 + n) for n in range(400)]
    job = linear_learner.job(ml_root).channel("train", "\n".join(f"{label},{value}" for label, value in rows))
    job.succeed({"predictor_type": "regressor", "epochs": "60", "mini_batch_size": "50"})
    answer = serve(linear_learner, ml_root).wait().invoke(f"{1_700_000_000 + 200}").json()
    assert answer["predictions"][0]["score"] == pytest.approx(3_100_000, abs=4_000)


def test_recordio_channel_of_the_sdk(linear_learner: Any, ml_root: Path, golden: Path) -> None:
    job = linear_learner.job(ml_root)
    job.channel("train", golden / "dense-float32.recordio", "application/x-recordio-protobuf")
    job.channels["train"].pop("ContentType")  # RecordIO is what the algorithm expects where nothing is said
    job.succeed({"predictor_type": "multiclass_classifier", "num_classes": "3"})


@pytest.mark.parametrize(
    ("given", "train", "reason"),
    [
        ({}, "1,2\n0,3\n", "'predictor_type' is a required property"),
        (BINARY, "1,2\n0,abc\n", "train.data, row 2, column 2: could not convert string to float: 'abc'"),
        (BINARY, "1,2,3\n0,1\n", "train.data, row 2: it has 2 columns where the first row has 3"),
        (BINARY, "1,2\n0,\n", "train.data, row 2, column 2: the value is missing or not a finite number"),
        (BINARY, "1,2\n,3\n", "train.data, row 2: the label is missing or not a finite number"),
        (BINARY, "1,2\n1,3\n", "Channel 'train' has only label 1; a classifier needs rows of at least two classes"),
        (BINARY, "1,2\n2,3\n", "row 2 has label 2; the labels of a binary_classifier must be 0 or 1"),
        (
            {"predictor_type": "multiclass_classifier", "num_classes": "3"},
            "0,2\n3,3\n",
            "row 2 has label 3; the labels of a multiclass_classifier must be integers from 0 to num_classes - 1 (2)",
        ),
        (BINARY, "", "No data in channel 'train'"),
        ({**BINARY, "feature_dim": "7"}, "1,2\n0,3\n", "has 1 features where hyperparameter feature_dim is 7"),
    ],
)
def test_bad_input_is_named(linear_learner: Any, ml_root: Path, given: dict[str, str], train: str, reason: str) -> None:
    done = linear_learner.job(ml_root).channel("train", train).train(given)
    assert done.status == 2, done.log
    assert done.failure.startswith("ClientError: ") and reason in done.failure


def test_unreadable_channels_are_named(linear_learner: Any, ml_root: Path) -> None:
    done = (
        linear_learner.job(ml_root / "a")
        .channel("train", "1,2\n0,3\n", "application/x-recordio-protobuf")
        .train(BINARY)
    )
    assert done.failure == (
        "ClientError: Unable to read data channel 'train'. "
        "Requested content-type is 'application/x-recordio-protobuf'. "
        "Please verify the data matches the requested content-type. "
        "(train.data: Invalid RecordIO magic number at byte 0)"
    )
    done = linear_learner.job(ml_root / "b").channel("train", "1,2\n", "text/libsvm").train(BINARY)
    assert "Content type text/libsvm is not supported for channel 'train'" in done.failure


def test_refused_requests(linear_learner: Any, ml_root: Path, serve: Any) -> None:
    job = linear_learner.job(ml_root).channel("train", "1,2,5\n0,3,1\n" * 20)
    job.succeed(BINARY)
    server = serve(linear_learner, ml_root).wait()
    cases = [
        ("1,2", "application/pdf", None, 415, "Content-type application/pdf is not supported"),
        ("1,2", "text/csv", "image/png", 406, "Accept type image/png is not supported"),
        ("1,x", "text/csv", None, 400, "row 1, column 2: could not convert string to float: 'x'"),
        ("1,", "text/csv", None, 400, "row 1, feature 2 is missing or not a finite number"),
        ("1,2,3", "text/csv", None, 400, "a row has 3 features where the model has 2"),
        ("", "text/csv", None, 400, "there is no row"),
        ("{", "application/json", None, 400, "Unable to decode payload as application/json"),
        ('{"rows": []}', "application/json", None, 400, "Unable to decode payload as application/json"),
        ('{"instances": [{"features": [1]}]}', "application/json", None, 400, "a row has 1 features"),
        ('{"instances": [{"data": 1}]}', "application/json", None, 400, "Unable to decode payload"),
        ("abc", "application/x-recordio-protobuf", None, 400, "Truncated RecordIO header"),
    ]
    for body, content_type, accept, status, message in cases:
        answer = server.invoke(body, content_type, accept)
        assert (answer.status, message in answer.body.decode()) == (status, True), (body, answer)
    assert server.ping() == 200
