"""Projections onto fewer dimensions that nearly keep distances.

References: D. Achlioptas, "Database-friendly random projections", JCSS 66 (2003), for ``sign``; N. Ailon, B. Chazelle,
"The Fast Johnson-Lindenstrauss Transform and Approximate Nearest Neighbors", SIAM J. Comput. 39 (2009), for ``fjlt``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


class Reduction:
    """A projection from ``width`` to ``target`` dimensions, wholly given by its ``kind`` and its ``seed``."""

    def __init__(self, kind: str, width: int, target: int, seed: int) -> None:
        self.kind, self.width, self.target, self.seed = kind, width, target, seed
        generator = np.random.default_rng(seed)
        if kind == "sign":
            signs = generator.integers(0, 2, (width, target)) * 2 - 1
            self._matrix = (signs / np.sqrt(target)).astype(np.float32)
        else:
            self._signs = (generator.integers(0, 2, width) * 2 - 1).astype(np.float32)
            self._columns = np.sort(generator.choice(width, target, replace=False))
            self._scale = np.float32(np.sqrt(width / target))

    def apply(self, features: Array) -> Array:
        """The projections (rows, target) of (rows, width)."""
        if self.kind == "sign":
            return features @ self._matrix
        from scipy.fft import dct

        # The signs spread every row over all frequencies, so that a few of those tell of it.
        spread = dct(features * self._signs, axis=1, norm="ortho")
        return np.ascontiguousarray(spread[:, self._columns]) * self._scale

    def document(self) -> dict[str, Any]:
        """As it stands in the model's metadata."""
        return {"type": self.kind, "seed": self.seed, "target_dim": self.target, "input_dim": self.width}
