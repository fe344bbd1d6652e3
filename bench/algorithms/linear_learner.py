"""The Linear Learner beside scikit-learn's linear models, by their defaults: quality over ten splits, and seconds.

The small data are scikit-learn's ``breast_cancer``, ``digits`` and ``diabetes``, a quarter of the rows held out, ten
times; scikit-learn's models get standardised columns, since ours standardises by itself. Ours trains 32 models at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bench.algorithms import Row
from bench.algorithms._alternate import alternately

IMAGE = "linear-learner"
BESIDE: tuple[str, ...] = ()
SPLITS = 10
FIRST_SPLIT = 1000
"""Not among the splits by which what ``auto`` means was chosen."""

BINARY = {"predictor_type": "binary_classifier"}
DIGITS = {"predictor_type": "multiclass_classifier", "num_classes": 10}
REGRESSOR = {"predictor_type": "regressor"}
SMALL = {"mini_batch_size": 100}
ONE = {"num_models": 1, "learning_rate": 0.01, "wd": 0.001, "mini_batch_size": 100, "epochs": 100}
"""As somebody sets it who knows that the data are few: one model, that has time to converge."""


def measure() -> Iterator[Row]:
    """Two classes, ten, and numbers; then two large tables."""
    from sklearn import datasets
    from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDRegressor

    classes: tuple[Callable[[], Any], ...] = (
        lambda: LogisticRegression(max_iter=1000), lambda: SGDClassifier(random_state=0),
    )  # fmt: skip
    numbers: tuple[Callable[[], Any], ...] = (Ridge, lambda: SGDRegressor(random_state=0))
    accuracy = "binary_classification_accuracy"
    for name, given, metric, others in (
        ("breast_cancer", BINARY, accuracy, classes),
        ("digits", DIGITS, "multiclass_accuracy", classes),
        ("diabetes", REGRESSOR, "mse", numbers),
    ):
        table = getattr(datasets, f"load_{name}")(return_X_y=True)
        for more in ({}, SMALL, ONE):
            yield from _beside(name, table, {**given, **more}, metric, others, SPLITS)
    size = {"n_features": 50, "n_informative": 20, "random_state": 0}
    labelled = datasets.make_classification(200_000, flip_y=0.05, **size)
    yield from _beside("200,000 × 50, two classes", labelled, BINARY, accuracy, classes, 1)
    valued = datasets.make_regression(200_000, noise=50, **size)
    yield from _beside("200,000 × 50, numbers", valued, REGRESSOR, "mse", numbers, 1)


def _beside(
    data: str, table: Any, given: dict[str, Any], metric: str, others: tuple[Callable[[], Any], ...], splits: int
) -> Iterator[Row]:
    import numpy as np
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from clary_runtimes.algorithms.linear_learner.estimator import LinearLearner

    quality = []
    for split in range(FIRST_SPLIT, FIRST_SPLIT + splits):
        rows, held, labels, truth = train_test_split(*table, test_size=0.25, random_state=split)
        works = [
            lambda rows=rows, labels=labels: LinearLearner(**given).fit(rows, labels),
            *(
                lambda rows=rows, labels=labels, make=make: make_pipeline(StandardScaler(), make()).fit(rows, labels)
                for make in others
            ),
        ]
        if split == FIRST_SPLIT:
            models, seconds = alternately(*works)
        else:
            models = [work() for work in works]
        found = [models[0].score(held, truth)[metric]]
        for model in models[1:]:
            predicted = model.predict(held)
            found.append(((predicted - truth) ** 2).mean() if metric == "mse" else (predicted == truth).mean())
        quality.append(found)
    mean = np.mean(quality, axis=0)
    chosen = {name: value for name, value in given.items() if name in ONE}
    ours = ", ".join(f"{name}={value}" for name, value in chosen.items()) or "defaults"
    short = "mse" if metric == "mse" else "accuracy"
    for number, model in enumerate(models[1:], 1):
        name = f"scikit-learn {type(model[-1]).__name__}"
        yield Row(data, ours, name, short, float(mean[0]), float(mean[number]), seconds[0], seconds[number])
