"""Factorization Machines beside ``myfm`` (Bayesian, by Gibbs sampling) and a linear model of scikit-learn.

The data are scikit-learn's ``digits`` (is the digit odd?), and ratings of 400 users for 300 films, drawn from a model
of five hidden tastes, as sparse rows of two ones.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.algorithms import Row, timed
from bench.algorithms._data import digits

IMAGE = "factorization-machines"
BESIDE = ("myfm==0.4.0", "setuptools<81")


def measure() -> Iterator[Row]:
    """Classify digits, and predict ratings."""
    import myfm
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    from clary_runtimes.algorithms.factorization_machines.estimator import FactorizationMachine

    rows, labels = digits()
    rows, odd = rows / 16, labels % 2
    train, test = slice(0, 1400), slice(1400, None)
    settings = {"epochs": 60, "mini_batch_size": 100, "factors_lr": 0.02, "linear_lr": 0.02, "factors_init_sigma": 0.1}

    def machine() -> FactorizationMachine:
        return FactorizationMachine(16, "binary_classifier", seed=1, **settings).fit(rows[train], odd[train])

    found, took = timed(machine)
    ours = found.score(rows[test], odd[test])["binary_classification_accuracy"]
    sparse = csr_matrix(rows, dtype=np.float64)
    bayes, slow = timed(lambda: myfm.MyFMClassifier(16, random_seed=1).fit(sparse[train], odd[train] > 0, n_iter=100))
    linear, quick = timed(lambda: LogisticRegression(max_iter=2000).fit(rows[train], odd[train]))
    for name, other, seconds, given in (
        ("myfm MyFMClassifier", bayes, slow, sparse[test]),
        ("scikit-learn LogisticRegression", linear, quick, rows[test]),
    ):
        theirs = float((other.predict(given) == odd[test]).mean())
        yield Row("digits, odd", "16 factors, 60 epochs", name, "accuracy", ours, theirs, took, seconds)

    generator = np.random.default_rng(0)
    users, films = generator.normal(size=(400, 5)), generator.normal(size=(300, 5))
    who, what = generator.integers(0, 400, 30_000), generator.integers(0, 300, 30_000)
    ratings = 3.5 + 0.4 * (users[who] * films[what]).sum(axis=1) + generator.normal(0, 0.5, 30_000)
    places = np.column_stack([who, 400 + what]).ravel()
    table = csr_matrix((np.ones(60_000, np.float32), places, np.arange(0, 60_001, 2)), shape=(30_000, 700))
    train, test = slice(0, 25_000), slice(25_000, None)
    settings = {"epochs": 25, "factors_lr": 0.01, "linear_lr": 0.005, "factors_init_sigma": 0.1, "factors_wd": 1e-4}

    def regressor() -> FactorizationMachine:
        return FactorizationMachine(5, seed=1, **settings).fit(table[train], ratings[train])

    found, took = timed(regressor)
    ours = found.score(table[test], ratings[test])["rmse"]
    wide = table.astype(np.float64)
    bayes, slow = timed(lambda: myfm.MyFMRegressor(5, random_seed=1).fit(wide[train], ratings[train], n_iter=100))
    theirs = float(np.sqrt(np.square(bayes.predict(wide[test]) - ratings[test]).mean()))
    given = "5 factors, 25 epochs"
    yield Row("30,000 ratings, sparse", given, "myfm MyFMRegressor", "rmse", ours, theirs, took, slow)
