"""Word vectors: by gensim (skip-gram, CBOW, with subwords or without), or in small batches by our own kernel.

Sources: Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality", 2013;
Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017, https://arxiv.org/abs/1607.04606
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.artifact import write_whole
from clary_runtimes.algorithms.blazingtext import binary
from clary_runtimes.algorithms.blazingtext.hyperparameters import BATCH_SKIPGRAM, SKIPGRAM

Array = Any

VECTORS, BINARY = "vectors.txt", "vectors.bin"
DRAWN = 1 << 20
"""Entries of the table that negative samples are drawn from."""


class WordVectors:
    """A vector for each word of a corpus. Parameters are those of BlazingText; ``threads`` is 0 for all processors."""

    def __init__(
        self,
        mode: str = SKIPGRAM,
        *,
        batch_size: int = 11,
        buckets: int = 2000000,
        epochs: int = 5,
        learning_rate: float = 0.05,
        min_char: int = 3,
        max_char: int = 6,
        min_count: int = 5,
        negative_samples: int = 5,
        sampling_threshold: float = 0.0001,
        subwords: bool = False,
        vector_dim: int = 100,
        window_size: int = 5,
        threads: int = 0,
        seed: int = 0,
    ) -> None:
        self.mode, self.batch_size, self.buckets, self.epochs = mode, batch_size, buckets, epochs
        self.learning_rate, self.min_count, self.negative_samples = learning_rate, max(1, min_count), negative_samples
        self.sampling_threshold, self.subwords, self.vector_dim = sampling_threshold, subwords, vector_dim
        self.min_char, self.max_char, self.window_size, self.seed = min_char, max_char, window_size, seed
        self.threads = threads or len(os.sched_getaffinity(0))
        self.model: binary.Model = None

    def fit(self, path: Path) -> WordVectors:
        """Learn from the text at ``path``: UTF-8, words between spaces, lines of some thousand words at most.

        Raises ``UserError`` if no word occurs ``min_count`` times.
        """
        buckets = self.buckets if self.subwords else 0
        self.model = binary.shell(
            path, model="skipgram", dim=self.vector_dim, ws=self.window_size, minCount=self.min_count,
            neg=self.negative_samples, bucket=buckets, minn=self.min_char if self.subwords else 0,
            maxn=self.max_char if self.subwords else 0, t=self.sampling_threshold, lr=self.learning_rate,
        )  # fmt: skip
        inputs, outputs = (self._batches if self.mode == BATCH_SKIPGRAM else self._gensim)(path)
        self.model.set_matrices(inputs, outputs)
        return self

    @property
    def words(self) -> list[str]:
        """The words that have a vector, the most frequent first; without fastText's mark of a line's end."""
        return [word for word in self.model.get_words(on_unicode_error="replace") if word != binary.END]

    def transform(self, words: Sequence[str]) -> Array:
        """(words, dimensions) float32; zeros for a word that is not known, unless the model has subwords."""
        if not words:
            return np.zeros((0, self.model.get_dimension()), np.float32)
        return np.array([self.model.get_word_vector(word) for word in words])

    def save(self, folder: Path) -> None:
        """Write ``vectors.txt`` (word2vec's form of text) and ``vectors.bin`` (fastText's)."""
        binary.save(self.model, folder / BINARY)
        write_whole(folder / VECTORS, self._write_text)

    @classmethod
    def load(cls, folder: Path) -> WordVectors:
        """The model in ``folder``. Raises ``UserError`` if there is none."""
        return cls.of(binary.load(folder / BINARY))

    @classmethod
    def of(cls, model: binary.Model) -> WordVectors:
        """The vectors of a model that is loaded."""
        found = cls()
        found.model = model
        return found

    def _write_text(self, file: Any) -> None:
        words = self.words
        file.write(f"{len(words)} {self.model.get_dimension()}\n".encode())
        for word in words:
            numbers = " ".join(f"{value:.6g}" for value in self.model.get_word_vector(word))
            file.write(f"{word} {numbers}\n".encode())

    def _gensim(self, path: Path) -> tuple[Array, Array]:
        from gensim.models import FastText, Word2Vec  # type: ignore[import-not-found]

        arguments = {
            "corpus_file": str(path), "sg": int(self.mode == SKIPGRAM), "vector_size": self.vector_dim,
            "window": self.window_size, "negative": self.negative_samples, "sample": self.sampling_threshold,
            "epochs": self.epochs, "min_count": self.min_count, "alpha": self.learning_rate, "seed": self.seed,
            "workers": self.threads,
        }  # fmt: skip
        if self.subwords:
            arguments |= {"bucket": self.buckets, "min_n": self.min_char, "max_n": self.max_char}
        learned = (FastText if self.subwords else Word2Vec)(**arguments)
        order = learned.wv.key_to_index
        words = self.model.get_words(on_unicode_error="replace")
        here = [row for row, word in enumerate(words) if word in order]
        there = [order[words[row]] for row in here]
        outputs = np.zeros((len(words), self.vector_dim), np.float32)
        outputs[here] = learned.syn1neg[there]
        inputs = np.zeros((len(words) + (self.buckets if self.subwords else 0), self.vector_dim), np.float32)
        inputs[here] = (learned.wv.vectors_vocab if self.subwords else learned.wv.vectors)[there]
        if self.subwords:
            inputs[len(words) :] = learned.wv.vectors_ngrams
        return inputs, outputs

    def _batches(self, path: Path) -> tuple[Array, Array]:
        from clary_runtimes.algorithms.blazingtext.kernels import batch_skipgram

        words, counts = self.model.get_words(include_freq=True, on_unicode_error="replace")
        tokens, starts = _corpus(path, {word: row for row, word in enumerate(words) if word != binary.END})
        generator = np.random.default_rng(self.seed)
        inputs = generator.uniform(-0.5, 0.5, (len(words), self.vector_dim)).astype(np.float32) / self.vector_dim
        outputs = np.zeros_like(inputs)
        often = np.where(np.array(words) == binary.END, 0, counts).astype(float)
        ratio = self.sampling_threshold * often.sum() / np.maximum(often, 1)
        keep = np.sqrt(ratio) + ratio
        table = np.repeat(np.arange(len(words)), np.ceil(often**0.75 / (often**0.75).sum() * DRAWN).astype(int))
        settings = np.array([self.window_size, self.batch_size, self.negative_samples])
        cuts = np.searchsorted(starts, np.linspace(0, len(tokens), self.threads + 1)[1:-1])
        edges = [0, *cuts.tolist(), len(starts) - 1]
        inputs[[row for row, word in enumerate(words) if word == binary.END]] = 0
        with ThreadPoolExecutor(self.threads) as pool:
            for epoch in range(self.epochs):
                rates = self.learning_rate * np.maximum(1e-4, 1 - np.array([epoch, epoch + 1]) / self.epochs)
                done = np.zeros(1, np.int64)
                work = [
                    pool.submit(
                        batch_skipgram, tokens, starts, np.array(part), keep, table.astype(np.int32), inputs, outputs,
                        settings, rates, done, int(generator.integers(1 << 31)),
                    )
                    for part in pairwise(edges)
                ]  # fmt: skip
                for each in work:
                    each.result()
        return inputs, outputs


def _corpus(path: Path, rows: dict[str, int]) -> tuple[Array, Array]:
    """The known words of every line, as rows, int32; and where each line begins, (lines + 1)."""
    parts, ends = [], [0]
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            found = [row for word in line.split() if (row := rows.get(word)) is not None]
            parts.append(np.array(found, np.int32))
            ends.append(ends[-1] + len(found))
    return np.concatenate(parts), np.array(ends, np.int64)
