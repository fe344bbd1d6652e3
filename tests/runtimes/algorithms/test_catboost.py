"""CatBoost as a built-in algorithm, trained and served on real data."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from boosted_trees import held_out, real_job

from clary_runtimes.algorithms.catboost.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.catboost.metrics import direction, metric_definitions

pytestmark = pytest.mark.slow("runtimes")

QUICK = {"iterations": "100", "learning_rate": "0.1", "early_stopping_rounds": "20"}


@pytest.fixture(scope="module")
def catboost(runtime_of: Any) -> Any:
    return runtime_of("catboost", "catboost")


def _metrics(log: str) -> dict[str, float]:
    found = {entry["Name"]: re.findall(entry["Regex"], log) for entry in metric_definitions()}
    return {name: float(values[-1]) for name, values in found.items() if values}


def test_two_classes(catboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    log = real_job(catboost, ml_root, datasets, "breast_cancer").succeed(QUICK)
    assert _metrics(log).keys() == {"AUC"} and _metrics(log)["AUC"] > 0.98
    documented = re.findall(r"bestTest = ([0-9\.]+)", log)
    assert all(float(value) == pytest.approx(_metrics(log)["AUC"], abs=1e-5) for value in documented) and documented
    body, truth = held_out(datasets, "breast_cancer")
    found = serve(catboost, ml_root).wait().invoke(body, accept="application/json;verbose").json()
    assert found["labels"] == [0, 1]
    assert sum(a == b for a, b in zip(found["predicted_label"], truth, strict=True)) / len(truth) > 0.93
    loaded = catboost.evaluate(
        "import json, sys, catboost; model = catboost.CatBoostClassifier(); model.load_model(sys.argv[1]);"
        "rows = [[float(cell) for cell in line.split(',')] for line in sys.argv[2].splitlines()];"
        "print(json.dumps(model.predict_proba(rows)[:, 1].tolist()))",
        str(ml_root / "model" / "model"),
        body,
    )
    assert loaded == pytest.approx(found["probabilities"])


def test_a_regression(catboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    log = real_job(catboost, ml_root, datasets, "diabetes").succeed(QUICK)
    assert "Task: regression" in log and _metrics(log)["RMSE"] < 60
    body, truth = held_out(datasets, "diabetes")
    answer = serve(catboost, ml_root).wait().invoke(body).json()
    error = sum((a - b) ** 2 for a, b in zip(answer["prediction"], truth, strict=True)) / len(truth)
    assert math.sqrt(error) == pytest.approx(_metrics(log)["RMSE"], rel=1e-4)


def test_several_classes(catboost: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    log = real_job(catboost, ml_root, datasets, "iris").succeed({**QUICK, "eval_metric": "Accuracy"})
    assert _metrics(log)["Accuracy"] > 0.9
    body, truth = held_out(datasets, "iris")
    found = serve(catboost, ml_root).wait().invoke(body, accept="application/json;verbose").json()
    assert found["labels"] == [0, 1, 2] and all(sum(row) == pytest.approx(1) for row in found["probabilities"])
    assert sum(a == b for a, b in zip(found["predicted_label"], truth, strict=True)) / len(truth) > 0.9


def test_categories_and_missing_values(catboost: Any, ml_root: Path, serve: Any) -> None:
    odd = {3, 17, 40, 41, 77}
    rows = [f"{int(n % 90 in odd)},{n % 90},{'' if n % 7 == 0 else n % 11}\n" for n in range(1800)]
    job = catboost.job(ml_root).channel("train", "".join(rows), file="data.csv")
    (ml_root / "input" / "data" / "train" / "categorical_index.json").write_text('{"cat_index_list": [1]}')
    log = job.succeed({**QUICK, "eval_metric": "F1"})  # a fifth of the rows is for validation
    assert _metrics(log)["F1"] > 0.95
    server = serve(catboost, ml_root).wait()
    scores = server.invoke("3,\n4,1\n77,5\n,5\n").json()["probabilities"]
    assert scores[0] > 0.5 and scores[1] < 0.5 and scores[2] > 0.5
    assert server.invoke("3.5,1\n").status == 400


def test_policies_of_growing(catboost: Any, ml_root: Path, datasets: Path) -> None:
    for number, given in enumerate(
        (
            {"grow_policy": "Lossguide", "max_leaves": "8", "min_data_in_leaf": "5"},
            {"boosting_type": "Ordered", "bagging_temperature": "0.5", "max_bin": "32"},
            {"eval_metric": "Logloss", "scale_pos_weight": "3", "sampling_frequency": "PerTree"},
        )
    ):
        log = real_job(catboost, ml_root / str(number), datasets, "breast_cancer").succeed({**QUICK, **given})
        assert _metrics(log)


def test_hyperparameters() -> None:
    given = SPECIFICATION.parse({"max_bin": "Auto", "random_seed": "1.0"})
    assert (given["iterations"], given["learning_rate"], given["early_stopping_rounds"]) == (500, 0.009, 5)
    assert given["max_bin"] == "Auto"
    assert SPECIFICATION.validate({"max_bin": "70000"}) == [
        "Hyperparameter max_bin: '70000' is not valid, it must be an integer in [1, 65535] or 'Auto'"
    ]
    assert SPECIFICATION.validate({"thread_count": "0"}) and SPECIFICATION.validate({"min_data_in_leaf": "3"})
    assert [direction(name) for name in ("AUC", "RMSE", "R2")] == ["Maximize", "Minimize", "Maximize"]
