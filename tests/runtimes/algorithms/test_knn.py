"""k-NN beside scikit-learn on real data, and what its hyperparameters do."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from contract import RECORDIO, csv, recordio

from clary_runtimes.algorithms.knn import metrics
from clary_runtimes.algorithms.knn.hyperparameters import SPECIFICATION

_DIGITS = """
import json, sys
from sklearn.datasets import load_digits, load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
found = {}
for name, load, kind in (
    ("digits", load_digits, KNeighborsClassifier), ("diabetes", load_diabetes, KNeighborsRegressor)
):
    rows, other, labels, truth = train_test_split(*load(return_X_y=True), test_size=0.25, random_state=0)
    model = kind(5, algorithm="brute").fit(rows, labels)
    asked = other[:20].tolist()
    distances = model.kneighbors(other[:20])[0].tolist()
    expected = model.predict(other)
    score = float((expected == truth).mean()) if name == "digits" else float(((expected - truth) ** 2).mean())
    found[name] = [rows.tolist(), labels.tolist(), other.tolist(), truth.tolist(), distances, score]
print(json.dumps(found))
"""
"""Needs scikit-learn, which the image of k-NN does not have."""

_INDEXES = """
import json, sys
from pathlib import Path
import numpy as np
from scipy.sparse import csr_matrix
from clary_runtimes.algorithms.knn.estimator import KNN
rows, labels, other, truth, _, _ = json.loads(Path(sys.argv[1]).read_text())["digits"]
rows, other = np.array(rows, dtype=np.float32), np.array(other, dtype=np.float32)
labels, truth = np.array(labels), np.array(truth)
found = {}
for name, given in {
    "flat": {}, "inner product": {"index_metric": "INNER_PRODUCT"}, "cosine": {"index_metric": "COSINE"},
    "lists": {"index_type": "faiss.IVFFlat"}, "few lists": {"index_type": "faiss.IVFFlat", "faiss_index_ivf_nlists": 5},
    "cosine lists": {"index_type": "faiss.IVFFlat", "index_metric": "COSINE"},
    "parts": {"index_type": "faiss.IVFPQ"}, "padded": {"index_type": "faiss.IVFPQ", "faiss_index_pq_m": 12},
    "sign": {"dimension_reduction_type": "sign", "dimension_reduction_target": 32},
    "fjlt": {"dimension_reduction_type": "fjlt", "dimension_reduction_target": 32},
    "all": {
        "index_type": "faiss.IVFPQ", "faiss_index_pq_m": 12, "dimension_reduction_type": "sign",
        "dimension_reduction_target": 32,
    },
    "sample": {"sample_size": 300},
}.items():
    model = KNN(5, **given).fit(rows, labels)
    distances, _ = model.neighbors(other)
    found[name] = [float((model.predict(other) == truth).mean()), bool((np.diff(distances) >= 0).all()), model.index.d]
least = np.sort(-(other @ rows.T), axis=1)[:, :5]
products = KNN(5, index_metric="INNER_PRODUCT").fit(rows, labels).neighbors(other)[0]
found["products"] = [float(np.abs(products - least).max()), True, 64]
far = KNN(5).fit(rows + np.float32(1000), labels)
found["far"] = [float((far.predict(other + np.float32(1000)) == truth).mean()), True, 64]
sparse = KNN(5).fit(csr_matrix(rows), labels)
found["sparse"] = [float((sparse.predict(csr_matrix(other)) == truth).mean()), True, 64]
many = KNN(200, index_type="faiss.IVFFlat", faiss_index_ivf_nlists=300).fit(rows, labels)
found["more than the lists hold"] = [float(np.isfinite(many.neighbors(other)[0]).all()), True, 64]
print(json.dumps(found))
"""

_VOTES = """
import json
import numpy as np
from clary_runtimes.algorithms.knn.estimator import KNN
near = np.array([[3, 1, 1, 3, 2], [7, 5, 5, 1, 1], [9, 8, 7, 6, 5]], dtype=np.float32)
print(json.dumps([KNN(5).decide(near).tolist(), KNN(5, "regressor").decide(near).tolist()]))
"""

_SAMPLE = """
import json
import numpy as np
from clary_runtimes.algorithms.data.reservoir import Reservoir
hits = np.zeros(1000)
for seed in range(200):
    sample = Reservoir(100, seed)
    for start in range(0, 1000, 130):
        part = np.arange(start, min(1000, start + 130), dtype=np.float32)
        sample.add(part[:, None], part)
    assert len(sample.features) == 100 and (sample.features[:, 0] == sample.labels).all()
    assert len(set(sample.labels.tolist())) == 100
    hits[sample.labels.astype(int)] += 1
print(json.dumps([float(part.mean()) for part in hits.reshape(10, 100)]))
"""


@pytest.fixture(scope="module")
def digits(linear_learner: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits and diabetes, in a training and a test part, with what scikit-learn says of them."""
    file: Path = tmp_path_factory.mktemp("knn") / "data.json"
    file.write_text(json.dumps(linear_learner.evaluate(_DIGITS)))
    return file


