"""Labels of texts by their words and sequences of words: by fastText's code, or epoch by epoch by our own kernel.

Source: Joulin et al., "Bag of Tricks for Efficient Text Classification", 2016, https://arxiv.org/abs/1607.01759
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.blazingtext import binary
from clary_runtimes.algorithms.blazingtext.text import LABEL

Array = Any

BINARY = "model.bin"


class _Lines(NamedTuple):
    """A text as arrays: words as rows (-1 if unknown) and hashes, labels as rows (-1 if unknown), and their starts."""

    words: Array
    hashes: Array
    starts: Array
    labels: Array
    label_starts: Array


class TextClassifier:
    """fastText's classifier. Parameters are those of BlazingText; ``threads`` is 0 for all processors."""

    def __init__(
        self,
        *,
        buckets: int = 2000000,
        early_stopping: bool = False,
        epochs: int = 5,
        learning_rate: float = 0.05,
        min_count: int = 5,
        min_epochs: int = 5,
        patience: int = 4,
        vector_dim: int = 100,
        word_ngrams: int = 2,
        threads: int = 0,
        seed: int = 0,
    ) -> None:
        self.buckets, self.early_stopping, self.epochs, self.learning_rate = (
            buckets, early_stopping, epochs, learning_rate,
        )  # fmt: skip
        self.min_count, self.min_epochs, self.patience, self.vector_dim = min_count, min_epochs, patience, vector_dim
        self.word_ngrams, self.seed = word_ngrams, seed
        self.threads = threads or len(os.sched_getaffinity(0))
        self.epochs_done = 0
        self.model: binary.Model = None

    def fit(
        self, path: Path, validation: Path | None = None, after: Callable[[int, float], None] | None = None
    ) -> TextClassifier:
        """Learn from the text at ``path``: lines of words between spaces, labels (``__label__…``) among them.

        With ``early_stopping``, ``validation`` settles when it is enough, the best epoch is kept, and ``after`` hears
        of each epoch and its accuracy. Raises ``UserError`` if no word occurs ``min_count`` times.
        """
        arguments = {
            "model": "supervised", "dim": self.vector_dim, "wordNgrams": self.word_ngrams, "minn": 0, "maxn": 0,
            "bucket": self.buckets, "minCount": max(1, self.min_count), "lr": self.learning_rate, "loss": "softmax",
            "thread": self.threads,
        }  # fmt: skip
        if not self.early_stopping or validation is None:
            self.model, self.epochs_done = binary.train(path, epoch=self.epochs, **arguments), self.epochs
            return self
        self.model = binary.shell(path, **arguments)
        self.model.set_matrices(*self._by_epochs(path, validation, after or (lambda epoch, accuracy: None)))
        return self

    def predict(self, texts: Sequence[str], k: int | Sequence[int] = 1) -> list[list[tuple[str, float]]]:
        """The ``k`` likeliest labels (or so many for each text) of every text, with probabilities; best first."""
        wanted = [k] * len(texts) if isinstance(k, int) else k
        return [
            [
                (label, min(1.0, float(share)))
                for share, label in self.model.f.predict(_line(text), many, 0.0, "replace")
            ]
            for text, many in zip(texts, wanted, strict=True)
        ]

    def score(self, path: Path) -> tuple[float, int]:
        """The share of lines of the text at ``path`` whose likeliest label is one of theirs, and how many lines."""
        right = lines = 0
        with path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                tokens = line.split()
                labels = {token for token in tokens if token.startswith(LABEL)}
                [found] = self.predict([" ".join(token for token in tokens if not token.startswith(LABEL))])
                right += bool(found) and found[0][0] in labels
                lines += 1
        return right / max(1, lines), lines

    def save(self, folder: Path) -> None:
        """Write ``model.bin``, as fastText does."""
        binary.save(self.model, folder / BINARY)

    @classmethod
    def load(cls, folder: Path, name: str = BINARY) -> TextClassifier:
        """The model in a file of ``folder``. Raises ``UserError`` if there is none."""
        found = cls()
        found.model = binary.load(folder / name)
        return found

    @property
    def labelled(self) -> bool:
        """Whether the model has labels: a file of fastText may hold vectors instead."""
        return bool(self.model.f.getArgs().model.name == "supervised")

    def _by_epochs(self, path: Path, validation: Path, after: Callable[[int, float], None]) -> tuple[Array, Array]:
        """The matrices of the best epoch."""
        from clary_runtimes.algorithms.blazingtext.kernels import classifier_epoch, classify

        rows = {word: row for row, word in enumerate(self.model.get_words(on_unicode_error="replace"))}
        marks = {label: row for row, label in enumerate(self.model.get_labels(on_unicode_error="replace"))}
        lines, judged = _read(path, rows, marks), _read(validation, rows, marks)
        inputs, outputs = self.model.get_input_matrix(), self.model.get_output_matrix()
        settings = np.array([self.word_ngrams, len(rows), max(1, len(inputs) - len(rows))])
        generator = np.random.default_rng(self.seed)
        best, kept, since = -1.0, (inputs, outputs), 0
        with ThreadPoolExecutor(self.threads) as pool:
            for epoch in range(self.epochs):
                rates = self.learning_rate * (1 - np.array([epoch, epoch + 1]) / self.epochs)
                order = generator.permutation(len(lines.starts) - 1)
                work = [
                    pool.submit(
                        classifier_epoch, *lines, part, inputs, outputs, settings, rates,
                        int(generator.integers(1 << 31)),
                    )
                    for part in np.array_split(order, min(self.threads, len(order)))
                ]  # fmt: skip
                for each in work:
                    each.result()
                found = np.empty(len(judged.starts) - 1, np.int64)
                classify(*judged[:3], inputs, outputs, settings, found)
                accuracy = _accuracy(found, judged)
                self.epochs_done = epoch + 1
                after(self.epochs_done, accuracy)
                since += 1
                if accuracy > best:
                    best, kept, since = accuracy, (inputs.copy(), outputs.copy()), 0
                if self.epochs_done >= self.min_epochs and since >= self.patience:
                    break
        return kept


def _accuracy(found: Array, lines: _Lines) -> float:
    spans = zip(found, lines.label_starts[:-1], lines.label_starts[1:], strict=True)
    return float(np.mean([best >= 0 and best in lines.labels[first:last] for best, first, last in spans]))


def _line(text: str) -> str:
    return " ".join(text.split()) + "\n"


def _read(path: Path, rows: dict[str, int], marks: dict[str, int]) -> _Lines:
    words: list[Array] = []
    hashes: list[Array] = []
    starts, label_starts, labels = [0], [0], []
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            tokens = [*line.split(), binary.END]
            plain = [token for token in tokens if not token.startswith(LABEL)]
            words.append(np.array([rows.get(word, -1) for word in plain], np.int32))
            hashes.append(np.array([_hash(word) for word in plain], np.int32))
            labels += [marks.get(token, -1) for token in tokens if token.startswith(LABEL)]
            starts.append(starts[-1] + len(plain))
            label_starts.append(len(labels))
    arrays = np.concatenate(words), np.concatenate(hashes), np.array(starts), np.array(labels), np.array(label_starts)
    return _Lines(*arrays)


@lru_cache(1 << 20)
def _hash(word: str) -> int:
    """fastText's hash of a word, signed: FNV-1a, with bytes extended by their sign."""
    value = 2166136261
    for byte in word.encode():
        value = ((value ^ (byte | 0xFFFFFF00 if byte > 127 else byte)) * 16777619) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value
