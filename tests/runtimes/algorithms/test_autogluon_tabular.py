"""AutoGluon-Tabular as a built-in algorithm, trained and served on real data. Its jobs take half a minute each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.algorithms.autogluon_tabular.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.autogluon_tabular.metrics import direction, metric_definitions

pytestmark = pytest.mark.slow("runtimes")


@pytest.fixture(scope="module")
def autogluon(runtime_of: Any) -> Any:
    return runtime_of("autogluon-tabular", "autogluon-tabular")


def _metrics(log: str) -> dict[str, float]:
    found = {entry["Name"]: re.findall(entry["Regex"], log) for entry in metric_definitions()}
    return {name: float(values[-1]) for name, values in found.items() if values}


def test_a_regression_in_sub_folders(autogluon: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    folder = ml_root / "input" / "data" / "training"
    for part in ("train", "validation"):
        (folder / part).mkdir(parents=True)
        (folder / part / "data.csv").write_text((datasets / f"diabetes-{part}.csv").read_text())
    job = autogluon.job(ml_root)
    job.channels["training"] = {"ContentType": "text/csv", "TrainingInputMode": "File"}
    log = job.succeed({"save_space": "True"})
    metrics = _metrics(log)
    assert metrics["root_mean_squared_error"] < 58 and metrics["r2"] > 0.3
    lines = (datasets / "diabetes-validation.csv").read_text().splitlines()
    body = "\n".join(line.partition(",")[2] for line in lines)
    answer = serve(autogluon, ml_root).wait().invoke(body).json()
    errors = [a - float(line.partition(",")[0]) for a, line in zip(answer["prediction"], lines, strict=True)]
    assert sum(error**2 for error in errors) / len(errors) == pytest.approx(metrics["mean_squared_error"], rel=1e-3)


def test_categories_without_validation_data(autogluon: Any, ml_root: Path, serve: Any) -> None:
    odd = {3, 17, 40, 41, 77}
    rows = [f"{int(n % 90 in odd)},{n % 90},{'' if n % 7 == 0 else n % 11}\n" for n in range(900)]
    job = autogluon.job(ml_root).channel("train", "".join(rows), file="data.csv")
    (ml_root / "input" / "data" / "train" / "categorical_index.json").write_text('{"cat_index_list": [1]}')
    log = job.succeed({"eval_metric": "f1"})
    assert _metrics(log).keys() == {"f1"} and _metrics(log)["f1"] > 0.9
    server = serve(autogluon, ml_root).wait()
    found = server.invoke("3,\n4,1\n77,5\n", accept="application/json;verbose").json()
    assert found["labels"] == [0, 1] and found["predicted_label"] == [1, 0, 1]
    assert all(len(row) == 2 and sum(row) == pytest.approx(1) for row in found["probabilities"])


def test_hyperparameters() -> None:
    given = SPECIFICATION.parse({})
    assert (given["presets"], given["num_bag_folds"], given["auto_stack"]) == ("medium_quality", 0, False)
    assert SPECIFICATION.validate({"num_bag_folds": "1"}) == [
        "Hyperparameter num_bag_folds: '1' is not valid, it must be 0 (no bagging) or from 2 to 10"
    ]
    assert SPECIFICATION.validate({"num_stack_levels": "1", "num_bag_folds": "5"}) == []
    assert SPECIFICATION.validate({"num_stack_levels": "1", "presets": "best_quality"}) == []
    assert [direction(name) for name in ("roc_auc", "root_mean_squared_error")] == ["Maximize", "Minimize"]
