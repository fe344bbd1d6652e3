"""LightGBM as a built-in algorithm, trained and served on real data."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from boosted_trees import ROWS, held_out, real_job

from clary_runtimes.algorithms.lightgbm.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.lightgbm.metrics import direction, metric_definitions

pytestmark = pytest.mark.slow("runtimes")


@pytest.fixture(scope="module")
def lightgbm(runtime_of: Any) -> Any:
    return runtime_of("lightgbm", "lightgbm")


def _csv(rows: list[list[Any]]) -> str:
    return "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def _last(log: str, metric: str) -> float:
    expression = {entry["Name"]: entry["Regex"] for entry in metric_definitions()}[metric]
    return float(re.findall(expression, log)[-1])


def test_two_classes(lightgbm: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    log = real_job(lightgbm, ml_root, datasets, "breast_cancer").succeed({"metric": "auc"})
    assert "classification with 2 classes" in log
    assert _last(log, "auc") > 0.98
    *rounds, best = [int(number) for number in re.findall(r"^\[(\d+)\]\tvalidation's auc", log, re.M)]
    assert rounds[-1] == best + 10  # early_stopping_rounds
    server = serve(lightgbm, ml_root).wait()
    body, truth = held_out(datasets, "breast_cancer")
    found = server.invoke(body, accept="application/json;verbose").json()
    assert found["labels"] == [0, 1]
    assert sum(label == real for label, real in zip(found["predicted_label"], truth, strict=True)) / len(truth) > 0.95
    documented = lightgbm.evaluate(
        "import io, json, joblib, pandas, sys; rows = pandas.read_csv(io.StringIO(sys.argv[2]), header=None);"
        "rows.columns = [f'feature_{n}' for n in rows];"
        "print(json.dumps(joblib.load(sys.argv[1]).predict(rows).tolist()))",
        str(ml_root / "model" / "model.pkl"),
        body,
    )
    assert documented == pytest.approx(found["probabilities"])


def test_a_regression(lightgbm: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    log = real_job(lightgbm, ml_root, datasets, "diabetes").succeed({"learning_rate": "0.05", "max_depth": "3"})
    assert "Task: regression" in log and _last(log, "rmse") < 60
    body, truth = held_out(datasets, "diabetes")
    answer = serve(lightgbm, ml_root).wait().invoke(body, accept="application/json;verbose").json()
    assert set(answer) == {"prediction"}
    error = sum((a - b) ** 2 for a, b in zip(answer["prediction"], truth, strict=True)) / len(truth)
    assert math.sqrt(error) == pytest.approx(_last(log, "rmse"), rel=1e-4)


def test_several_classes_in_sub_folders(lightgbm: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    folder = ml_root / "input" / "data" / "training"
    for part in ("train", "validation"):
        (folder / part).mkdir(parents=True)
        lines = (datasets / f"iris-{part}.csv").read_text().splitlines()
        # Classes need not be numbered from 0 on.
        moved = "\n".join(f"{10 * int(float(line[0])) + 5},{line.partition(',')[2]}" for line in lines)
        (folder / part / "data.csv").write_text(moved + "\n")
    job = lightgbm.job(ml_root)
    job.channels["training"] = {"ContentType": "csv", "TrainingInputMode": "File"}
    log = job.succeed({"num_boost_round": "40"})
    assert _last(log, "multi_logloss") < 0.3
    body, truth = held_out(datasets, "iris")
    found = serve(lightgbm, ml_root).wait().invoke(body, accept="application/json;verbose").json()
    assert found["labels"] == [5, 15, 25]
    assert all(sum(row) == pytest.approx(1) and len(row) == 3 for row in found["probabilities"])
    assert sum(a == 10 * b + 5 for a, b in zip(found["predicted_label"], truth, strict=True)) / len(truth) > 0.9


def test_categories_and_missing_values(lightgbm: Any, ml_root: Path, serve: Any) -> None:
    odd = {3, 17, 40, 41, 77}
    rows = [[int(n % 90 in odd), n % 90, None if n % 7 == 0 else n % 11] for n in range(1800)]
    job = lightgbm.job(ml_root).channel("train", _csv(rows), file="data.csv")
    (ml_root / "input" / "data" / "train" / "categorical_index.json").write_text('{"cat_index_list": [1]}')
    given = {"num_boost_round": "60", "num_leaves": "31", "metric": "binary_error"}
    log = job.succeed(given)  # a fifth of the rows is for validation
    assert _last(log, "binary_error") < 0.01
    server = serve(lightgbm, ml_root).wait()
    scores = server.invoke("3,\n4,1\n77,5\n,5\n").json()["probabilities"]
    assert scores[0] > 0.5 and scores[1] < 0.5 and scores[2] > 0.5
    refused = server.invoke("3.5,1\n")
    assert refused.status == 400 and "row 1, column 2: 3.5 is not a category" in refused.body.decode()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ('{"cat_index_list": [0]}', "column 0"),
        ('{"cat_index_list": [3]}', "column 3"),
        ('{"cat_index_list": [1, 1]}', "twice"),
        ('{"cat_index_list": "1"}', "list of column numbers"),
        ("[", "not JSON"),
    ],
)
def test_lists_of_categorical_columns_that_are_refused(lightgbm: Any, ml_root: Path, document: str, words: str) -> None:
    job = lightgbm.job(ml_root).channel("train", _csv(ROWS))
    (ml_root / "input" / "data" / "train" / "categorical_index.json").write_text(document)
    done = job.train({})
    assert done.status == 2 and words in done.failure, done.failure


def test_categories_that_are_refused(lightgbm: Any, ml_root: Path) -> None:
    job = lightgbm.job(ml_root).channel("train", _csv([*ROWS, [1, 2**31, 3]]))
    (ml_root / "input" / "data" / "train" / "categorical_index.json").write_text('{"cat_index_list": [1]}')
    done = job.train({})
    assert done.status == 2 and "row 201, column 2: 2147483648 is not a category" in done.failure


@pytest.mark.parametrize("boosting", ["rf", "dart", "goss"])
def test_kinds_of_boosting(lightgbm: Any, ml_root: Path, datasets: Path, boosting: str) -> None:
    given = {"boosting": boosting, "num_boost_round": "20", "metric": "auc"}
    log = real_job(lightgbm, ml_root, datasets, "breast_cancer").succeed(given)
    assert _last(log, "auc") > 0.95


def test_weights_of_the_second_class(lightgbm: Any, ml_root: Path, datasets: Path, serve: Any) -> None:
    means = []
    for number, given in enumerate(({}, {"scale_pos_weight": "0.01"}, {"is_unbalance": "True"})):
        root = ml_root / str(number)
        real_job(lightgbm, root, datasets, "breast_cancer").succeed({"num_boost_round": "20", **given})
        scores = serve(lightgbm, root).wait().invoke(held_out(datasets, "breast_cancer")[0]).json()["probabilities"]
        means.append(sum(scores) / len(scores))
    assert means[1] < means[0] - 0.01 and means[2] != means[0]


def test_a_script_of_the_users_own(lightgbm: Any, ml_root: Path) -> None:
    code = ml_root / "code"
    code.mkdir(parents=True)
    (code / "transfer_learning.py").write_text("import lightgbm\nprint('mine', lightgbm.__version__)\n")
    log = lightgbm.job(ml_root).succeed({"sagemaker_program": "transfer_learning.py", "anything": "1"})
    assert "mine 4." in log


def test_hyperparameters() -> None:
    given = SPECIFICATION.parse({"is_unbalance": "True"})
    assert (given["num_leaves"], given["max_depth"], given["min_data_in_leaf"]) == (64, 6, 3)
    assert given["is_unbalance"] is True
    [message] = SPECIFICATION.validate({"num_leaves": "1"})
    assert message == "Hyperparameter num_leaves: '1' is not valid, it must be an integer in (1, 131072]"
    assert SPECIFICATION.validate({"boosting": "rf", "bagging_freq": "0", "feature_fraction": "1"})
    assert SPECIFICATION.validate({"feature_fraction": "1.0", "early_stopping_rounds": "-1", "max_depth": "-1"}) == []
    assert [direction(name) for name in ("auc", "rmse", "multi_logloss")] == ["Maximize", "Minimize", "Minimize"]


def test_problems_by_their_labels(lightgbm: Any) -> None:
    labels = {
        "binary": ([0, 1] * 5, [3, 7]),
        "multiclass": ([0, 1, 2] * 4, list(range(29)) * 100),
        "regression": ([0, 1, 2], [0.5, 1, 1], [-1, 1, 1], list(range(101)) * 100),
    }
    code = (
        "import json, numpy, sys; from clary_runtimes.algorithms.jumpstart.problem import problem_of;"
        "found = {kind: [problem_of(numpy.array(each, float), None, 'train').kind for each in every]"
        " for kind, every in json.loads(sys.argv[1]).items()}; print(json.dumps(found))"
    )
    found = lightgbm.evaluate(code, json.dumps(labels))
    assert found == {kind: [kind] * len(every) for kind, every in labels.items()}


def test_json_is_all_there_is(lightgbm: Any, ml_root: Path, serve: Any) -> None:
    lightgbm.job(ml_root).channel("train", _csv(ROWS)).succeed({"num_boost_round": "3"})
    server = serve(lightgbm, ml_root).wait()
    assert server.invoke("1,2\n", accept="*/*").status == 200
    assert server.invoke("1,2\n", None).status == 200
    refused = server.invoke("1,2\n", accept="text/csv")
    assert refused.status == 406 and "application/json" in refused.body.decode()
    assert json.loads(server.invoke("1,\n").body)["probabilities"][0] > 0
