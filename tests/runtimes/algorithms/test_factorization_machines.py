"""Factorization Machines against their definition, numerical derivatives, and real data."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract import RECORDIO, recordio, sparse_recordio

from clary_runtimes.algorithms.factorization_machines.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.factorization_machines.metrics import direction, metric_definitions

_CODE = """
import json, sys
import numpy as np
from scipy.sparse import csr_matrix
from clary_runtimes.algorithms.factorization_machines.estimator import FactorizationMachine
from clary_runtimes.algorithms.factorization_machines.scores import Tally
generator = np.random.default_rng(2)
rows = (generator.normal(size=(40, 6)) * (generator.random((40, 6)) < 0.6)).astype(np.float32)
labels = generator.normal(size=40)
"""

_FORWARD = """
model = FactorizationMachine(3, seed=1, factors_init_sigma=0.5, linear_init_sigma=0.5).begin(6)
brute = [
    float(model.bias[0] + model.linear @ row + sum(
        model.factors[i] @ model.factors[j] * row[i] * row[j] for i in range(6) for j in range(i + 1, 6)
    )) for row in rows
]
print(json.dumps([brute, model.raw(rows).tolist(), model.raw(csr_matrix(rows)).tolist()]))
"""

_GRADIENT = """
found = []
for kind, wanted in (("regressor", labels), ("binary_classifier", (labels > 0).astype(float))):
    model = FactorizationMachine(2, kind, seed=1, factors_init_sigma=0.5, linear_init_sigma=0.5).begin(6)
    groups = [model.bias, model.linear, model.factors]
    for group in range(3):
        groups[group] = groups[group].astype(np.float64)
    model.bias, model.linear, model.factors = groups
    taken = []
    class Watch:
        def step(self, gradient, columns):
            taken.append(np.array(gradient, np.float64))
    model._optimizers = [Watch()] * 3
    model._step(rows.astype(np.float64), wanted, Tally(kind))
    def loss():
        values = model.score(rows.astype(np.float64), wanted)
        return values["mse"] / 2 if kind == "regressor" else values["binary_classification_cross_entropy"]
    for group, gradient in zip(groups, taken):
        for place in np.ndindex(group.shape):
            kept = group[place]
            group[place] = kept + 1e-5
            above = loss()
            group[place] = kept - 1e-5
            found.append([(above - loss()) / 2e-5, float(gradient[place])])
            group[place] = kept
print(json.dumps(found))
"""

_SPARSE = """
def trained(features):
    settings = dict(epochs=20, mini_batch_size=10, factors_lr=0.05, linear_lr=0.05, factors_init_sigma=0.1)
    return FactorizationMachine(4, seed=3, **settings, factors_wd=0, linear_wd=0, bias_wd=0).fit(features, labels)
full = np.where(rows == 0, np.float32(0.5), rows)  # every row has every column: then lazy steps are the same steps
one, other = trained(full), trained(csr_matrix(full))
constant = FactorizationMachine(2, linear_init_method="constant", linear_init_value=0.25).begin(4)
uniform = FactorizationMachine(2, factors_init_method="uniform", factors_init_scale=3).begin(4000)
print(json.dumps([
    float(np.abs(one.predict(rows) - other.predict(csr_matrix(rows))).max()), one.score(full, labels)["rmse"],
    constant.linear.tolist(), [float(uniform.factors.min()), float(uniform.factors.max())],
]))
"""

_DIGITS = """
import json
from sklearn.datasets import load_diabetes, load_digits
pixels, digits = load_digits(return_X_y=True)
print(json.dumps([(pixels / 16).tolist(), (digits % 2).tolist(), [c.tolist() for c in load_diabetes(return_X_y=True)]]))
"""


@pytest.fixture(scope="module")
def machines(runtime_of: Any) -> Any:
    return runtime_of("factorization-machines", "factorization-machines")


@pytest.fixture(scope="module")
def real(machines: Any) -> Any:
    """scikit-learn's ``digits`` (1,797 rows of 64 pixels; whether the digit is odd) and its ``diabetes``."""
    return machines.evaluate(_DIGITS)


def _metrics(log: str) -> dict[str, float]:
    found = {entry["Name"]: re.findall(entry["Regex"], log) for entry in metric_definitions()}
    return {name: float(values[-1]) for name, values in found.items() if values}


def test_the_output_is_the_sum_over_all_pairs(machines: Any) -> None:
    brute, dense, sparse = machines.evaluate(_CODE + _FORWARD)
    assert dense == pytest.approx(brute, rel=1e-4, abs=1e-5)
    assert sparse == pytest.approx(brute, rel=1e-4, abs=1e-5)


def test_gradients_are_the_derivatives_of_the_loss(machines: Any) -> None:
    found = machines.evaluate(_CODE + _GRADIENT)
    assert len(found) == 2 * (1 + 6 + 12)
    for numeric, gradient in found:
        assert gradient == pytest.approx(numeric, rel=1e-4, abs=1e-6)


def test_sparse_rows_are_learnt_as_dense_ones(machines: Any) -> None:
    difference, rmse, constant, (low, high) = machines.evaluate(_CODE + _SPARSE)
    assert difference < 1e-3 and rmse < 0.9
    assert constant == [0.25] * 4
    assert -3 <= low < -2.9 and 2.9 < high <= 3


