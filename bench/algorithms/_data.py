"""Real data that comes with scikit-learn, and the same fifty times over for a longer run."""

from __future__ import annotations

from typing import Any

COPIES = 50


def digits() -> tuple[Any, Any]:
    """The 1,797 digits of 64 pixels, float32, and what they show."""
    import numpy as np
    from sklearn.datasets import load_digits

    rows, labels = load_digits(return_X_y=True)
    return rows.astype(np.float32), labels


def many_digits() -> tuple[Any, Any]:
    """Fifty copies of every digit, each pixel changed at random by about 1 of 16."""
    import numpy as np

    rows, labels = digits()
    noise = np.random.default_rng(0).normal(0, 1, (len(rows) * COPIES, rows.shape[1]))
    return np.tile(rows, (COPIES, 1)) + noise.astype(np.float32), np.tile(labels, COPIES)
