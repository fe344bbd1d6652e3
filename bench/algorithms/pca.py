"""PCA beside scikit-learn's: the part of the variance that 10 components keep, seconds to fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.algorithms import Row, timed
from bench.algorithms._data import digits, many_digits

IMAGE = "pca"
BESIDE: tuple[str, ...] = ()


def measure() -> Iterator[Row]:
    """Fit the digits in both modes."""
    import numpy as np
    from sklearn.decomposition import PCA as Reference

    from clary_runtimes.algorithms.pca.estimator import PCA

    def kept(rows: Any, vectors: Any) -> float:
        middle = rows - rows.mean(axis=0)
        return float(np.square(middle @ vectors).sum() / np.square(middle).sum())

    for data, load in (("digits", digits), ("50 × digits", many_digits)):
        rows, _ = load()
        for mode, solver in (("regular", "covariance_eigh"), ("randomized", "randomized")):
            model, seconds = timed(lambda mode=mode, rows=rows: PCA(10, algorithm_mode=mode).fit(rows))
            other, theirs = timed(
                lambda solver=solver, rows=rows: Reference(10, svd_solver=solver, random_state=0).fit(rows)
            )
            quality = (kept(rows, model.v), kept(rows, other.components_.T))
            yield Row(data, mode, f"scikit-learn PCA, {solver}", "variance kept", *quality, seconds, theirs)
