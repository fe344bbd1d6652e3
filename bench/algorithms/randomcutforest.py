"""Random Cut Forest beside the package ``rrcf``: the area under the ROC curve, and seconds.

The data are scikit-learn's ``breast_cancer``: 20 malignant samples among the 357 benign ones, standardised. Both
measure collusive displacement with the same trees and samples: the forest is grown, then each row is inserted into
every tree, measured and taken out again; on the stream a row also replaces the oldest one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.algorithms import Row, timed

IMAGE = "randomcutforest"
BESIDE = ("rrcf==0.4.4", "setuptools<81", "scikit-learn==1.9.1")
TREES, SAMPLES, STREAM = 100, 128, 100


def measure() -> Iterator[Row]:
    """A batch, and a stream whose trees keep the latest rows."""
    import numpy as np
    from sklearn.datasets import load_breast_cancer
    from sklearn.metrics import roc_auc_score

    from clary_runtimes.algorithms.randomcutforest.estimator import RandomCutForest

    features, benign = load_breast_cancer(return_X_y=True)
    rows = np.concatenate([features[benign == 0][:20], features[benign == 1]])
    rows = ((rows - rows.mean(axis=0)) / rows.std(axis=0)).astype(np.float32)
    anomalies = np.arange(len(rows)) < 20
    order = np.random.default_rng(0).permutation(len(rows))
    rows, anomalies = rows[order], anomalies[order]

    def batch(by: str) -> Any:
        forest = RandomCutForest(TREES, SAMPLES, seed=1).fit_batches([rows])
        return getattr(forest, by)(rows)

    def stream() -> Any:
        forest = RandomCutForest(TREES, SAMPLES, seed=1)
        forest.update(rows[:SAMPLES], window=True)
        return forest.process(rows[SAMPLES : SAMPLES + STREAM], "codisplacement", window=True)

    batch("score"), batch("codisplacement"), stream()  # compiled by now
    given = f"{TREES} trees of {SAMPLES}"
    theirs, seconds = _rrcf_batch(rows)
    for by in ("score", "codisplacement"):
        found, took = timed(lambda by=by: batch(by))
        areas = roc_auc_score(anomalies, found), roc_auc_score(anomalies, theirs)
        yield Row("breast_cancer, 377 rows", f"{given}, {by}", "rrcf", "ROC AUC", *areas, took, seconds)
    theirs, seconds = _rrcf_stream(rows)
    found, took = timed(stream)
    marked = anomalies[SAMPLES : SAMPLES + STREAM]
    areas = roc_auc_score(marked, found), roc_auc_score(marked, theirs)
    yield Row(f"the same, a stream of {STREAM}", f"{given}, window", "rrcf", "ROC AUC", *areas, took, seconds)


def _rrcf_batch(rows: Any) -> tuple[Any, float]:
    import time

    import numpy as np
    import rrcf

    started = time.perf_counter()
    generator = np.random.default_rng(1)
    scores = np.zeros(len(rows))
    for _ in range(TREES):
        tree = rrcf.RCTree(rows[generator.choice(len(rows), SAMPLES, replace=False)].astype(float))
        for number, row in enumerate(rows.astype(float)):
            tree.insert_point(row, index="asked")
            scores[number] += tree.codisp("asked")
            tree.forget_point("asked")
    return scores / TREES, time.perf_counter() - started


def _rrcf_stream(rows: Any) -> tuple[Any, float]:
    import time

    import numpy as np
    import rrcf

    started = time.perf_counter()
    scores = np.zeros(STREAM)
    for _ in range(TREES):
        tree = rrcf.RCTree()
        for number, row in enumerate(rows[: SAMPLES + STREAM].astype(float)):
            if number >= SAMPLES:
                tree.forget_point(number - SAMPLES)
            tree.insert_point(row, index=number)
            if number >= SAMPLES:
                scores[number - SAMPLES] += tree.codisp(number)
    return scores / TREES, time.perf_counter() - started
