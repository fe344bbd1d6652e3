"""Regression or classification: as the hyperparameters say, else as the labels look.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/lightgbm-hyperparameters.html
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.contract.errors import UserError

Array = Any

REGRESSION, BINARY, MULTICLASS = "regression", "binary", "multiclass"
FEW, MANY = 10, 100


class Problem(NamedTuple):
    """What is to be learnt: ``regression``, ``binary`` or ``multiclass``, and the labels of the classes in order."""

    kind: str
    labels: tuple[int, ...] = ()


def problem_of(labels: Array, kind: str | None, channel: str) -> Problem:
    """The problem with these ``labels`` (rows,), which are finite.

    With ``kind`` None, whole numbers that are not negative are classes if there are at most 10 of them, or a twentieth
    of the number of rows and at most 100, and each occurs twice on average. Raises ``UserError`` if the labels do not
    fit the kind, or are all the same.
    """
    found = np.unique(labels)
    if len(found) == 1:
        raise UserError(
            f"Channel '{channel}': all rows have the label {found[0]:g}, so there is nothing to learn; the label is the"
            " first column"
        )
    if kind is None:
        kind = _looks_like(found, len(labels))
    if kind == REGRESSION:
        return Problem(REGRESSION)
    bad = (labels < 0) | (labels != np.floor(labels)) | (labels >= 2**31 - 1)
    if bad.any():
        row = int(bad.argmax())
        raise UserError(
            f"Channel '{channel}', row {row + 1}: the label {labels[row]:g} is no class; classes are whole numbers from"
            " 0 to 2147483646"
        )
    if kind == BINARY and len(found) > 2:
        raise UserError(
            f"Channel '{channel}': there are {len(found)} labels where the chosen metric is for two classes"
        )
    return Problem(kind, tuple(int(label) for label in found))


def encode(labels: Array, problem: Problem, channel: str) -> Array:
    """The numbers of the classes from 0 on, or the labels themselves in a regression.

    Raises ``UserError`` for a label that is not one of the classes.
    """
    if problem.kind == REGRESSION:
        return labels
    classes = np.array(problem.labels, dtype=np.float64)
    numbers = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    unseen = classes[numbers] != labels
    if unseen.any():
        row = int(unseen.argmax())
        raise UserError(
            f"Channel '{channel}', row {row + 1}: the label {labels[row]:g} does not occur in the training data"
        )
    return numbers.astype(np.float64)


def announcement(problem: Problem, hyperparameter: str, chosen: bool) -> str:
    """A line for the log that says what is learnt, and how to have it otherwise."""
    what = "regression" if problem.kind == REGRESSION else f"classification with {len(problem.labels)} classes"
    return f"Task: {what}" + ("" if chosen else f" (by the labels; {hyperparameter} of another task changes it)")


def _looks_like(found: Array, rows: int) -> str:
    classes = len(found)
    if found[0] < 0 or (found != np.floor(found)).any():
        return REGRESSION
    if classes == 2:
        return BINARY
    limit = min(MANY, max(FEW, rows // 20))
    return MULTICLASS if classes <= limit and classes * 2 <= rows else REGRESSION
