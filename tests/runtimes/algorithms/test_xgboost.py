"""The built-in XGBoost algorithm, trained and served on real data."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.algorithms.xgboost.metrics import metric_definitions

BINARY = {"num_round": "30", "objective": "binary:logistic", "eval_metric": "logloss,auc,accuracy", "eta": "0.2"}


def _job(runtime: Any, root: Path, datasets: Path, name: str) -> Any:
    job = runtime.job(root)
    job.channel("train", datasets / f"{name}-train.csv")
    return job.channel("validation", datasets / f"{name}-validation.csv")


def _last(log: str, metric: str) -> float:
    """The last value of a metric that its documented expression finds in ``log``."""
    expression = {entry["Name"]: entry["Regex"] for entry in metric_definitions()}[metric]
    return float(re.findall(expression, log)[-1])


def _features(datasets: Path, name: str, rows: int) -> str:
    lines = (datasets / f"{name}-validation.csv").read_text().splitlines()[:rows]
    return "\n".join(line.partition(",")[2] for line in lines)


def _train_and_serve(runtime: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    log = _job(runtime, ml_root, datasets, "breast_cancer").succeed(BINARY)
    assert re.search(r"^\[0\]#011train-logloss:0\.\d+#011train-auc:", log, re.M)
    assert _last(log, "validation:auc") > 0.97
    assert _last(log, "validation:accuracy") > 0.93
    server = serve(runtime, ml_root).wait()
    lines = server.invoke(_features(datasets, "breast_cancer", 143))
    assert (lines.status, lines.content_type) == (200, "text/csv")
    truth = [float(line[0]) for line in (datasets / "breast_cancer-validation.csv").read_text().splitlines()]
    predicted = [float(line) for line in lines.body.decode().splitlines()]
    right = sum((score > 0.5) == (label > 0.5) for score, label in zip(predicted, truth, strict=True))
    assert right / len(truth) == pytest.approx(_last(log, "validation:accuracy"), abs=1e-5)


def test_train_and_serve(xgboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    _train_and_serve(xgboost, ml_root, datasets, serve)


@pytest.mark.slow("runtimes")
def test_train_and_serve_with_the_old_release(old_xgboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    _train_and_serve(old_xgboost, ml_root, datasets, serve)


def test_answers_and_refusals(xgboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    _job(xgboost, ml_root, datasets, "breast_cancer").succeed(BINARY)
    server = serve(xgboost, ml_root).wait()
    body = _features(datasets, "breast_cancer", 2)
    scores = [float(line) for line in server.invoke(body).body.split()]
    assert server.invoke(body, accept="application/json").json() == {"predictions": [{"score": s} for s in scores]}
    lines = server.invoke(body, accept="application/jsonlines").body.splitlines()
    assert [json.loads(line) for line in lines] == [{"score": score} for score in scores]
    assert server.invoke(body, accept="application/x-recordio-protobuf").body[:4] == b"\x0a\x23\xd7\xce"
    libsvm = "\n".join(
        " ".join(f"{index}:{value}" for index, value in enumerate(line.split(","))) for line in body.splitlines()
    )
    assert [float(line) for line in server.invoke(libsvm, "text/libsvm").body.split()] == pytest.approx(
        scores, rel=1e-5
    )
    assert server.invoke(body, "text/csv; charset=utf-8").status == 200
    large = server.invoke("\n".join([_features(datasets, "breast_cancer", 143)] * 20))
    assert len(large.body.splitlines()) == 143 * 20

    def refusal(*given: Any, **more: Any) -> tuple[int, str]:
        answer = server.invoke(*given, **more)
        return answer.status, answer.body.decode()

    assert refusal("1,2,3", "application/pdf")[0] == 415
    assert refusal("1,2,3", "application/pdf")[1].startswith(
        "application/pdf is not an accepted ContentType: csv, libsvm"
    )
    assert refusal("1,x,3") == (
        415,
        "Loading csv data failed with Exception, please ensure data is in csv format:\n <class 'ValueError'>\n "
        "row 1, column 2: could not convert string to float: 'x'",
    )
    assert refusal("1,2,3") == (
        400,
        "Unable to evaluate payload provided: "
        "Feature size of csv inference data 3 is not consistent with feature size of trained model 30.",
    )
    assert refusal(body, accept="image/png")[0] == 406
    assert refusal("")[0] == 204
    assert server.request("GET", "/nowhere").status == 404
    assert server.request("GET", "/invocations").status == 405
    assert server.request("GET", "/execution-parameters").json()["BatchStrategy"] == "MULTI_RECORD"


def test_several_classes_and_selected_output(xgboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    given = {"num_round": "10", "objective": "multi:softprob", "num_class": "3"}
    log = _job(xgboost, ml_root, datasets, "iris").succeed(given)
    assert _last(log, "validation:mlogloss") < 0.4
    body = _features(datasets, "iris", 2)
    plain = serve(xgboost, ml_root).wait().invoke(body)
    rows = [[float(cell) for cell in line.split(",")] for line in plain.body.decode().splitlines()]
    assert [len(row) for row in rows] == [3, 3] and sum(rows[0]) == pytest.approx(1, abs=1e-5)
    selected = serve(xgboost, ml_root, SAGEMAKER_INFERENCE_OUTPUT="predicted_label, probability,labels,predicted_score")
    found = selected.wait().invoke(body, accept="application/json").json()["predictions"][0]
    assert found["predicted_label"] == rows[0].index(max(rows[0])) and found["probability"] == max(rows[0])
    assert found["labels"] == [0, 1, 2] and found["predicted_score"] != found["predicted_score"]
    batch = serve(xgboost, ml_root, SAGEMAKER_BATCH="true").wait().invoke(body)
    assert json.loads(batch.body.splitlines()[0]) == rows[0]


def test_regression_stops_early_and_keeps_the_best(xgboost: Any, ml_root: Path, datasets: Path) -> None:
    given = {"num_round": "500", "early_stopping_rounds": "5", "eta": "0.3", "eval_metric": "rmse,r2"}
    log = _job(xgboost, ml_root, datasets, "diabetes").succeed(given)
    rounds = re.findall(r"^\[(\d+)\]#011", log, re.M)
    assert 5 < len(rounds) < 100
    saved = xgboost.evaluate(
        "import json, sys, xgboost; model = xgboost.Booster(model_file=sys.argv[1]); print(model.num_boosted_rounds())",
        str(ml_root / "model" / "xgboost-model"),
    )
    assert saved == len(rounds) - 5


def test_sparse_weighted_and_recordio_channels(xgboost: Any, ml_root: Path, datasets: Path, golden: Path) -> None:
    rows = [line.split(",") for line in (datasets / "breast_cancer-train.csv").read_text().splitlines()]
    libsvm = "\n".join(
        f"{row[0]} " + " ".join(f"{index}:{value}" for index, value in enumerate(row[1:])) for row in rows
    )
    log = xgboost.job(ml_root / "a").channel("train", libsvm, "text/x-libsvm").succeed(BINARY)
    dense = xgboost.job(ml_root / "b").channel("train", datasets / "breast_cancer-train.csv").succeed(BINARY)
    assert _last(log, "train:logloss") == pytest.approx(_last(dense, "train:logloss"), abs=1e-3)
    weighted = "\n".join(",".join([row[0], "2" if row[0] == "1" else "1", *row[1:]]) for row in rows)
    log = xgboost.job(ml_root / "c").channel("train", weighted, "csv").succeed({**BINARY, "csv_weights": "1"})
    assert "30 columns" in log and _last(log, "train:logloss") != _last(dense, "train:logloss")
    job = xgboost.job(ml_root / "d").channel(
        "train", golden / "dense-float32.recordio", "application/x-recordio-protobuf"
    )
    assert "3 rows and 4 columns" in job.succeed({"num_round": "1"})


def test_cross_validation(xgboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    job = _job(xgboost, ml_root, datasets, "iris")
    job.succeed({"num_round": "5", "objective": "multi:softprob", "num_class": "3", "_kfold": "3"})
    assert sorted(file.name for file in (ml_root / "model").iterdir()) == [f"xgboost-model-{n}" for n in range(3)]
    assert len((ml_root / "output" / "data" / "predictions.csv").read_text().splitlines()) == 150
    answer = serve(xgboost, ml_root).wait().invoke(_features(datasets, "iris", 1))
    assert sum(map(float, answer.body.decode().split(","))) == pytest.approx(1, abs=1e-5)


def test_checkpoints_are_continued(xgboost: Any, ml_root: Path, datasets: Path) -> None:
    job = _job(xgboost, ml_root, datasets, "diabetes")
    config = ml_root / "input" / "config"
    config.mkdir(parents=True)
    (config / "checkpointconfig.json").write_text('{"LocalPath": "/opt/ml/checkpoints"}')
    job.succeed({"num_round": "4"})
    assert (ml_root / "checkpoints" / "xgboost-checkpoint.3").is_file()
    log = job.succeed({"num_round": "6"})
    assert "Resuming from iteration 4" in log
    assert re.findall(r"^\[(\d+)\]", log, re.M) == ["4", "5"]


def test_a_stopped_job_keeps_its_model(xgboost: Any, ml_root: Path, datasets: Path) -> None:
    job = _job(xgboost, ml_root, datasets, "breast_cancer")
    process = job.start({**BINARY, "num_round": "1000000", "save_model_on_termination": "true"})
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("[3]"):
            break
    process.send_signal(signal.SIGTERM)
    done = job.finish(process)
    assert (done.status, done.failure) == (0, "")
    assert (ml_root / "model" / "xgboost-model").stat().st_size > 0


@pytest.mark.parametrize(
    ("given", "train", "reason"),
    [
        ({}, "1,2\n0,3\n", "Missing required hyperparameter: num_round"),
        ({"num_round": "0"}, "1,2\n0,3\n", "Hyperparameter num_round: 0 is not in [1, +inf)"),
        (
            {"num_round": "1"},
            "1,2\n0,abc\n",
            "Failed to load csv data with exception:\n"
            "train.data, row 2, column 2: could not convert string to float: 'abc'",
        ),
        (
            {"num_round": "1"},
            "1,2,3\n0,1\n",
            "Failed to load csv data with exception:\ntrain.data, row 2: it has 2 columns where the first row has 3",
        ),
        ({"num_round": "1"}, "", "No data in channel 'train'"),
        (
            {"num_round": "1"},
            "nan,2\n1,3\n",
            "Failed to load csv data with exception:\ntrain.data, row 1: the label is missing or not a finite number",
        ),
        (
            {"num_round": "1", "objective": "binary:logistic"},
            "1,2\n5,3\n",
            "label must be in [0,1] for logistic regression",
        ),
        ({"num_round": "1"}, "1\n2\n", "Failed to load csv data with exception:\ntrain.data: it has 1 columns"),
    ],
)
def test_bad_input_is_named(xgboost: Any, ml_root: Path, given: dict[str, str], train: str, reason: str) -> None:
    done = xgboost.job(ml_root).channel("train", train).train(given)
    assert done.status == 2, done.log
    assert reason in done.failure
    assert done.failure.startswith("ClientError: ")
    assert f"Customer Error: {done.failure.removeprefix('ClientError: ')}" in done.log


def test_bad_channels_are_named(xgboost: Any, ml_root: Path, datasets: Path) -> None:
    done = xgboost.job(ml_root / "a").train({"num_round": "1"})
    assert done.failure == "ClientError: Missing required channel: train"
    done = xgboost.job(ml_root / "b").channel("train", "1,2\n", "text/xml").train({"num_round": "1"})
    assert done.failure.startswith("ClientError: text/xml is not an accepted ContentType: csv, libsvm, parquet")
    done = xgboost.job(ml_root / "c").channel("train", "1,2\n", "text/csv; label_size=2").train({"num_round": "1"})
    assert done.failure.endswith("Optional parameter label_size must be equal to 1")
    job = xgboost.job(ml_root / "d").channel("train", datasets / "iris-train.csv")
    done = job.channel("validation", datasets / "breast_cancer-train.csv").train({"num_round": "1"})
    assert done.failure == "ClientError: The validation channel has 30 features where the train channel has 4"


def test_missing_values_are_learned_from(xgboost: Any, ml_root: Path, serve: Any) -> None:
    rows = "\n".join(f"{n % 2},{'' if n % 2 else n},{'nan' if n % 3 else n}" for n in range(60))
    job = xgboost.job(ml_root).channel("train", rows)
    log = job.succeed(
        {"num_round": "5", "objective": "binary:logistic", "eval_metric": "accuracy", "min_child_weight": "0"}
    )
    assert _last(log, "train:accuracy") == 1.0
    scores = serve(xgboost, ml_root).wait().invoke(",1\n4,\n").body.decode().split()
    assert float(scores[0]) > 0.5 > float(scores[1])


def test_a_server_without_a_model_ends(xgboost: Any, ml_root: Path, serve: Any) -> None:
    (ml_root / "model").mkdir(parents=True)
    server = serve(xgboost, ml_root)
    assert server.process.wait(60) == 1
    assert "No model file" in server.log.read_text()
