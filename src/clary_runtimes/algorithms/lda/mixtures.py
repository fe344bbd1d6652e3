"""Which topics a document is a mixture of, and how likely its words are.

Reference: D. Blei, A. Ng, M. Jordan: Latent Dirichlet Allocation, JMLR 3 (2003), section 5.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import digamma

Array = Any

ROUNDS = 100
"""Rounds of inference for one document at most."""
ENOUGH = 1e-3
"""A mean change of the mixture's counts by which it is settled."""
_TINY = 1e-100


class Inferred(NamedTuple):
    """What documents are made of."""

    mixtures: Array
    """(documents, topics), each sums to 1."""
    counts: Array
    """The words of each topic that were expected in these documents (topics, words); None unless asked for."""
    likelihood: float
    """The sum of the logarithms of their words' probabilities, given the mixtures."""
    words: float
    """The number of their words."""


def infer(documents: Any, topics: Array, alpha: Array, expected: bool = False, rounds: int = ROUNDS) -> Inferred:
    """Mixtures of CSR ``documents`` (documents, words), for ``topics`` (topics, words) and the prior ``alpha``
    (topics,), in ``rounds`` rounds at most."""
    size, words = documents.shape[0], documents.indices
    owner = np.repeat(np.arange(size), np.diff(documents.indptr))
    counts = documents.data.astype(np.float64)
    by_word = np.ascontiguousarray(topics.T)
    of_words = by_word[words]  # (entries, topics)
    found = np.tile(alpha + counts.sum() / max(1, size) / len(alpha), (size, 1))

    def shares() -> tuple[Array, Any]:
        weights = np.exp(digamma(found))
        inner = np.einsum("et,et->e", weights[owner], of_words) + _TINY
        return weights, csr_matrix((counts / inner, words, documents.indptr), shape=documents.shape)

    for _ in range(rounds):
        weights, ratios = shares()
        before, found = found, alpha + weights * (ratios @ by_word)
        if np.abs(found - before).mean() < ENOUGH:
            break
    mixtures = found / found.sum(axis=1, keepdims=True)
    likely = np.einsum("et,et->e", mixtures[owner], of_words)
    totals = None
    if expected:
        weights, ratios = shares()
        totals = topics * (ratios.T @ weights).T
    return Inferred(mixtures, totals, float(counts @ np.log(likely + _TINY)), float(counts.sum()))