def test_every_index_finds_the_neighbors(knn: Any, digits: Path) -> None:
    reference = json.loads(digits.read_text())["digits"][5]
    found = knn.evaluate(_INDEXES, str(digits))
    assert all(is_sorted for _, is_sorted, _ in found.values())
    for name in ("flat", "far", "sparse"):
        assert found[name][0] == pytest.approx(reference, abs=0.003), name
    assert found["cosine"][0] > 0.97 and found["products"][0] < 1e-2 and found["more than the lists hold"][0] == 1
    for name in ("lists", "few lists", "cosine lists", "parts", "padded"):
        assert found[name][0] > 0.96, name
    for name in ("sign", "fjlt", "sample", "all"):
        assert found[name][0] > 0.9, name
    assert {name: found[name][2] for name in ("padded", "sign", "fjlt", "all")} == {
        "padded": 72, "sign": 32, "fjlt": 32, "all": 36,
    }  # fmt: skip


def test_votes_and_means(knn: Any) -> None:
    votes, means = knn.evaluate(_VOTES)
    assert votes == [3, 5, 9] and means == pytest.approx([2, 3.8, 7])


def test_a_sample_is_even(knn: Any) -> None:
    assert all(15 < hits < 25 for hits in knn.evaluate(_SAMPLE))


def test_a_classifier_of_digits(knn: Any, digits: Path, ml_root: Path, serve: Any) -> None:
    rows, labels, other, truth, distances, score = json.loads(digits.read_text())["digits"]
    job = knn.job(ml_root).channel("train", recordio(rows, labels), RECORDIO)
    job.channel("test", csv([[label, *row] for label, row in zip(truth, other, strict=True)]))
    given = {"k": "5", "feature_dim": "64", "predictor_type": "classifier", "sample_size": "2000"}
    log = job.succeed(given)
    # scikit-learn's brute force has the same 0.98 of these 450 digits right.
    accuracy = float(log.partition("test accuracy <score>=")[2].split()[0])
    assert accuracy > 0.975 and accuracy == pytest.approx(score, abs=0.003)
    server = serve(knn, ml_root).wait()
    answer = server.invoke(csv(other[:20]), accept="application/json; verbose=true")
    assert answer.content_type == "application/json"
    found = answer.json()["predictions"]
    assert [set(row) for row in found] == [{"predicted_label", "labels", "distances"}] * 20
    for row, expected in zip(found, distances, strict=True):
        assert row["distances"] == pytest.approx(expected, rel=1e-4) and len(row["labels"]) == 5
    lines = server.invoke(csv(other[:2]), accept="application/jsonlines; verbose=true").body.splitlines()
    assert [json.loads(line) for line in lines] == found[:2]
    body = server.invoke(csv(other[:1]), accept="application/x-recordio-protobuf; verbose=true").body
    assert all(name in body for name in (b"predicted_label", b"distances", b"labels"))
    labelled = csv([[truth[0], *other[0]]])
    assert server.invoke(labelled, "text/csv; label_size=1").json()["predictions"][0]["predicted_label"] == truth[0]


def test_a_regressor_and_its_documented_artifact(knn: Any, digits: Path, ml_root: Path, serve: Any) -> None:
    rows, labels, other, truth, _, score = json.loads(digits.read_text())["diabetes"]
    job = knn.job(ml_root).channel("train", csv([[label, *row] for label, row in zip(labels, rows, strict=True)]))
    job.channel("test", csv([[label, *row] for label, row in zip(truth, other, strict=True)]))
    given = {"k": "5", "feature_dim": "10", "predictor_type": "regressor", "sample_size": "1000"}
    log = job.succeed({**given, "dimension_reduction_type": "fjlt", "dimension_reduction_target": "9"})
    # Exact neighbors leave 3,855; the mean leaves 4,964.
    assert float(log.partition("test mse <loss>=")[2].split()[0]) < 4300
    log = job.succeed(given)
    assert float(log.partition("test mse <loss>=")[2].split()[0]) == pytest.approx(score, rel=0.01)
    model = ml_root / "model"
    stored = struct.unpack(f"<{len(labels)}f", (model / "model_algo-1.labels").read_bytes())
    assert list(stored) == labels
    document = json.loads((model / "model_algo-1.json").read_text())
    assert document["k"] == 5 and document["predictor_type"] == "regressor" and document["normalize"] is False
    (model / "model_algo-1.json").write_text(json.dumps({**document, "k": 1}))
    answer = serve(knn, ml_root).wait().invoke(csv(rows[:3]))
    assert [row["predicted_label"] for row in answer.json()["predictions"]] == labels[:3]


def test_hyperparameters_have_the_documented_defaults() -> None:
    given = {"k": "10", "feature_dim": "50", "predictor_type": "classifier", "sample_size": "5000"}
    assert SPECIFICATION.parse(given) == {
        "k": 10, "feature_dim": 50, "predictor_type": "classifier", "sample_size": 5000,
        "faiss_index_ivf_nlists": "auto", "index_metric": "L2", "index_type": "faiss.Flat", "mini_batch_size": 5000,
    }  # fmt: skip
    assert SPECIFICATION.validate(
        {**given, "dimension_reduction_type": "sign", "dimension_reduction_target": "50"}
    ) == ["Hyperparameter dimension_reduction_target: 50 is not less than feature_dim, which is 50"]
    [message] = SPECIFICATION.validate({**given, "faiss_index_pq_m": "5"})
    assert message.startswith("Hyperparameter faiss_index_pq_m: '5' is not valid, it must be one of [1, 2, 3, 4, 8")
    assert [metrics.direction(name) for name in ("test:accuracy", "test:mse")] == ["Maximize", "Minimize"]
