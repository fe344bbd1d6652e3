"""PCA beside scikit-learn on real data, and what its hyperparameters do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clary_runtimes.algorithms.pca import metrics
from clary_runtimes.algorithms.pca.hyperparameters import SPECIFICATION

_REFERENCE = """
import json
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits, load_breast_cancer
from sklearn.decomposition import PCA as Reference, TruncatedSVD
from clary_runtimes.algorithms.pca.estimator import PCA
found = []
for rows in (load_digits().data, load_breast_cancer().data, load_digits().data + 1e5):
    rows = rows.astype(np.float32)
    reference = Reference(10, svd_solver="full").fit(rows.astype(np.float64))
    model = PCA(10).fit_batches(rows[start : start + 100] for start in range(0, len(rows), 100))
    turned = np.abs((model.components * reference.components_).sum(axis=1))
    projected = np.abs(model.transform(rows)[:, ::-1]) - np.abs(reference.transform(rows))
    found.append([
        float(turned.min()), float(np.abs(model.s[::-1] / reference.singular_values_ - 1).max()),
        float(np.abs(projected).max() / np.abs(reference.transform(rows)).max()),
        model.explained_variance_ratio - float(reference.explained_variance_ratio_.sum()),
    ])
rows = load_digits().data.astype(np.float32)
plain, sparse = PCA(5, subtract_mean=False).fit(rows), PCA(5).fit(csr_matrix(rows))
reference = TruncatedSVD(5, algorithm="arpack").fit(rows)
found.append([
    float(np.abs((plain.components * reference.components_).sum(axis=1)).min()),
    float(np.abs((sparse.components * PCA(5).fit(rows).components).sum(axis=1)).min()),
    float(np.abs(sparse.transform(csr_matrix(rows[:9])) - sparse.transform(rows[:9])).max()),
])
print(json.dumps(found))
"""

_SKETCH = """
import json
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits
from clary_runtimes.algorithms.pca.estimator import PCA
rows = load_digits().data.astype(np.float32)
middle = rows - rows.mean(axis=0)
def kept(model):
    return float(np.square(middle @ model.v).sum() / np.square(middle).sum())
best = kept(PCA(10).fit(rows))
given = {"algorithm_mode": "randomized"}
print(json.dumps({
    "default": kept(PCA(10, **given).fit(rows)) / best,
    "extra": kept(PCA(10, **given, extra_components=200).fit(rows)) / best,
    "sparse": kept(PCA(10, **given, extra_components=200).fit(csr_matrix(rows))) / best,
    "orthogonal": float(np.abs(PCA(10, **given).fit(rows).v.T @ PCA(10, **given).fit(rows).v - np.eye(10)).max()),
}))
"""


def test_components_are_those_of_scikit_learn(pca: Any) -> None:
    *rows, others = pca.evaluate(_REFERENCE)
    for turned, values, projected, explained in rows:
        assert turned > 0.9999 and values < 1e-3 and projected < 1e-3 and abs(explained) < 1e-4
    assert others[0] > 0.9999 and others[1] > 0.9999 and others[2] < 1e-3


def test_a_sketch_keeps_most_of_the_variance(pca: Any) -> None:
    found = pca.evaluate(_SKETCH)
    assert found["default"] > 0.75 and found["extra"] > 0.93 and found["sparse"] > 0.93
    assert found["orthogonal"] < 1e-5


@pytest.mark.parametrize("mode", ["regular", "randomized"])
def test_the_artifact_has_the_official_arrays(pca: Any, ml_root: Path, mode: str) -> None:
    job = pca.job(ml_root).channel("train", "1,2,4\n2,4,7\n3,6.5,9\n4,8,14\n", "text/csv;label_size=0")
    given = {"num_components": "2", "feature_dim": "3", "mini_batch_size": "3", "algorithm_mode": mode}
    code = (
        "import json, sys, numpy; found = numpy.load(sys.argv[1] + '/model_algo-1');"
        "print(json.dumps({name: found[name].tolist() for name in found}))"
    )
    job.succeed({**given, "subtract_mean": "True"})
    found = pca.evaluate(code, str(ml_root / "model"))
    assert found["mean"] == [[2.5, 5.125, 8.5]] and len(found["v"]) == 3 and len(found["v"][0]) == 2
    assert found["s"] == sorted(found["s"])
    job.succeed({**given, "subtract_mean": "False"})
    assert set(pca.evaluate(code, str(ml_root / "model"))) == {"format", "s", "v"}


def test_digits_keep_their_variance_in_20_components(pca: Any, ml_root: Path, serve: Any) -> None:
    code = "import json; from sklearn.datasets import load_digits; print(json.dumps(load_digits().data.tolist()))"
    rows = pca.evaluate(code)
    text = "\n".join(",".join(f"{value:g}" for value in row) for row in rows)
    job = (
        pca.job(ml_root).channel("train", text, "text/csv;label_size=0").channel("test", text, "text/csv;label_size=0")
    )
    log = job.succeed({"num_components": "20", "feature_dim": "64", "mini_batch_size": "500"})
    # 20 of 64 components explain 89.4 % of the variance of the digits.
    assert (
        "test explained_variance_ratio <score>=0.894" in log and "train explained_variance_ratio <score>=0.894" in log
    )
    answer = serve(pca, ml_root).wait().invoke(text.splitlines()[0], accept="application/jsonlines")
    assert len(json.loads(answer.body)["projection"]) == 20


def test_hyperparameters_have_the_documented_defaults() -> None:
    given = {"num_components": "10", "feature_dim": "784", "mini_batch_size": "100"}
    assert SPECIFICATION.parse(given) == {
        "num_components": 10, "feature_dim": 784, "mini_batch_size": 100, "algorithm_mode": "regular",
        "extra_components": -1, "subtract_mean": True,
    }  # fmt: skip
    assert SPECIFICATION.validate({**given, "num_components": "785"}) == [
        "Hyperparameter num_components: 785 is more than feature_dim, which is 784"
    ]
    assert metrics.direction("test:reconstruction_error") == "Minimize"
