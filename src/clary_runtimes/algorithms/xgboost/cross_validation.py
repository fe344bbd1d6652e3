"""K-fold cross-validation with the ``_kfold`` and ``_num_cv_round`` hyperparameters: one model a fold.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html (K-fold training)
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clary_runtimes.algorithms.data.table import Table
from clary_runtimes.algorithms.xgboost.data import matrix

if TYPE_CHECKING:
    from clary_runtimes.algorithms.xgboost.estimator import XGBoost

Array = Any


def cross_validate(
    estimator: XGBoost, rows: Table, boost: Callable[[Any, Any, int], Any], say: Callable[[str], None]
) -> tuple[list[Any], Array]:
    """Train a model on each part of the data but one, and predict the rows left out: models, and predictions.

    ``boost`` makes a model of a training and a validation matrix and its number. A prediction, (rows,) or (rows,
    classes), is the mean over the repeats.
    """
    labels, folds = rows.labels, estimator.folds or 2
    classification = estimator.objective.startswith(("binary:", "multi:"))
    generator = np.random.default_rng(int(estimator.hyperparameters.get("seed", 0)))
    models: list[Any] = []
    total: Array | None = None
    say(f"Run {estimator.fold_rounds}-round of {folds}-fold cross validation with {len(labels)} rows")
    for _ in range(estimator.fold_rounds):
        parts = _parts(labels, folds, classification, generator)
        for part in range(folds):
            held, kept = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
            say(f"Train cross validation fold {part + 1}")
            held_part = matrix(rows.take(held))
            model = boost(matrix(rows.take(kept)), held_part, len(models))
            predicted = model.predict(held_part)
            if total is None:
                total = np.zeros((len(labels), *predicted.shape[1:]))
            total[held] += predicted
            models.append(model)
    assert total is not None
    return models, total / estimator.fold_rounds


def write_predictions(path: Path, labels: Array, predictions: Array) -> None:
    """Write ``predictions.csv``: a line a row, its label and then its prediction."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for label, prediction in zip(labels, predictions, strict=True):
            writer.writerow([float(label), *np.atleast_1d(prediction).tolist()])


def _parts(labels: Array, count: int, stratified: bool, generator: Any) -> Array:
    """The number of the part of every row; each part gets its share of every class if ``stratified``."""
    parts = np.empty(len(labels), dtype=np.int64)
    classes = np.unique(labels) if stratified else [None]
    offset = 0
    for label in classes:
        rows = np.arange(len(labels)) if label is None else np.flatnonzero(labels == label)
        generator.shuffle(rows)
        parts[rows] = (np.arange(len(rows)) + offset) % count
        offset += len(rows)
    return parts
