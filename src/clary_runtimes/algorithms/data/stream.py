"""A channel as a stream of batches: as many passes as wanted, in the memory of a batch.

It reads File, FastFile and Pipe mode (where every pass is the next epoch of the FIFO), and every documented format.
References: https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/model-access-training-data.html
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterator
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.block import Block, Layout, check
from clary_runtimes.algorithms.data.source import Stream, is_streamed, no_data, size_of, streams
from clary_runtimes.algorithms.data.stream_parquet import parquet_blocks
from clary_runtimes.algorithms.data.stream_recordio import recordio_blocks
from clary_runtimes.algorithms.data.stream_text import csv_blocks, json_blocks, libsvm_blocks
from clary_runtimes.algorithms.data.table import NoDataError
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any
Reader = Callable[[Stream, Layout], Iterator[Block]]

READERS: dict[str, Reader] = {
    content_types.CSV: csv_blocks,
    content_types.LIBSVM: libsvm_blocks,
    content_types.PARQUET: parquet_blocks,
    content_types.RECORDIO: recordio_blocks,
    content_types.JSONLINES: json_blocks,
}
"""The reader of every media type that can be streamed."""


class Batch(NamedTuple):
    """Some rows: features (rows, columns), dense or CSR, and what stands beside them, float64 (rows,) or None."""

    features: Array
    labels: Array | None
    weights: Array | None = None
    groups: Array | None = None

    def __len__(self) -> int:
        return int(self.features.shape[0])

    def part(self, start: int, stop: int) -> Batch:
        """The rows from ``start`` to ``stop``, without a copy of dense features."""
        return Batch(*(None if value is None else value[start:stop] for value in self))


class Rows:
    """The rows of one channel.

    Every pass raises ``UserError`` naming file, row (from 1), column and remedy for data that cannot be used, and
    ``NoDataError`` if there is no row.
    """

    def __init__(self, channel: Channel, media: str, layout: Layout, missing: bool, dense: bool) -> None:
        self.channel = channel
        self._reader = READERS[media]
        self._layout = layout
        self._missing = missing
        self._dense = dense
        self._begun: tuple[Block, Generator[Block, None, None]] | None = None
        self._width = layout.width or 0

    @property
    def is_streamed(self) -> bool:
        """Whether every pass is fetched anew from the store, through a FIFO."""
        return is_streamed(self.channel)

    @property
    def size(self) -> int | None:
        """Bytes of the channel; None in Pipe mode, where nobody knows."""
        return size_of(self.channel)

    @property
    def width(self) -> int:
        """The number of features. Of sparse rows it is the largest seen so far, unless it was given.

        The first look begins the first pass, which goes on from there.
        """
        if not self._width:
            self._begun = self._begin()
        return self._width

    def blocks(self) -> Iterator[Batch]:
        """One pass in pieces as the reader finds them, some megabytes each."""
        first, rest = self._begun or self._begin()
        self._begun = None
        with contextlib.closing(rest):
            yield self._batch(first)
            for block in rest:
                yield self._batch(block)

    def batches(self, size: int) -> Iterator[Batch]:
        """One pass in batches of ``size`` rows, the last of which may be smaller."""
        waiting: list[Batch] = []
        count = 0
        with contextlib.closing(self.blocks()) as blocks:  # type: ignore[type-var]
            for block in blocks:
                start = 0
                if waiting:
                    start = min(size - count, len(block))
                    waiting.append(block.part(0, start))
                    count += start
                    if count < size:
                        continue
                    yield join(waiting)
                    waiting, count = [], 0
                stop = start + (len(block) - start) // size * size
                for place in range(start, stop, size):
                    yield block.part(place, place + size)
                if stop < len(block):
                    waiting, count = [block.part(stop, len(block))], len(block) - stop
        if waiting:
            yield join(waiting)

    def collect(self) -> Batch:
        """Everything at once, in one pass."""
        return join(list(self.blocks()))

    # -- blocks

    def _begin(self) -> tuple[Block, Generator[Block, None, None]]:
        passing = self._pass()
        first = next(passing, None)
        if first is None:
            raise NoDataError(no_data(self.channel))
        return first, passing

    def _pass(self) -> Generator[Block, None, None]:
        with contextlib.closing(streams(self.channel)) as found:  # type: ignore[type-var]
            for stream in found:
                for block in self._reader(stream, self._layout):
                    self._check_width(block)
                    check(block, self._layout, self._missing)
                    yield block

    def _check_width(self, block: Block) -> None:
        width = block.features.shape[1]
        given = self._layout.width
        if not isinstance(block.features, np.ndarray):
            if given is not None and width > given:
                raise UserError(
                    f"{block.name}, row {block.first_row} or after: there is a feature with the index {width - 1}, and"
                    f" the indexes of {given} features end at {given - 1}; correct feature_dim, or the data"
                )
            self._width = max(self._width, width)
            return
        self._width = self._width or width
        if width != self._width:
            expected = f"feature_dim is {given}" if given is not None else f"the rows before have {self._width}"
            raise UserError(
                f"{block.name}, row {block.first_row}: it has {width} features where {expected}; give every row the"
                " same columns"
            )

    def _batch(self, block: Block) -> Batch:
        features = block.features
        if not isinstance(features, np.ndarray):
            if features.shape[1] < self._width:
                features = features.copy()
                features.resize(features.shape[0], self._width)
            if self._dense:
                features = features.toarray()
        return Batch(features, block.labels, block.weights, block.groups)


def rows(
    channel: Channel,
    media: str | None = None,
    label: bool = True,
    weights: bool = False,
    missing: bool = False,
    dense: bool = False,
    width: int | None = None,
    dtype: Any = np.float32,
) -> Rows:
    """The rows of ``channel``, to be read as ``media`` (one of ``content_types``; its own content type if None).

    ``label``: whether there is a label (for CSV the parameter ``label_size`` of the content type can say otherwise);
    ``weights``: whether the second column of CSV is the weight of the row; ``missing``: whether features may be NaN;
    ``dense``: whether sparse rows are made dense; ``width``: the number of features, if it is known. Raises
    ``UserError`` for a format that cannot be streamed.
    """
    content_type = channel.content_type or content_types.CSV
    media = content_types.media_type(content_type) if media is None else media
    if media not in READERS:
        raise UserError(f"Content type {content_type} is not supported for channel '{channel.name}'")
    if media == content_types.CSV:
        size = content_types.split(content_type)[1].get("label_size", "1")
        if size not in ("0", "1"):
            raise UserError(f"Channel '{channel.name}': label_size must be 0 or 1 in {content_type}")
        label = label and size == "1"
    layout = Layout(label, weights and media in (content_types.CSV, content_types.JSONLINES), dtype, width)
    return Rows(channel, media, layout, missing, dense)


def join(batches: list[Batch]) -> Batch:
    """The rows of several batches as one. Raises ``UserError`` if only some have weights or groups."""
    if len(batches) == 1:
        return batches[0]
    parts = [batch.features for batch in batches]
    if isinstance(parts[0], np.ndarray):
        features = np.concatenate(parts)
    else:
        from scipy.sparse import vstack

        width = max(part.shape[1] for part in parts)
        for part in parts:
            part.resize(part.shape[0], width)
        features = vstack(parts, format="csr")

    def beside(values: list[Array | None], what: str) -> Array | None:
        present = [value for value in values if value is not None]
        if present and len(present) != len(values):
            raise UserError(f"Some rows have {what} and others have none; give all or none")
        return np.concatenate(present) if present else None

    return Batch(
        features,
        beside([batch.labels for batch in batches], "labels"),
        beside([batch.weights for batch in batches], "weights"),
        beside([batch.groups for batch in batches], "qid groups"),
    )
