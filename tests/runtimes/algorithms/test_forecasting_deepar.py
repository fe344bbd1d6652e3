"""DeepAR: real series beside the naive forecast, every likelihood, calendars, formats of files and of answers."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from contract import JSON, JSONLINES

from clary_runtimes.algorithms.forecasting_deepar.hyperparameters import SPECIFICATION
from clary_runtimes.algorithms.forecasting_deepar.metrics import direction, metric_definitions

pytestmark = pytest.mark.slow("runtimes")

_START = """
import json
from datetime import datetime
import numpy as np
import torch
torch.set_num_threads(1)
from clary_runtimes.algorithms.forecasting_deepar.accuracy import accuracy
from clary_runtimes.algorithms.forecasting_deepar.calendar import lags, season, time_features
from clary_runtimes.algorithms.forecasting_deepar.estimator import DeepAR
from clary_runtimes.algorithms.forecasting_deepar.likelihoods import LIKELIHOODS
from clary_runtimes.algorithms.forecasting_deepar.series import Series
def series(target, cat=(), dynamic=()):
    dynamic = np.array(dynamic, np.float32).reshape(len(dynamic), len(dynamic[0]) if len(dynamic) else 0)
    return Series(datetime(2020, 1, 1), np.asarray(target, float), np.array(cat, np.int64), dynamic)
generator = np.random.default_rng(0)
"""

_DAILY = """
hours = np.arange(24 * 20)
def one(level, late):
    return level * (3 + np.sin(2 * np.pi * (hours + late) / 24) + 0.2 * generator.normal(size=len(hours)))
whole = [one(10 ** generator.uniform(0, 3), generator.integers(24)) for _ in range(12)]
for each in whole:
    each[generator.integers(400, size=10)] = np.nan
model = DeepAR(time_freq=(1, "H"), context_length=24, prediction_length=24, epochs=8, mini_batch_size=64,
               learning_rate=5e-3)
loss, epoch = model.fit([series(each[:-24]) for each in whole])
samples = model.sample([series(each[:-24]) for each in whole])
actual = np.array([each[-24:] for each in whole])
naive = np.nan_to_num(np.array([each[-48:-24] for each in whole]))
rmse, losses = accuracy(samples, actual, [0.5])
inside = np.mean((actual > np.quantile(samples, 0.1, 1)) & (actual < np.quantile(samples, 0.9, 1)))
print(json.dumps([rmse, losses[0.5], *(lambda r, q: (r, q[0.5]))(*accuracy(naive[:, None], actual, [0.5])), inside]))
"""

_KNOWN = """
# What drives the series is known beforehand, and so is the level of each group.
features = generator.integers(0, 2, size=(20, 1, 90))
whole = [100 * (n % 2) + 50 * feature[0] + generator.normal(size=90) for n, feature in enumerate(features)]
model = DeepAR(time_freq=(1, "D"), context_length=10, prediction_length=10, epochs=12, mini_batch_size=64,
               learning_rate=1e-2)
model.fit([series(each[:-10], [n % 2], features[n][:, :-10]) for n, each in enumerate(whole)])
samples = model.sample([series(each[:-10], [n % 2], features[n]) for n, each in enumerate(whole)])
actual = np.array([each[-10:] for each in whole])
rmse = accuracy(samples, actual, [0.5])[0]
opposite = [1 - features[n] for n in range(20)]
for n in range(20):
    opposite[n][:, :-10] = features[n][:, :-10]
other = model.sample([series(each[:-10], [n % 2], opposite[n]) for n, each in enumerate(whole)])
from pathlib import Path
import sys
model.save(Path(sys.argv[1]) / "model")
again = DeepAR.load(Path(sys.argv[1]) / "model")
asked = [series(whole[0][:-10], [0], features[0])]
new = again.sample([series([], [1], features[0][:, :10])])  # nothing is known of it yet
print(json.dumps([rmse, float(np.abs(other.mean(1) - samples.mean(1)).mean()), model.cardinality,
                  float(np.abs(model.sample(asked) - again.sample(asked)).max()), bool(np.isfinite(new).all())]))
"""

_LIKELIHOOD = """
import sys
name = sys.argv[1]
target = {"beta": generator.beta(2, 6, size=(4, 120)), "negative-binomial": generator.poisson(5, size=(4, 120)) * 1.0}
target = target.get(name, generator.normal(20, 3, size=(4, 120)))
model = DeepAR(time_freq=(1, "W"), context_length=6, prediction_length=5, epochs=15, mini_batch_size=32,
               likelihood=name, learning_rate=5e-3, num_cells=10, num_layers=1)
