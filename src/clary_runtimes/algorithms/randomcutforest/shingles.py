"""Shingling: the last values of a series, side by side, as one point.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_how-it-works.html
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def shingle(series: Array, size: int) -> Array:
    """A series (steps, columns) as points (steps - size + 1, size x columns), float32: each has ``size`` steps that
    follow each other, the oldest first; none if there are fewer steps."""
    series = np.ascontiguousarray(series, dtype=np.float32)
    if series.ndim == 1:
        series = series[:, None]
    if size == 1:
        return series
    if len(series) < size:
        return np.empty((0, size * series.shape[1]), np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(series, size, axis=0)
    return np.ascontiguousarray(windows.transpose(0, 2, 1)).reshape(len(windows), -1)


class Shingler:
    """Shingles of a series that comes in pieces."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._last: Array = None

    def add(self, piece: Array) -> tuple[Array, int]:
        """The points that the next steps (steps, columns) complete, and how many of these steps complete none."""
        piece = np.ascontiguousarray(piece, dtype=np.float32)
        if piece.ndim == 1:
            piece = piece[:, None]
        series = piece if self._last is None else np.concatenate([self._last, piece])
        self._last = series[max(0, len(series) - self.size + 1) :].copy()
        points = shingle(series, self.size)
        return points, len(piece) - len(points)
