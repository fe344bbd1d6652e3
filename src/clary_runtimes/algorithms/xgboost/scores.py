"""The evaluation metrics that the container adds to those of the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from clary_runtimes.algorithms.xgboost.metrics import COMPUTED_HERE

Array = Any
Score = Callable[[Array, Array], float]


def evaluation(names: Sequence[str], objective: str) -> Callable[[Array, Any], list[tuple[str, float]]] | None:
    """The function for ``xgboost.train(custom_metric=…)`` that computes those of ``names`` the library lacks."""
    wanted = [name for name in names if name in COMPUTED_HERE]
    if not wanted:
        return None
    scores = _scores()

    def evaluate(predictions: Array, matrix: Any) -> list[tuple[str, float]]:
        truth = matrix.get_label()
        labels = predicted_labels(predictions, objective)
        return [(name, float(scores[name](truth, predictions if name in ("mse", "r2") else labels))) for name in wanted]

    return evaluate


def quality(predictions: Array, labels: Array, objective: str) -> dict[str, float]:
    """The metrics of ``COMPUTED_HERE`` that fit ``objective``, of predictions as ``Booster.predict`` returns them.

    Raises ``ValueError`` for a ranking or a survival time, whose metrics need more than labels.
    """
    if objective.startswith(("rank:", "survival:")):
        raise ValueError(f"the metrics of {objective} need more than labels: groups, or which times are censored")
    scores = _scores()
    if not objective.startswith(("binary:", "multi:")):
        return {name: float(scores[name](labels, predictions)) for name in ("mse", "r2")}
    found = predicted_labels(predictions, objective)
    names = ["accuracy", "balanced_accuracy", "f1_macro", "precision_macro", "recall_macro"]
    if objective.startswith("binary:"):
        names += ["f1_binary", "precision", "recall"]
    return {name: float(scores[name](labels, found)) for name in names}


def predicted_labels(predictions: Array, objective: str) -> Array:
    """The classes that ``predictions`` (as ``Booster.predict`` returns them for ``objective``) speak for."""
    if predictions.ndim == 2:
        return predictions.argmax(axis=1)
    if objective in ("multi:softmax", "binary:hinge"):
        return predictions
    return (predictions > (0.0 if objective == "binary:logitraw" else 0.5)).astype(np.float32)


def _scores() -> dict[str, Score]:
    from sklearn import metrics

    def averaged(score: Any, average: str) -> Score:
        return lambda truth, labels: score(truth, labels, average=average, zero_division=0)

    return {
        "accuracy": metrics.accuracy_score,
        "balanced_accuracy": metrics.balanced_accuracy_score,
        "f1": averaged(metrics.f1_score, "macro"),
        "f1_binary": averaged(metrics.f1_score, "binary"),
        "f1_macro": averaged(metrics.f1_score, "macro"),
        "mse": metrics.mean_squared_error,
        "precision": averaged(metrics.precision_score, "binary"),
        "precision_macro": averaged(metrics.precision_score, "macro"),
        "precision_micro": averaged(metrics.precision_score, "micro"),
        "r2": metrics.r2_score,
        "recall": averaged(metrics.recall_score, "binary"),
        "recall_macro": averaged(metrics.recall_score, "macro"),
        "recall_micro": averaged(metrics.recall_score, "micro"),
    }
