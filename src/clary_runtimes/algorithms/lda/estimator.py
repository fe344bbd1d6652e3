"""Latent Dirichlet Allocation: topics from the spectrum of a corpus's moments, refined by variational inference.

References: Anandkumar, Ge, Hsu, Kakade, Telgarsky: Tensor Decompositions for Learning Latent Variable Models, JMLR 15
(2014); Blei, Ng, Jordan: Latent Dirichlet Allocation, JMLR 3 (2003);
https://docs.aws.amazon.com/sagemaker/latest/dg/lda-how-it-works.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from clary_runtimes.algorithms.artifact import load_arrays, save_arrays
from clary_runtimes.algorithms.lda.decomposition import components
from clary_runtimes.algorithms.lda.mixtures import ROUNDS, infer
from clary_runtimes.algorithms.lda.moments import Documents, mean, third, whiten

Array = Any
Say = Callable[[str], None]

FORM = "clary-lda-1"
SURPLUS = 1.25
"""So many times more topics are computed than are wanted; those with the largest priors are kept."""
_BATCH = 1024


class LDA:
    """``num_topics`` topics. The arguments are the documented hyperparameters of the same names.

    ``topics`` (topics, words) are distributions over the words, and ``alpha`` (topics,) is the Dirichlet prior of the
    mixtures, which sums to ``alpha0``; the most frequent topic comes first. ``refinements`` is how many passes of
    variational inference improve what the spectrum gives; 0 leaves it as it is.
    """

    def __init__(
        self,
        num_topics: int,
        *,
        alpha0: float = 1.0,
        max_restarts: int = 10,
        max_iterations: int = 1000,
        tol: float = 1e-8,
        refinements: int = 30,
        seed: int = 0,
        say: Say = lambda text: None,
    ) -> None:
        self.num_topics, self.alpha0 = num_topics, alpha0
        self.max_restarts, self.max_iterations, self.tol = max_restarts, max_iterations, tol
        self.refinements, self.seed = refinements, seed
        self.topics: Array = None
        self.alpha: Array = None
        self._say = say

    @property
    def width(self) -> int:
        """The number of words."""
        return int(self.topics.shape[1])

    def fit(self, documents: Array, y: object = None) -> LDA:
        """Fit counts of words (documents, words), dense or CSR; ``y`` is ignored. Raises ``ValueError`` as
        ``fit_passes``."""
        rows = csr_matrix(documents, dtype=np.float64)
        return self.fit_passes(lambda: (rows[start : start + _BATCH] for start in range(0, rows.shape[0], _BATCH)))

    def fit_passes(self, documents: Documents) -> LDA:
        """Fit a corpus in the memory of one batch, the topics and a tensor of 1.25 ``num_topics`` cubed.

        ``documents`` gives one pass, in CSR batches (documents, words) of counts, as often as it is called. Raises
        ``ValueError`` if no document has three words, or if there are fewer words than topics.
        """
        first, count = mean(documents)
        if not count:
            raise ValueError("no document has three words or more")
        if len(first) < self.num_topics:
            raise ValueError(f"there are {len(first)} words, fewer than the {self.num_topics} topics")
        self._say("moments: whitening")
        wanted = min(len(first), math.ceil(SURPLUS * self.num_topics))
        whitening = whiten(documents, first, count, self.alpha0, wanted, self.seed)
        tensor = third(documents, first, count, self.alpha0, whitening.matrix)
        self._say("moments: alternating least squares")
        weights, vectors = components(tensor, self.max_restarts, self.max_iterations, self.tol, self.seed)
        roots = (self.alpha0 + 2.0) / 2.0 * np.maximum(weights, 1e-12)
        alpha = self.alpha0 * (self.alpha0 + 1.0) / roots**2
        topics = (whitening.inverse @ (vectors * roots)).T
        best = np.argsort(-alpha)[: self.num_topics]
        self.topics, self.alpha = _completed(topics[best], alpha[best], first, self.num_topics, self.seed)
        self.alpha *= self.alpha0 / self.alpha.sum()
        self._refine(documents)
        return self

    def _refine(self, documents: Documents) -> None:
        """Variational inference: expected counts of every topic's words, with a prior of 1 / topics on each."""
        last = -np.inf
        for number in range(self.refinements):
            counts, likelihood, words = np.full(self.topics.shape, 1.0 / self.num_topics), 0.0, 0.0
            for batch in documents():
                found = infer(batch, self.topics, self.alpha, expected=True, rounds=ROUNDS // 5)
                counts += found.counts
                likelihood, words = likelihood + found.likelihood, words + found.words
            self.topics = counts / counts.sum(axis=1, keepdims=True)
            value = likelihood / max(1.0, words)
            self._say(f"refinement {number + 1}: train pwll {value}")
            if value - last < 1e-4 * abs(value):
                break
            last = value
        order = np.argsort(-self.alpha, kind="stable")
        self.topics, self.alpha = self.topics[order], self.alpha[order]

    def transform(self, documents: Array) -> Array:
        """The mixture of topics of each document (documents, words): (documents, topics), each sums to 1."""
        rows = csr_matrix(documents, dtype=np.float64)
        parts = [
            infer(rows[start : start + _BATCH], self.topics, self.alpha).mixtures
            for start in range(0, rows.shape[0], _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, self.num_topics))

    def score(self, documents: Array) -> float:
        """``pwll``: the mean logarithm of the probability of a word, given its document's mixture."""
        likelihood, words = self.likelihood(csr_matrix(documents, dtype=np.float64))
        return likelihood / max(1.0, words)

    def likelihood(self, documents: Array) -> tuple[float, float]:
        """The sum of what ``score`` is the mean of, and the number of words, for CSR documents."""
        found = infer(documents, self.topics, self.alpha)
        return found.likelihood, found.words

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1`` into ``folder``: ``numpy.load`` finds ``alpha`` and ``beta`` in it."""
        save_arrays(folder, FORM, {"alpha": self.alpha, "beta": self.topics})

    @classmethod
    def load(cls, folder: Path) -> LDA:
        """Read what ``save`` wrote. Raises ``UserError`` if it is not there."""
        arrays = load_arrays(folder, FORM)
        model = cls(len(arrays["alpha"]), alpha0=float(arrays["alpha"].sum()))
        model.alpha, model.topics = arrays["alpha"], arrays["beta"]
        return model


def _completed(topics: Array, alpha: Array, first: Array, wanted: int, seed: int) -> tuple[Array, Array]:
    """Topics as distributions, with as many as are missing drawn around the mean share of the words ``first``.

    Noise leaves some shares a little below zero.
    """
    topics = np.where(topics.sum(axis=1, keepdims=True) < 0, -topics, topics)
    missing = wanted - len(topics)
    if missing:
        drawn = np.random.default_rng(seed).gamma(1.0, size=(missing, len(first))) * first
        topics = np.concatenate([topics, drawn / drawn.sum(axis=1, keepdims=True)])
        alpha = np.concatenate([alpha, np.full(missing, alpha.min() if len(alpha) else 1.0)])
    topics = np.maximum(topics, 1e-4 * first)
    return topics / topics.sum(axis=1, keepdims=True), alpha
