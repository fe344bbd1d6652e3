"""K-Means beside scikit-learn on real data, and what its hyperparameters do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from contract import RECORDIO, recordio

from clary_runtimes.algorithms.kmeans import metrics
from clary_runtimes.algorithms.kmeans.hyperparameters import SPECIFICATION

_DIGITS = """
import json, sys
import numpy as np
from sklearn.cluster import KMeans as Reference
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from clary_runtimes.algorithms.kmeans.estimator import KMeans
rows, labels = load_digits(return_X_y=True)
rows = rows.astype(np.float32)
reference = Reference(10, n_init=5, random_state=0).fit(rows)
found = {}
for name, given in {
    "default": {}, "kmeans++": {"init_method": "kmeans++"}, "small": {"mini_batch_size": 200, "epochs": 5},
    "fading": {"mini_batch_size": 200, "half_life_time_size": 1000}, "plain": {"extra_center_factor": 1, "epochs": 20},
    "random reduction": {"local_lloyd_init_method": "random"},
}.items():
    model = KMeans(10, **given).fit(rows)
    found[name] = [model.score(rows) * len(rows) / reference.inertia_, adjusted_rand_score(labels, model.predict(rows))]
print(json.dumps(found))
"""

_STREAM = """
import json
import numpy as np
from scipy.sparse import csr_matrix
from clary_runtimes.algorithms.kmeans.estimator import KMeans
generator = np.random.default_rng(0)
topics = np.arange(30) // 10 == generator.integers(0, 3, 2000)[:, None]
rows = generator.poisson(1.0, (2000, 30)).astype(np.float32) * topics
dense, sparse = KMeans(3, seed=1).fit(rows), KMeans(3, seed=1).fit(csr_matrix(rows))
far = KMeans(3, seed=1).fit(rows + np.float32(100_000))
print(json.dumps([
    dense.score(rows), sparse.score(csr_matrix(rows)), far.score(rows + np.float32(100_000)),
    bool((dense.predict(rows) == dense.predict(csr_matrix(rows))).all()),
]))
"""

_UPDATE = """
import json
import numpy as np
from clary_runtimes.algorithms.kmeans.estimator import KMeans
model = KMeans(3)
centers, mass = np.array([[0.0], [100.0], [200.0]], dtype=np.float32), np.array([100.0, 150.0, 450.0])
batch = np.array([[1.0]] * 25 + [[110.0]] * 40 + [[190.0]] * 5, dtype=np.float32)
loss = model._step(batch, centers, mass)
fading = KMeans(1, half_life_time_size=70)
held = np.array([140.0])
fading._step(batch, np.zeros((1, 1), dtype=np.float32), held)
print(json.dumps([centers.ravel().tolist(), mass.tolist(), loss, held.tolist()]))
"""


def test_digits_are_clustered_as_well_as_by_scikit_learn(kmeans: Any) -> None:
    found = kmeans.evaluate(_DIGITS)
    for name, (ratio, agreement) in found.items():
        assert ratio < 1.08 and agreement > 0.5, (name, ratio, agreement)
    assert found["default"][0] < 1.02


def test_sparse_and_distant_rows_are_clustered_as_others(kmeans: Any) -> None:
    dense, sparse, far, same = kmeans.evaluate(_STREAM)
    assert sparse == pytest.approx(dense, rel=0.05) and far == pytest.approx(dense, rel=0.05) and same


def test_centers_move_as_the_documentation_computes(kmeans: Any) -> None:
    """The example of https://docs.aws.amazon.com/sagemaker/latest/dg/algo-kmeans-tech-notes.html."""
    centers, mass, loss, faded = kmeans.evaluate(_UPDATE)
    assert centers == pytest.approx([25 / 125, 100 + 10 * 40 / 190, 200 - 10 * 5 / 455], rel=1e-5)
    assert mass == [125, 190, 455] and loss == pytest.approx(25 + 4000 + 500)
    assert faded == [70 + 70]


def test_a_model_of_digits(kmeans: Any, ml_root: Path, serve: Any) -> None:
    code = "import json; from sklearn.datasets import load_digits; print(json.dumps(load_digits().data.tolist()))"
    rows = kmeans.evaluate(code)
    text = "\n".join(",".join(f"{value:g}" for value in row) for row in rows)
    job = kmeans.job(ml_root).channel("train", text, "text/csv;label_size=0")
    log = job.channel("test", text, "text/csv;label_size=0").succeed({"k": "10", "feature_dim": "64"})
    [entry] = [entry for entry in metrics.metric_definitions() if entry["Name"] == "test:msd"]
    msd = float(re.findall(entry["Regex"], log)[-1])
    # scikit-learn's KMeans leaves 648; one cluster leaves 1,202.
    assert msd < 670
    assert "shrinking 100 centers into 10" in log
    server = serve(kmeans, ml_root).wait()
    answer = server.invoke("\n".join(text.splitlines()[:500]), accept="application/jsonlines")
    squares = [json.loads(line)["distance_to_cluster"] ** 2 for line in answer.body.splitlines()]
    assert sum(squares) / 500 == pytest.approx(msd, rel=0.1)


def test_memory_does_not_grow_with_the_channel(kmeans: Any, ml_root: Path) -> None:
    """The features of the first channel take 48 MB, those of the second 192 MB."""
    code = """
import contextlib, io, json, os, resource
from pathlib import Path
from clary_runtimes import train
path = Path(os.environ["CLARY_ML_ROOT"], "input/data/train/train.data")
records = path.read_bytes()
used = []
for times in (60, 240):
    with path.open("wb") as file:
        for _ in range(times):
            file.write(records)
    with contextlib.redirect_stdout(io.StringIO()):
        assert train.main() == 0
    used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(json.dumps((used[1] - used[0]) / 1024))
"""
    rows = recordio([[n % m for n in range(100)] for m in (5, 7)]) * 1000
    kmeans.job(ml_root).channel("train", rows, RECORDIO).configure({"k": "2", "feature_dim": "100"})
    assert kmeans.evaluate(code, CLARY_ML_ROOT=str(ml_root)) < 40


def test_hyperparameters_have_the_documented_defaults() -> None:
    given = {"k": "10", "feature_dim": "784"}
    values = SPECIFICATION.parse(given)
    assert values == {
        "k": 10, "feature_dim": 784, "epochs": 1, "eval_metrics": ["msd"], "extra_center_factor": "auto",
        "half_life_time_size": 0, "init_method": "random", "local_lloyd_init_method": "kmeans++",
        "local_lloyd_max_iter": 300, "local_lloyd_num_trials": "auto", "local_lloyd_tol": 0.0001,
        "mini_batch_size": 5000,
    }  # fmt: skip
    assert SPECIFICATION.validate({}) == ["'feature_dim' is a required property", "'k' is a required property"]
    assert SPECIFICATION.validate({**given, "local_lloyd_tol": "2"}) == [
        "Hyperparameter local_lloyd_tol: '2' is not valid, it must be a number in [0, 1]"
    ]
    assert SPECIFICATION.validate({**given, "eval_metrics": "msd"}) != []
    assert metrics.direction("test:msd") == "Minimize"
