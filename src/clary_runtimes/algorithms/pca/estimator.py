"""Principal components of a stream of rows, in one pass.

The summaries of the two modes, and how they become components:
https://docs.aws.amazon.com/sagemaker/latest/dg/how-pca-works.html. The randomised one is a sketch by random signs: T.
Sarlós, "Improved Approximation Algorithms for Large Matrices via Random Projections", FOCS 2006.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.artifact import load_arrays, save_arrays
from clary_runtimes.algorithms.pca.hyperparameters import RANDOMIZED, REGULAR

Array = Any

FORM = "clary-pca-1"
PIECE = 8192


class PCA:
    """``num_components`` principal components. The arguments are the documented hyperparameters of the same names.

    Once it is fitted: ``mean`` (features,), zeros unless the mean is subtracted; ``s`` (components,), the singular
    values of the rows, from the least to the greatest as in the official artifact; ``v`` (features, components);
    ``explained_variance_ratio``, the part of the variance that all components have together (from a sketch an
    estimate).
    """

    def __init__(
        self,
        num_components: int,
        *,
        algorithm_mode: str = REGULAR,
        extra_components: int = -1,
        subtract_mean: bool = True,
        seed: int = 0,
    ) -> None:
        self.num_components, self.mode, self.subtract_mean = num_components, algorithm_mode, subtract_mean
        extra = max(10, num_components) if extra_components == -1 else extra_components
        self.sketch_rows = num_components + extra
        self.generator = np.random.default_rng(seed)
        self.mean: Array = None
        self.s: Array = None
        self.v: Array = None
        self.explained_variance_ratio = 0.0

    def fit(self, features: Array, y: object = None) -> PCA:
        """Fit (rows, columns), dense or CSR; ``y`` is ignored."""
        return self.fit_batches(features[start : start + PIECE] for start in range(0, features.shape[0], PIECE))

    def fit_batches(self, batches: Iterable[Array]) -> PCA:
        """Fit a stream of batches (rows, columns), dense or CSR, in one pass.

        The memory is that of one batch and of columns x columns numbers (``regular``) or
        (num_components + extra_components) x columns (``randomized``). Raises ``ValueError`` if there are fewer rows or
        columns than components.
        """
        summary: _Scatter | _Sketch | None = None
        for batch in batches:
            if summary is None:
                width = batch.shape[1]
                sketched = self.mode == RANDOMIZED
                summary = _Sketch(width, self.sketch_rows, self.generator) if sketched else _Scatter(width)
                if self.subtract_mean and isinstance(batch, np.ndarray):
                    # Rows far from the origin would lose their differences when they are squared.
                    summary.shift = batch.mean(axis=0, dtype=np.float64)
            summary.add(batch)
        if summary is None or summary.rows < self.num_components or len(summary.total) < self.num_components:
            shape = (0, 0) if summary is None else (summary.rows, len(summary.total))
            raise ValueError(
                f"{self.num_components} components cannot be found in {shape[0]} rows and {shape[1]} columns"
            )
        middle = summary.total / summary.rows if self.subtract_mean else np.zeros(len(summary.total))
        squares, vectors = summary.top(self.num_components, middle)
        # Of a component only the line is given; let its greatest part point upwards.
        signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])
        self.mean = (summary.shift + middle).astype(np.float32)
        self.s = np.sqrt(np.maximum(squares, 0)).astype(np.float32)
        self.v = (vectors * np.where(signs == 0, 1, signs)).astype(np.float32)
        everything = summary.square - summary.rows * float(middle @ middle)
        self.explained_variance_ratio = float(min(1.0, squares.sum() / everything)) if everything > 0 else 1.0
        return self

    @property
    def components(self) -> Array:
        """The components as scikit-learn has them: (components, features), the greatest first."""
        return self.v.T[::-1]

    def transform(self, features: Array) -> Array:
        """The projections (rows, components), the greatest component last, of (rows, columns), dense or CSR."""
        if isinstance(features, np.ndarray):
            return (features.astype(np.float32, copy=False) - self.mean) @ self.v
        return features @ self.v - self.mean @ self.v

    def inverse_transform(self, projections: Array) -> Array:
        """The rows (rows, columns) that projections (rows, components) stand for."""
        return projections @ self.v.T + self.mean

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1`` into ``folder``: ``numpy.load`` finds ``mean`` (1, features), ``s`` and ``v`` in it.

        These are the official artifact's names and shapes; there is no ``mean`` if it is not subtracted.
        """
        mean = {"mean": self.mean[None]} if self.subtract_mean else {}
        save_arrays(folder, FORM, {"s": self.s, "v": self.v, **mean})

    @classmethod
    def load(cls, folder: Path) -> PCA:
        """Read what ``save`` wrote. Raises ``UserError`` if it is not there."""
        arrays = load_arrays(folder, FORM)
        model = cls(arrays["v"].shape[1], subtract_mean="mean" in arrays)
        model.s, model.v = arrays["s"], arrays["v"]
        model.mean = arrays["mean"][0] if "mean" in arrays else np.zeros(len(model.v), dtype=np.float32)
        return model


class _Summary:
    """What is kept of the rows: how many, their sum and the sum of their squares, all less ``shift``."""

    def __init__(self, width: int) -> None:
        self.rows = 0
        self.shift = np.zeros(width)
        self.total = np.zeros(width)
        self.square = 0.0

    def add(self, batch: Array) -> None:
        """More rows (rows, columns)."""
        if isinstance(batch, np.ndarray):
            batch = batch - self.shift
            self.square += float(np.vdot(batch, batch))
        else:
            batch = batch.astype(np.float64)
            self.square += float(batch.multiply(batch).sum())
        self.rows += batch.shape[0]
        self.total += np.asarray(batch.sum(axis=0)).ravel()
        self._add(batch)

    def _add(self, batch: Array) -> None:
        raise NotImplementedError


class _Scatter(_Summary):
    """The sum of the outer products of the rows with themselves."""

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.products = np.zeros((width, width))

    def _add(self, batch: Array) -> None:
        found = batch.T @ batch
        self.products += found if isinstance(found, np.ndarray) else found.toarray()

    def top(self, count: int, middle: Array) -> tuple[Array, Array]:
        """The greatest ``count`` squared singular values of the rows less ``middle``, ascending, and their vectors."""
        from scipy.linalg import eigh

        width = len(self.total)
        matrix = self.products - self.rows * np.outer(middle, middle)
        values, vectors = eigh(matrix, subset_by_index=[width - count, width - 1], overwrite_a=True)
        return values, vectors


class _Sketch(_Summary):
    """Some sums of the rows, each with signs drawn at random."""

    def __init__(self, width: int, size: int, generator: Any) -> None:
        super().__init__(width)
        self.size, self.generator = size, generator
        self.sums = np.zeros((size, width))
        self.signs = np.zeros(size)

    def _add(self, batch: Array) -> None:
        signs = self.generator.integers(0, 2, (self.size, batch.shape[0]), dtype=np.int8) * np.float64(2) - 1
        self.sums += signs @ batch if isinstance(batch, np.ndarray) else (batch.T @ signs.T).T
        self.signs += signs.sum(axis=1)

    def top(self, count: int, middle: Array) -> tuple[Array, Array]:
        """As that of the exact summary, approximately."""
        _, values, vectors = np.linalg.svd(self.sums - np.outer(self.signs, middle), full_matrices=False)
        return values[:count][::-1] ** 2 / self.size, vectors[:count][::-1].T
