"""k-NN beside scikit-learn's KNeighborsClassifier: accuracy, seconds to fit and to ask for the other rows."""

from __future__ import annotations

from collections.abc import Iterator

from bench.algorithms import Row, timed
from bench.algorithms._data import digits, many_digits

IMAGE = "knn"
BESIDE = ("scikit-learn==1.9.1",)


def measure() -> Iterator[Row]:
    """Ask each index for 5 neighbors."""
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier

    from clary_runtimes.algorithms.knn.estimator import KNN

    for data, load, share in (("digits", digits, 0.25), ("50 × digits", many_digits, 0.05)):
        rows, asked, labels, truth = train_test_split(*load(), test_size=share, random_state=0)
        right, theirs = timed(
            lambda r=rows, n=labels, a=asked, t=truth: (KNeighborsClassifier(5).fit(r, n).predict(a) == t).mean()
        )
        for kind in ("faiss.Flat", "faiss.IVFFlat", "faiss.IVFPQ"):
            ours, seconds = timed(
                lambda kind=kind, r=rows, n=labels, a=asked, t=truth: (
                    KNN(5, index_type=kind).fit(r, n).predict(a) == t
                ).mean()
            )
            library = "scikit-learn KNeighborsClassifier"
            yield Row(data, kind, library, "accuracy", float(ours), float(right), seconds, theirs)