model.fit([series(each) for each in target])
samples = model.sample([series(each) for each in target], 200)
# The loss must be the logarithm of the density that samples are drawn from, whatever location and scale are.
raw = torch.tensor([[0.3, 0.7, 1.1][: model.noise.numbers]] * 20000)
location, scale = (np.full(20000, each) for each in ((0.0, 1.0) if not model.noise.shifted else (5.0, 2.0)))
drawn = model.noise.draw(raw, location, scale, generator)
one = {"beta": (0.4, 0.5), "negative-binomial": (1, 2)}.get(name, (5.0, 6.0))
points = np.arange(one[0], one[1], 1 if name == "negative-binomial" else 0.01)
tensors = [torch.tensor(np.full(len(points), each)) for each in (location[0], scale[0])]
density = np.exp(-model.noise.loss(raw[: len(points)].double(), torch.tensor(points), *tensors).numpy())
share = np.mean((drawn >= one[0]) & (drawn < one[1]))
known = float(density.sum() * (1 if name == "negative-binomial" else 0.01))
print(json.dumps([float(samples.mean()), float(target.mean()), float(samples.std()), float(target.std()), share, known,
                  bool((samples == samples.round()).all()), float(samples.min()), float(samples.max())]))
"""

_CALENDAR = """
features = lambda unit, n: time_features(datetime(2024, 2, 28, 23), (n, unit), -1, 3).tolist()
print(json.dumps([
    lags((1, "D"), 1000).tolist(), lags((1, "M"), 1000).tolist(), lags((15, "min"), 1000).tolist(),
    lags((1, "H"), 30).tolist(), features("D", 1), features("M", 2), features("H", 1),
    [season((1, "D")), season((1, "M")), season((1, "H")), season((1, "W"))],
]))
"""


@pytest.fixture(scope="module")
def deepar(runtime_of: Any) -> Any:
    return runtime_of("forecasting-deepar", "forecasting-deepar")


def test_days_are_learnt_from_series_of_all_sizes(deepar: Any) -> None:
    rmse, loss, naive_rmse, naive_loss, inside = deepar.evaluate(_START + _DAILY)
    assert rmse < 0.95 * naive_rmse and loss < 0.85 * naive_loss
    assert 0.6 < inside < 0.95  # of what should be 80%


def test_groups_and_features_that_are_known_beforehand(deepar: Any, tmp_path: Path) -> None:
    rmse, moved, cardinality, difference, finite = deepar.evaluate(_START + _KNOWN, str(tmp_path))
    assert rmse < 8 and moved > 35  # 50 is what the feature is worth
    assert cardinality == [2] and difference < 1e-4 and finite


@pytest.mark.parametrize("name", ["gaussian", "student-T", "negative-binomial", "beta", "deterministic-L1"])
def test_likelihoods_draw_what_they_weigh(deepar: Any, name: str) -> None:
    mean, true_mean, spread, true_spread, share, known, whole, least, most = deepar.evaluate(_START + _LIKELIHOOD, name)
    assert mean == pytest.approx(true_mean, rel=0.15)
    if name != "deterministic-L1":
        assert spread == pytest.approx(true_spread, rel=0.35)
        assert share == pytest.approx(known, abs=0.015)
    assert whole == (name == "negative-binomial")
    assert name not in ("negative-binomial", "beta") or least >= 0
    assert name != "beta" or most <= 1


def test_the_calendar(deepar: Any) -> None:
    days, months, quarters, short, daily, monthly, hourly, seasons = deepar.evaluate(_START + _CALENDAR)
    assert {1, 7, 14, 21, 28, 364} <= set(days) and {1, 12, 24, 36} <= set(months) and {4, 96, 672} <= set(quarters)
    assert short == [1, 2, 3, 4, 5, 6, 7, 23, 24, 25]
    assert [row[0] for row in daily] == pytest.approx([n / 6 - 0.5 for n in (1, 2, 3, 4)])  # from a Tuesday on
    assert [row[1] for row in daily] == pytest.approx([n / 30 - 0.5 for n in (26, 27, 28, 0)])  # a leap year
    assert [row[0] for row in monthly] == pytest.approx([n / 11 - 0.5 for n in (11, 1, 3, 5)])
    assert [row[0] for row in hourly] == pytest.approx([n / 23 - 0.5 for n in (22, 23, 0, 1)])
    assert seasons == [7, 12, 24, 52]


def test_defaults_and_wording() -> None:
    given = {"context_length": "5", "prediction_length": "5", "epochs": "3", "time_freq": "5min"}
    assert SPECIFICATION.parse(given) == {
        "context_length": 5, "prediction_length": 5, "epochs": 3, "time_freq": (5, "min"), "cardinality": "auto",
        "dropout_rate": 0.1, "embedding_dimension": 10, "learning_rate": 1e-3, "likelihood": "student-T",
        "mini_batch_size": 128, "num_cells": 40, "num_dynamic_feat": "auto", "num_eval_samples": 100, "num_layers": 2,
        "test_quantiles": [n / 10 for n in range(1, 10)],
    }  # fmt: skip
    assert SPECIFICATION.validate({**given, "cardinality": "[2, 3]", "num_dynamic_feat": ""}) == []
    for name, text in (("cardinality", "[0]"), ("time_freq", "2Y"), ("test_quantiles", "0.5"), ("num_layers", "0")):
        [message] = SPECIFICATION.validate({**given, name: text})
        assert name in message and text in message


def test_metrics_have_the_documented_names() -> None:
    assert {each["Name"] for each in metric_definitions()} >= {
        "test:RMSE",
        "test:mean_wQuantileLoss",
        "train:final_loss",
    }
    assert direction("test:RMSE") == "Minimize"


def _records(count: int) -> list[dict[str, Any]]:
    return [
        {"start": "2024-01-01", "target": [round(9 + 3 * math.sin(n + point), 3) for point in range(40)]}
        for n in range(count)
    ]


_PARQUET = """
import json, sys
from datetime import datetime
import pyarrow as pa
from pyarrow import parquet
rows = json.loads(sys.argv[2])
starts = pa.array([datetime.fromisoformat(row["start"]) for row in rows], pa.timestamp("us"))
table = pa.table({"start": starts, "target": pa.array([row["target"] for row in rows], pa.list_(pa.float64()))})
parquet.write_table(table, sys.argv[1], compression="snappy")
print("null")
"""


def test_json_lines_gzip_and_parquet_mean_the_same(deepar: Any, tmp_path: Path) -> None:
    records = _records(10)
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    deepar.evaluate(_PARQUET, str(tmp_path / "rows"), json.dumps(records))
    given = {"context_length": "4", "prediction_length": "4", "epochs": "1", "time_freq": "D", "num_cells": "4"}
    losses = set()
    for name, content in (
        ("a.json", lines), ("a.json.gz", gzip.compress(lines)), ("a.parquet", (tmp_path / "rows").read_bytes()),
    ):  # fmt: skip
        job = deepar.job(tmp_path / name).channel("train", content, "", file=name)
        (tmp_path / name / "input" / "data" / "train" / "_SUCCESS").touch()
        log = job.succeed(given)
        losses.add(log.partition("train final_loss <loss>=")[2].split()[0])
    assert len(losses) == 1


def test_answers_have_what_the_configuration_asks_for(deepar: Any, tmp_path: Path, serve: Any) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in _records(10))
    given = {"context_length": "4", "prediction_length": "3", "epochs": "1", "time_freq": "D", "num_cells": "4"}
    deepar.job(tmp_path / "ml").channel("train", lines, JSONLINES).succeed(given)
    configuration = json.dumps({"num_samples": 7, "output_types": ["mean", "samples"]})
    server = serve(deepar, tmp_path / "ml", DEEPAR_INFERENCE_CONFIG=configuration).wait()
    answer = server.invoke(lines, JSONLINES)
    rows = [json.loads(line) for line in answer.body.splitlines()]
    assert answer.content_type == JSONLINES and len(rows) == 10
    assert set(rows[0]) == {"mean", "samples"} and [len(path) for path in rows[0]["samples"]] == [3] * 7
    asked = {"num_samples": 50, "output_types": ["quantiles"], "quantiles": ["0.5", "0.90"]}
    body = json.dumps({"instances": _records(2), "configuration": asked})
    [first, _] = server.invoke(body, JSON).json()["predictions"]
    assert list(first) == ["quantiles"] and list(first["quantiles"]) == ["0.5", "0.90"]
