"""How good predictions are."""

from __future__ import annotations

from collections.abc import Sequence


def accuracy(labels: Sequence[int], scores: Sequence[float]) -> float:
    """The share of rows whose score lies on the right side of one half."""
    return sum((score >= 0.5) == bool(label) for label, score in zip(labels, scores, strict=True)) / len(labels)


def area_under_curve(labels: Sequence[int], scores: Sequence[float]) -> float:
    """The area under the ROC curve: how often a positive row scores above a negative one, ties counted as half.

    Computed from ranks as in Hanley and McNeil, "The meaning and use of the area under a ROC curve" (1982). Raises
    ``ValueError`` if all labels are the same.
    """
    positives = sum(1 for label in labels if label)
    negatives = len(labels) - positives
    if not positives or not negatives:
        raise ValueError("the area under the curve needs labels of both kinds")
    order = sorted(range(len(scores)), key=lambda index: scores[index])
    ranks = 0.0
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and scores[order[end]] == scores[order[start]]:
            end += 1
        # Equal scores share the middle of their ranks, which are counted from 1.
        ranks += sum((start + end + 1) / 2 for index in order[start:end] if labels[index])
        start = end
    return (ranks - positives * (positives + 1) / 2) / (positives * negatives)
