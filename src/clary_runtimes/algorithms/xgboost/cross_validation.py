"""K-fold cross-validation with the ``_kfold`` and ``_num_cv_round`` hyperparameters: one model a fold.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost.html (K-fold training)
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import numpy as np

from clary_runtimes.algorithms.data.table import Table
from clary_runtimes.algorithms.xgboost.data import matrix

if TYPE_CHECKING:
    from clary_runtimes.algorithms.xgboost.train import Rounds

Array = Any


def cross_validate(rounds: Rounds, rows: Table) -> list[Any]:
    """Train a model on each part of the data but one; the rows left out are predicted into ``predictions.csv``.

    That file, in the output data folder, has a line a row: its label, then its prediction (the mean over the repeats).
    """
    labels, folds = rows.labels, rounds.folds or 2
    classification = rounds.objective.startswith(("binary:", "multi:"))
    generator = np.random.default_rng(int(rounds.parameters.get("seed", 0)))
    folder = rounds.job.folders
    models: list[Any] = []
    total: Array | None = None
    print(f"Run {rounds.fold_rounds}-round of {folds}-fold cross validation with {len(labels)} rows", flush=True)
    for _ in range(rounds.fold_rounds):
        parts = _parts(labels, folds, classification, generator)
        for part in range(folds):
            held, kept = np.flatnonzero(parts == part), np.flatnonzero(parts != part)
            print(f"Train cross validation fold {part + 1}", flush=True)
            train_part, held_part = matrix(rows.take(kept)), matrix(rows.take(held))
            checkpoints = None
            if rounds.job.checkpoints is not None:
                checkpoints = rounds.job.checkpoints / f"model-{len(models)}"
            model = rounds.run(train_part, held_part, folder.model / f"xgboost-model-{len(models)}", checkpoints)
            predicted = model.predict(held_part)
            if total is None:
                total = np.zeros((len(labels), *predicted.shape[1:]))
            total[held] += predicted
            models.append(model)
    assert total is not None
    folder.output_data.mkdir(parents=True, exist_ok=True)
    with (folder.output_data / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for label, prediction in zip(labels, total / rounds.fold_rounds, strict=True):
            writer.writerow([float(label), *np.atleast_1d(prediction).tolist()])
    return models


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
