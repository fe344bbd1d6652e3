"""Quality of predictions: the documented metrics, and the choice of a threshold.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/linear-learner-tuning.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clary_runtimes.algorithms.linear_learner.losses import softmax

Array = Any

LOSS_NAMES = ("mse", "absolute_loss", "rmse", "mae")
"""The metrics that are better when smaller and are printed as ``<loss>``; so are all ``…_objective``."""


def binary_curve(scores: Array, labels: Array) -> tuple[Array, Array, Array]:
    """Every useful threshold, with the true and the false positives when scores from it upwards count as 1.

    A threshold lies in the middle between two neighbouring scores; the first is above all of them.
    """
    order = np.argsort(-scores, kind="stable")
    ordered, truth = scores[order].astype(np.float64), labels[order] > 0
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))
    true = np.concatenate([[0], np.cumsum(truth)[last]])
    false = np.concatenate([[0], np.cumsum(~truth)[last]])
    distinct = ordered[last]
    between = (distinct[:-1] + distinct[1:]) / 2
    above = np.nextafter(distinct[0], np.inf)
    return np.concatenate([[above], between, [np.nextafter(distinct[-1], -np.inf)]]), true, false


def choose_threshold(
    scores: Array, labels: Array, criterion: str, hyperparameters: Mapping[str, Any]
) -> tuple[float, float]:
    """The threshold that serves ``criterion`` best, and how well it does (more is better).

    ``criterion`` is a ``binary_classifier_model_selection_criteria``; of a target that cannot be reached, the nearest
    is taken.
    """
    thresholds, true, false = binary_curve(scores, labels)
    positives, negatives = true[-1], false[-1]
    recall = true / max(1, positives)
    precision = np.divide(true, true + false, out=np.ones(len(true)), where=true + false > 0)
    if criterion in ("f_beta", "f1"):
        value = _f_beta(precision, recall, 1.0 if criterion == "f1" else hyperparameters["f_beta"])
    elif criterion == "precision_at_target_recall":
        reached = recall >= hyperparameters["target_recall"]
        value = np.where(reached, precision, recall - 1.0)
    elif criterion == "recall_at_target_precision":
        reached = (precision >= hyperparameters["target_precision"]) & (true > 0)
        value = np.where(reached, recall, precision - 1.0 - (true == 0))
    else:
        value = (true + negatives - false) / max(1, positives + negatives)
    best = np.flatnonzero(value == value.max())
    chosen = best[len(best) // 2]  # the middle of a plateau is the safest of equals
    return float(thresholds[chosen]), float(value[chosen])


def binary_scores(
    scores: Array, probabilities: Array, labels: Array, threshold: float, beta: float
) -> dict[str, float]:
    """The documented metrics of a binary classifier."""
    truth, predicted = labels > 0, scores >= threshold
    hits = int((truth & predicted).sum())
    recall = hits / max(1, int(truth.sum()))
    precision = hits / max(1, int(predicted.sum()))
    specificity = int((~truth & ~predicted).sum()) / max(1, int((~truth).sum()))
    _, true, false = binary_curve(scores, labels)
    area = float(np.trapezoid(true, false) if hasattr(np, "trapezoid") else np.trapz(true, false))
    clipped = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return {
        "binary_classification_accuracy": float((truth == predicted).mean()),
        f"binary_f_{beta:.3f}": float(_f_beta(np.array([precision]), np.array([recall]), beta)[0]),
        "precision": precision,
        "recall": recall,
        "roc_auc_score": area / max(1, true[-1] * false[-1]),
        "binary_balanced_accuracy": (recall + specificity) / 2,
        "binary_log_loss": float(-np.where(truth, np.log(clipped), np.log(1 - clipped)).mean()),
    }


def multiclass_scores(raw: Array, labels: Array, top: int, beta: float) -> dict[str, float]:
    """The documented metrics of a multiclass classifier; ``raw`` is (rows, classes)."""
    classes, truth = raw.shape[1], labels.astype(np.int64)
    own = raw[np.arange(len(raw)), truth][:, None]
    rank = (raw > own).sum(axis=1)
    predicted = raw.argmax(axis=1)
    confusion = np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)
    hits = np.diag(confusion)
    present = confusion.sum(axis=1) > 0
    recall = hits / np.maximum(1, confusion.sum(axis=1))
    precision = hits / np.maximum(1, confusion.sum(axis=0))
    probability = np.clip(softmax(raw.astype(np.float64))[np.arange(len(raw)), truth], 1e-15, 1.0)
    return {
        "multiclass_accuracy": float((predicted == truth).mean()),
        f"multiclass_top_k_accuracy_{top}": float((rank < top).mean()),
        "dcg": float((1.0 / np.log2(rank + 2.0)).mean()),
        "macro_recall": float(recall[present].mean()),
        "macro_precision": float(precision[present].mean()),
        f"macro_f_{beta:.3f}": float(_f_beta(precision, recall, beta)[present].mean()),
        "multiclass_balanced_accuracy": float(recall[present].mean()),
        "multiclass_log_loss": float(-np.log(probability).mean()),
    }


def regression_scores(predictions: Array, labels: Array) -> dict[str, float]:
    """The documented metrics of a regressor, in the units of the label."""
    error = predictions.astype(np.float64) - labels
    mse, spread = float((error**2).mean()), float(((labels - labels.mean()) ** 2).mean())
    absolute = float(np.abs(error).mean())
    return {
        "mse": mse,
        "absolute_loss": absolute,
        "rmse": mse**0.5,
        "mae": absolute,
        "r2": 1.0 - mse / spread if spread else 0.0,
    }


def _f_beta(precision: Array, recall: Array, beta: float) -> Array:
    bottom = beta**2 * precision + recall
    return np.divide((1 + beta**2) * precision * recall, bottom, out=np.zeros(len(bottom)), where=bottom > 0)
