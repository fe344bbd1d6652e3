"""The Linear Learner as a class, without a job, in the environment of the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

BEGIN = """
import json, sys
from pathlib import Path
import numpy as np
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_digits, load_diabetes
from sklearn.model_selection import train_test_split
from clary_runtimes.algorithms.linear_learner.estimator import LinearLearner
from clary_runtimes.contract.errors import UserError

def parts(load):
    return train_test_split(*load(return_X_y=True), test_size=0.25, random_state=0)

def message(work):
    try:
        work()
    except (UserError, ValueError) as error:
        return f"{type(error).__name__}: {error}"

rows, held, labels, truth = parts(load_breast_cancer)
"""


def test_two_classes(linear_learner: Any, tmp_path: Path) -> None:
    code = """
lines = []
model = LinearLearner(predictor_type="binary_classifier", f_beta=2, margin=1).fit(rows, labels, say=lines.append)
model.save(Path(sys.argv[1]))
loaded = LinearLearner.load(Path(sys.argv[1]))
same = loaded.score(held, truth) == model.score(held, truth)
scores, found = model.scores(held), model.predict(scipy.sparse.csr_matrix(held))
agree = bool(((scores >= model.model.threshold) == found).all())
print(json.dumps([model.score(held, truth), same, agree, lines[0]]))
"""
    score, same, agree, line = linear_learner.evaluate(BEGIN + code, str(tmp_path))
    assert score["binary_classification_accuracy"] > 0.94 and score["roc_auc_score"] > 0.98
    assert "binary_f_2.000" in score and same and agree
    assert line.startswith("#quality_metric: host=algo-1, epoch=0, train binary_classification_cross_entropy_objective")


def test_digits_judged_by_validation_rows(linear_learner: Any, tmp_path: Path) -> None:
    code = """
rows, held, labels, truth = parts(load_digits)
model = LinearLearner(predictor_type="multiclass_classifier", num_classes=10, mini_batch_size=100, accuracy_top_k=2)
model.fit(rows[200:], labels[200:], validation=(rows[:200], labels[:200])).save(Path(sys.argv[1]))
loaded = LinearLearner.load(Path(sys.argv[1]))
same = loaded.predict(held).tolist() == model.predict(held).tolist()
same = same and loaded.score(held, truth) == model.score(held, truth)
print(json.dumps([model.score(held, truth), same, model.scores(held).shape]))
"""
    score, same, shape = linear_learner.evaluate(BEGIN + code, str(tmp_path))
    assert score["multiclass_accuracy"] > 0.94 and score["multiclass_top_k_accuracy_2"] > 0.97
    assert same and shape == [450, 10]


def test_classes_weigh_as_they_are_told(linear_learner: Any) -> None:
    """Every candidate's loss of a rare class counts more if classes are balanced."""
    code = """
generator = np.random.default_rng(0)
labels = (np.arange(3000) % 50 == 0) + 2 * (np.arange(3000) % 50 > 40)
rows = generator.normal(size=(3000, 3)) + np.eye(3)[labels]
recalls = [
    LinearLearner(predictor_type="multiclass_classifier", num_classes=3, balance_multiclass_weights=flag)
    .fit(rows, labels).score(rows, labels)["macro_recall"] for flag in (False, True)
]
print(json.dumps(recalls))
"""
    plain, balanced = linear_learner.evaluate(BEGIN + code)
    assert balanced > plain + 0.05


def test_a_regression_beside_least_squares(linear_learner: Any) -> None:
    code = """
from sklearn.linear_model import LinearRegression
rows, held, labels, truth = parts(load_diabetes)
model = LinearLearner(predictor_type="regressor", mini_batch_size=50).fit(rows, labels)
least = LinearRegression().fit(rows, labels).predict(held)
quantile = LinearLearner(predictor_type="regressor", loss="quantile_loss", quantile=0.9, epochs=40).fit(rows, labels)
above = float((labels > quantile.predict(rows)).mean())
print(json.dumps([model.score(held, truth), float(((least - truth) ** 2).mean()), above]))
"""
    score, least, above = linear_learner.evaluate(BEGIN + code)
    assert score["mse"] < 1.03 * least and 0.35 < score["r2"] < 0.4
    assert 0.8 < above < 0.97


def test_few_steps_end_with_small_rates(linear_learner: Any) -> None:
    """Of a regressor: the scheduler leaves a tenth of the rate at most; a factor that is given rules."""
    code = """
from clary_runtimes.algorithms.linear_learner.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.linear_learner.optimizers import Optimizer

def left(planned, **given):
    values = SPECIFICATION.parse({"predictor_type": "regressor"} | given)
    weights, bias = np.zeros((1, 1), np.float32), np.zeros(1, np.float32)
    optimizer = Optimizer(values, np.ones(1), weights, bias, planned)
    for _ in range(planned):
        optimizer.step(weights, bias, weights, bias)
    return float(optimizer.rates[0])

print(json.dumps([left(1), left(15), left(100), left(5000), left(15, lr_scheduler_factor="0.5"),
                  left(15, use_lr_scheduler="false"), left(15, predictor_type="binary_classifier")]))
"""
    found = linear_learner.evaluate(BEGIN + code)
    assert found == pytest.approx([0.1, 0.1, 0.1, 0.99**500, 0.5, 1, 0.99], rel=0.01)


def test_mistakes_are_named(linear_learner: Any, tmp_path: Path) -> None:
    code = """
holes = rows.copy()
holes[3, 2] = np.nan
model = LinearLearner(predictor_type="binary_classifier")
print(json.dumps([
    message(lambda: LinearLearner(epochs=3)),
    message(lambda: LinearLearner(predictor_type="regressor", loss="logistic")),
    message(lambda: LinearLearner(predictor_type="regressor", say="x")),
    message(lambda: model.predict(rows)),
    message(lambda: model.fit(holes, labels)),
    message(lambda: model.fit(rows, labels + 1)),
    message(lambda: model.fit(rows, labels * 0)),
    message(lambda: model.fit(rows, labels[1:])),
    message(lambda: model.fit(rows, labels, validation=(held[:, 1:], truth))),
    message(lambda: model.fit(rows, labels).predict(held[:, 1:])),
    message(lambda: LinearLearner.load(Path(sys.argv[1]))),
]))
"""
    found = linear_learner.evaluate(BEGIN + code, str(tmp_path))
    expected = [
        "UserError: 'predictor_type' is a required property",
        "UserError: Hyperparameter loss: 'logistic' is not one of",
        "UserError: Additional properties are not allowed ('say' was unexpected)",
        "ValueError: this LinearLearner has not been fitted",
        "UserError: The training data: row 4 of the features is missing or not a finite number",
        "UserError: The training data: row ",
        "UserError: The training data has only label 0; a classifier needs rows of at least two classes",
        "UserError: The training data: features must be (rows, columns) with at least one row, and labels (rows,)",
        "UserError: The validation data have 29 features where the training data have 30",
        "ValueError: the rows have 29 features where the model has 30",
        f"UserError: {tmp_path} holds no Linear Learner model",
    ]
    assert len(found) == len(expected)
    for message, beginning in zip(found, expected, strict=True):
        assert message.startswith(beginning)
