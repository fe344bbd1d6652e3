"""Batches kept in a temporary file: parsed once, read as often as an algorithm wants, in the memory of one batch."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.stream import Batch

Array = Any

LARGE = 128 << 20
"""Bytes of arrays from which a channel is better kept in a file."""


class Spool:
    """Batches in a file without a name, which is gone with the process. Sparse ones all have the same width when read.

    Raises ``OSError`` if the disk is full.
    """

    def __init__(self, batches: Iterable[Batch] = ()) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it lives as long as the spool
        self._places: list[int] = []
        self.rows = 0
        self.width = 0
        """The number of features; it may be set to a larger one if the batches are sparse."""
        self.is_sparse = False
        for batch in batches:
            self.add(batch)

    def __len__(self) -> int:
        """The number of batches."""
        return len(self._places)

    def add(self, batch: Batch) -> None:
        """Keep a batch."""
        self.is_sparse = not isinstance(batch.features, np.ndarray)
        self.width = max(self.width, batch.features.shape[1])
        self.rows += len(batch)
        self._places.append(self._file.seek(0, 2))
        features = batch.features
        parts = [features.data, features.indices, features.indptr] if self.is_sparse else [features]
        for part in (*parts, batch.labels, batch.weights, batch.groups):
            # An array of no dimensions stands for none.
            np.lib.format.write_array(self._file, np.asarray(0.0) if part is None else part, allow_pickle=False)

    def read(self, number: int) -> Batch:
        """The batch of that number, counted from 0."""
        self._file.seek(self._places[number])
        parts = [self._array() for _ in range(3 if self.is_sparse else 1)]
        if self.is_sparse:
            from scipy.sparse import csr_matrix

            data, columns, pointers = parts
            features = csr_matrix((data, columns, pointers), shape=(len(pointers) - 1, self.width))
        else:
            features = parts[0]
        beside = [self._array() for _ in range(3)]
        return Batch(features, *(None if part.ndim == 0 else part for part in beside))

    def __iter__(self) -> Iterator[Batch]:
        for number in range(len(self)):
            yield self.read(number)

    def _array(self) -> Array:
        return np.lib.format.read_array(self._file, allow_pickle=False)


def size_in_memory(batch: Batch) -> int:
    """Bytes that the features of a batch take."""
    features = batch.features
    if isinstance(features, np.ndarray):
        return int(features.nbytes)
    return int(features.data.nbytes + features.indices.nbytes + features.indptr.nbytes)


def gather(batches: Iterator[Batch], most: int) -> tuple[list[Batch], bool]:
    """The first batches, until they take ``most`` bytes, and whether that was all."""
    taken: list[Batch] = []
    size = 0
    for batch in batches:
        taken.append(batch)
        size += size_in_memory(batch)
        if size >= most:
            return taken, False
    return taken, True


def drain(first: list[Batch], rest: Iterator[Batch]) -> Iterator[Batch]:
    """What ``gather`` has taken, each given up as it goes, and then what it has left."""
    first.reverse()
    while first:
        yield first.pop()
    yield from rest
