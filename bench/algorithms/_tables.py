"""Tables for the boosted trees: real digits for quality, a large synthetic one for time."""

from __future__ import annotations

from typing import Any

from bench.algorithms._data import digits

ROWS, COLUMNS = 200_000, 50
"""Of the synthetic table, before a fifth of it is held back."""


def real() -> tuple[Any, Any, Any]:
    """The digits of scikit-learn: problem, training and validation table."""
    return _tables(*digits())


def large() -> tuple[Any, Any, Any]:
    """Two classes that 20 of 50 columns tell apart, 1 label in 20 wrong: problem, training and validation table."""
    from sklearn.datasets import make_classification

    return _tables(*make_classification(ROWS, COLUMNS, n_informative=20, flip_y=0.05, random_state=0))


def accuracy(found: Any, truth: Any) -> float:
    """The share of rows whose class is the one of the largest probability."""
    chosen = found.argmax(axis=1) if found.ndim == 2 else found > 0.5
    return float((chosen == truth).mean())


def _tables(rows: Any, labels: Any) -> tuple[Any, Any, Any]:
    import numpy as np

    from clary_runtimes.algorithms.jumpstart.numbers import Table, split
    from clary_runtimes.algorithms.jumpstart.problem import problem_of

    labels = labels.astype(np.float64)
    train, validation = split(Table(rows.astype(np.float64), labels))
    return problem_of(labels, None, "train"), train, validation
