"""K-Means beside scikit-learn's KMeans and MiniBatchKMeans, all by their defaults: mean squared distance, seconds."""

from __future__ import annotations

from collections.abc import Iterator

from bench.algorithms import Row, timed
from bench.algorithms._data import digits, many_digits

IMAGE = "kmeans"
BESIDE: tuple[str, ...] = ()


def measure() -> Iterator[Row]:
    """Fit 10 clusters of the digits and 100 of many."""
    from sklearn.cluster import KMeans as Full
    from sklearn.cluster import MiniBatchKMeans

    from clary_runtimes.algorithms.kmeans.estimator import KMeans

    for data, load, k in (("digits, k = 10", digits, 10), ("50 × digits, k = 100", many_digits, 100)):
        rows, _ = load()
        others = {
            library.__name__: timed(lambda library=library, k=k, rows=rows: library(k, random_state=0).fit(rows))
            for library in (Full, MiniBatchKMeans)
        }
        for given in ({}, {"epochs": 10}):
            model, seconds = timed(lambda k=k, given=given, rows=rows: KMeans(k, **given).fit(rows))
            ours = ", ".join(f"{key}={value}" for key, value in given.items()) or "defaults"
            for name, (other, theirs) in others.items():
                quality = (model.score(rows), -other.score(rows) / len(rows))
                yield Row(data, ours, f"scikit-learn {name}", "msd", *quality, seconds, theirs)
