"""The rows that a Linear Learner is trained on, scaled: in memory, or one piece after the other from a file.

A large channel is read once: its first rows give the scale, all of them are scaled into a temporary file, and an even
sample stays in memory, by which models are judged. Every epoch then reads the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data.spool import LARGE, Spool, drain, gather
from clary_runtimes.algorithms.data.stream import Batch, join
from clary_runtimes.algorithms.data.table import NoDataError
from clary_runtimes.algorithms.linear_learner.data import (
    Rows,
    Scaler,
    check_classes,
    check_labels,
    check_rows,
    check_width,
    explained,
    open_rows,
    place,
    read_rows,
    scaler,
    targets,
)
from clary_runtimes.algorithms.linear_learner.hyperparameters import MULTICLASS
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any

SAMPLE = 64 << 20
"""Bytes of scaled features that stay in memory of a channel that does not."""
PIECE = 32 << 20
"""Bytes that are shuffled together, in an epoch over a file."""


class Source(NamedTuple):
    """Training rows. ``sample`` are all of them where they are in memory."""

    scale: Scaler
    sample: Rows
    """As they were read, not scaled."""
    scaled: Array
    """The features of the sample, scaled."""
    wanted: Array
    """What the losses compare the outputs for the sample with."""
    total: int
    """How many rows there are."""
    class_counts: Array
    """The rows of every class; of a regressor those with labels up to 0 and above."""
    spool: Spool | None

    @property
    def width(self) -> int:
        return int(self.scaled.shape[1])

    def pieces(self, hyperparameters: Mapping[str, Any], generator: Any) -> Iterator[tuple[Array, Array]]:
        """Scaled features and targets of all rows, in pieces in random order; the rows of each are not shuffled yet."""
        if self.spool is None:
            yield self.scaled, self.wanted
            return
        for number in generator.permutation(len(self.spool)):
            batch = self.spool.read(int(number))
            yield batch.features, targets(Rows(batch.features, batch.labels), self.scale, hyperparameters)


def in_memory(rows: Rows, hyperparameters: Mapping[str, Any]) -> Source:
    """Rows that are in memory."""
    scale = scaler(rows, hyperparameters)
    counts = _class_counts(rows.labels, hyperparameters)
    wanted = targets(rows, scale, hyperparameters)
    return Source(scale, rows, scale.features(rows), wanted, len(rows.labels), counts, None)


def read_source(channel: Channel, hyperparameters: Mapping[str, Any]) -> Source:
    """The rows of the channel ``train``, checked against the hyperparameters. Raises ``UserError``."""
    source = open_rows(channel)
    if source.size is not None and source.size < LARGE:
        return in_memory(read_rows(channel, hyperparameters), hyperparameters)
    try:
        blocks = source.blocks()
        first, is_all = gather(blocks, LARGE)
        while not is_all and sum(map(len, first)) < hyperparameters["num_point_for_scaler"]:
            more, is_all = gather(blocks, LARGE // 8)
            first += more
        check_width(first[0].features.shape[1], place(channel), hyperparameters)
        if is_all:
            everything = join(first)
            rows = Rows(everything.features, everything.labels)
            check_rows(rows, place(channel), hyperparameters, learnt_from=True)
            return in_memory(rows, hyperparameters)
        return _spooled(first, blocks, channel, hyperparameters)
    except NoDataError:
        raise
    except UserError as error:
        raise explained(error, channel) from error


def _spooled(first: list[Batch], rest: Iterator[Batch], channel: Channel, hyperparameters: Mapping[str, Any]) -> Source:
    start, count = [], 0
    for batch in first:
        start.append(batch)
        count += len(batch)
        if count >= hyperparameters["num_point_for_scaler"]:
            break
    scale = scaler(Rows(*join(start)[:2]), hyperparameters)
    start.clear()
    spool, sample, where = Spool(), _Sample(), place(channel)
    counts: Array = 0
    for batch in drain(first, rest):
        check_labels(batch.labels, where, hyperparameters, spool.rows)
        counts = counts + _class_counts(batch.labels, hyperparameters)
        scaled = scale.features(Rows(batch.features, batch.labels))
        step = max(1, PIECE // max(1, scaled[0].nbytes))
        for row in range(0, len(scaled), step):
            spool.add(Batch(scaled[row : row + step], batch.labels[row : row + step]))  # type: ignore[index]
        sample.add(scaled, batch.labels)
    check_classes(np.flatnonzero(counts), where, hyperparameters)
    features, labels = sample.rows()
    raw = features.astype(np.float64) * scale.deviation + scale.mean
    sampled = Rows(raw, labels)
    return Source(scale, sampled, features, targets(sampled, scale, hyperparameters), spool.rows, counts, spool)


class _Sample:
    """Every so many-th row of a stream of unknown length: as it grows, every second one of them is given up."""

    def __init__(self) -> None:
        self._features: list[Array] = []
        self._labels: list[Array] = []
        self._step = 1
        self._seen = 0
        self._size = 0

    def add(self, features: Array, labels: Array) -> None:
        part = slice(-self._seen % self._step, None, self._step)
        self._seen += len(features)
        self._features.append(features[part].copy())
        self._labels.append(labels[part].copy())
        self._size += self._features[-1].nbytes
        if self._size > 2 * SAMPLE:
            kept, labels = self.rows()
            self._features, self._labels = [kept[::2].copy()], [labels[::2].copy()]
            self._step *= 2
            self._size = self._features[0].nbytes

    def rows(self) -> tuple[Array, Array]:
        return np.concatenate(self._features), np.concatenate(self._labels)


def _class_counts(labels: Array, hyperparameters: Mapping[str, Any]) -> Array:
    if hyperparameters["predictor_type"] == MULTICLASS:
        return np.bincount(labels.astype(np.int64), minlength=hyperparameters["num_classes"])
    return np.bincount((labels > 0).astype(np.int64), minlength=2)