def test_digits_reach_their_floor(machines: Any, real: Any, ml_root: Path, serve: Any) -> None:
    pixels, odd, _ = real
    job = machines.job(ml_root).channel("train", recordio(pixels[:1400], odd[:1400]), RECORDIO)
    job.channel("test", recordio(pixels[1400:], odd[1400:]), RECORDIO)
    given = {"feature_dim": "64", "num_factors": "16", "predictor_type": "binary_classifier", "epochs": "60"}
    rates = {"factors_lr": "0.02", "linear_lr": "0.02", "factors_init_sigma": "0.1", "mini_batch_size": "100"}
    metrics = _metrics(job.succeed(given | rates))
    # A linear model gets 0.87 of these right.
    assert metrics["test:binary_classification_accuracy"] > 0.93 and metrics["test:binary_f_beta"] > 0.93
    assert metrics["train:binary_classification_cross_entropy:epoch"] < 0.03
    server = serve(machines, ml_root).wait()
    keys = [place for place, value in enumerate(pixels[0]) if value]
    sparse = {"data": {"features": {"keys": keys, "shape": [64], "values": [pixels[0][key] for key in keys]}}}
    body = json.dumps({"instances": [sparse, {"features": pixels[0]}, {"features": pixels[1]}]})
    found = server.invoke(body, "application/json").json()["predictions"]
    assert [row["predicted_label"] for row in found] == [0, 0, 1]
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    binary = server.invoke(recordio(pixels[:2]), RECORDIO, RECORDIO)
    assert binary.content_type == RECORDIO and b"predicted_label" in binary.body


def test_a_regressor(machines: Any, real: Any, ml_root: Path, serve: Any) -> None:
    features, labels = real[2]
    rows = [{place: value * 10 for place, value in enumerate(row)} for row in features]
    scaled = [label / 100 for label in labels]
    job = machines.job(ml_root).channel("train", sparse_recordio(rows[:340], 10, scaled[:340]), RECORDIO)
    job.channel("test", sparse_recordio(rows[340:], 10, scaled[340:]), RECORDIO)
    given = {"feature_dim": "10", "num_factors": "2", "predictor_type": "regressor", "epochs": "100"}
    log = job.succeed(given | {"mini_batch_size": "50", "linear_lr": "0.02", "factors_lr": "0.002"})
    metrics = _metrics(log)
    # The labels' own deviation is 0.77.
    assert metrics["test:rmse"] < 0.58 and metrics["train:rmse:epoch"] < 0.6
    assert metrics["test:mse"] == pytest.approx(metrics["test:rmse"] ** 2, rel=1e-6)
    body = json.dumps({"features": [value * 10 for value in features[0]]})
    answer = serve(machines, ml_root).wait().invoke(body, "application/jsonlines", "application/jsonlines")
    assert set(json.loads(answer.body)) == {"score"}


def test_a_run_away_is_explained(machines: Any, ml_root: Path) -> None:
    rows = [[float(n), float(n * n), 1e18 * n] for n in range(200)]
    job = machines.job(ml_root).channel("train", recordio(rows, [1e20 * n for n in range(200)]), RECORDIO)
    done = job.train({"feature_dim": "3", "num_factors": "2", "predictor_type": "regressor", "factors_lr": "100"})
    assert done.status == 2 and "lower bias_lr, linear_lr and factors_lr" in done.failure


def test_hyperparameters() -> None:
    values = SPECIFICATION.parse({"feature_dim": "5", "num_factors": "2", "predictor_type": "regressor"})
    assert (values["bias_lr"], values["linear_lr"], values["factors_lr"]) == (0.1, 0.001, 0.0001)
    assert (values["bias_wd"], values["linear_wd"], values["factors_wd"]) == (0.01, 0.001, 0.00001)
    assert (values["bias_init_sigma"], values["linear_init_sigma"], values["factors_init_sigma"]) == (0.01, 0.01, 0.001)
    assert (values["epochs"], values["mini_batch_size"]) == (1, 1000)
    assert not {"eps", "clip_gradient", "rescale_grad", "bias_init_scale", "bias_init_value"} & set(values)
    assert direction("test:rmse") == direction("train:binary_classification_cross_entropy:epoch") == "Minimize"
    assert direction("test:binary_f_beta") == "Maximize"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"predictor_type": "ranker"}, "Hyperparameter predictor_type: 'ranker' is not one of"),
        ({"linear_lr": "-1"}, "Hyperparameter linear_lr: '-1' is not valid, it must be a number in [0, +inf)"),
        ({"factors_init_method": "zeros"}, "'zeros' is not one of ['uniform', 'normal', 'constant']"),
        ({"bias_init_method": "constant"}, "bias_init_value is required when bias_init_method is 'constant'"),
        ({"epochs": "0"}, "Hyperparameter epochs: '0' is not valid, it must be an integer in [1, +inf)"),
    ],
)
def test_hyperparameters_refused(given: dict[str, str], message: str) -> None:
    good = {"feature_dim": "5", "num_factors": "2", "predictor_type": "regressor"}
    [found] = SPECIFICATION.validate(good | given)
    assert message in found
