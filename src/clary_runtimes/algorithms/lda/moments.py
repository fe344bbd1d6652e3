"""The moments of a corpus that its topics can be read from, whitened: a matrix becomes the identity, a tensor small.

With n_i times the word i among the N words of a document, the unbiased estimate of E[x1 x2] is
(n n' - diag n) / N (N - 1), and so on for three words. The topics are the components of these moments less what is
there by chance, which depends on ``alpha0``.
Reference: Anandkumar, Ge, Hsu, Kakade, Telgarsky: Tensor Decompositions for Learning Latent Variable Models, JMLR 15
(2014), theorem 3.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

Array = Any
Documents = Callable[[], Iterable[Array]]
"""Gives one pass over the corpus: CSR batches (documents, words) of counts."""

FEWEST_WORDS = 3
"""Documents with fewer say nothing about which words come together."""
_EXTRA = 10
_POWERS = 3
_SMALLEST = 1e-9
_PIECE = 1 << 22


class Whitening(NamedTuple):
    """What makes the second moment the identity, and what undoes it."""

    matrix: Array
    """(words, components): W, with W' M2 W = 1."""
    inverse: Array
    """(words, components): takes a component back to words."""


def mean(documents: Documents) -> tuple[Array, float]:
    """The mean share of each word (words,), and the number of documents that count."""
    total: Array = 0.0
    count = 0.0
    for batch in documents():
        weights, _, _ = _weights(batch)
        total = total + batch.T @ weights
        count += np.count_nonzero(weights)
    return total / max(1.0, count), count


def whiten(documents: Documents, first: Array, count: float, alpha0: float, components: int, seed: int) -> Whitening:
    """Whiten the second moment by its ``components`` largest eigenvalues, or as many as are positive.

    It is never formed: subspace iteration needs only its product with a few vectors, one pass over the corpus each.
    Reference: Halko, Martinsson, Tropp, SIAM Review 53 (2011).
    """
    share = alpha0 / (alpha0 + 1.0)

    def product(vectors: Array) -> Array:
        total = np.zeros_like(vectors)
        for batch in documents():
            _, pairs, _ = _weights(batch)
            total += batch.T @ (pairs[:, None] * (batch @ vectors))
            total -= (batch.T @ pairs)[:, None] * vectors
        return total / count - share * np.outer(first, first @ vectors)

    width = min(len(first), components + _EXTRA)
    basis = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(first), width)))[0]
    for _ in range(_POWERS):
        basis = np.linalg.qr(product(basis))[0]
    small = basis.T @ product(basis)
    values, vectors = np.linalg.eigh((small + small.T) / 2)
    best = np.argsort(values)[::-1][:components]
    best = best[values[best] > _SMALLEST * max(values.max(), 1e-300)]
    directions, roots = basis @ vectors[:, best], np.sqrt(values[best])
    return Whitening(directions / roots, directions * roots)


def third(documents: Documents, first: Array, count: float, alpha0: float, matrix: Array) -> Array:
    """The third moment in the whitened space, (components, components, components)."""
    size = matrix.shape[1]
    tensor, pairs_moment = np.zeros((size * size, size)), np.zeros((size, size))
    diagonal, singles = np.zeros_like(matrix), np.zeros(len(first))
    for batch in documents():
        _, pairs, triples = _weights(batch)
        projected = batch @ matrix
        step = max(1, _PIECE // (size * size))
        for start in range(0, len(projected), step):
            part, weights = projected[start : start + step], triples[start : start + step]
            squares = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
            tensor += squares.T @ (weights[:, None] * part)
        diagonal += batch.T @ (triples[:, None] * projected)
        singles += batch.T @ triples
        pairs_moment += projected.T @ (pairs[:, None] * projected)
        pairs_moment -= matrix.T @ ((batch.T @ pairs)[:, None] * matrix)
    found = tensor.reshape(size, size, size) / count
    for start in range(0, len(matrix), max(1, _PIECE // (size * size))):
        rows = slice(start, start + max(1, _PIECE // (size * size)))
        part = matrix[rows]
        squares = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
        once = (squares.T @ (diagonal[rows] / count)).reshape(size, size, size)
        found -= _everywhere(once)
        found += 2.0 * (squares.T @ (singles[rows, None] / count * part)).reshape(size, size, size)
    center = matrix.T @ first
    found -= alpha0 / (alpha0 + 2.0) * _everywhere(np.einsum("ij,k->ijk", pairs_moment / count, center))
    chance = 2.0 * alpha0**2 / ((alpha0 + 1.0) * (alpha0 + 2.0))
    found += chance * np.einsum("i,j,k->ijk", center, center, center)
    return found


def _everywhere(tensor: Array) -> Array:
    """A tensor that is symmetric in its first two places, summed over the three places of its last."""
    return tensor + tensor.transpose(0, 2, 1) + tensor.transpose(2, 0, 1)


def _weights(batch: Array) -> tuple[Array, Array, Array]:
    """What a document's counts, their pairs and their triples are divided by; 0 for documents that are too short."""
    words = np.asarray(batch.sum(axis=1), dtype=np.float64).ravel()
    long = words >= FEWEST_WORDS
    words = np.where(long, words, float(FEWEST_WORDS))
    one = long / words
    two = one / (words - 1.0)
    return one, two, two / (words - 2.0)
