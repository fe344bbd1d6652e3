"""An even random sample of a stream of unknown length, in the memory of the sample.

Reference: Jeffrey S. Vitter, "Random Sampling with a Reservoir", ACM Transactions on Mathematical Software 11 (1985),
algorithm R.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


class Reservoir:
    """At most ``size`` rows, each row of the stream with the same probability."""

    def __init__(self, size: int, seed: int) -> None:
        self.size = size
        self.seen = 0
        """The rows of the stream so far."""
        self._generator = np.random.default_rng(seed)
        self._filling: list[tuple[Array, Array | None]] = []
        self._features: Array = None
        self._labels: Array = None

    def add(self, features: Array, labels: Array | None = None) -> None:
        """The next rows of the stream, dense or CSR (rows, columns), and their labels (rows,)."""
        count = features.shape[0]
        first = min(count, max(0, self.size - self.seen))
        if first:
            part = _dense(features[:first])
            self._filling.append((part.copy(), None if labels is None else labels[:first].copy()))
        if first < count:
            self._settle()
            numbers = np.arange(self.seen + first, self.seen + count)
            places = self._generator.integers(0, numbers + 1)
            taken = np.flatnonzero(places < self.size)
            # Of several rows for one place the last one stays, as if they had come one by one.
            self._features[places[taken]] = _dense(features[first:][taken])
            if labels is not None:
                self._labels[places[taken]] = labels[first:][taken]
        self.seen += count

    @property
    def features(self) -> Array:
        """The sample (rows, columns), dense."""
        self._settle()
        return self._features

    @property
    def labels(self) -> Array:
        """The labels of the sample (rows,); None if there are none."""
        self._settle()
        return self._labels

    def _settle(self) -> None:
        if not self._filling:
            return
        parts = self._filling if self._features is None else [(self._features, self._labels), *self._filling]
        self._features = np.concatenate([features for features, _ in parts])
        if parts[0][1] is not None:
            self._labels = np.concatenate([labels for _, labels in parts])
        self._filling = []


def _dense(features: Array) -> Array:
    return features if isinstance(features, np.ndarray) else features.toarray()
