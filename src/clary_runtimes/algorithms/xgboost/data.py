"""Channels of the XGBoost algorithm as the library's matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xgboost

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.source import size_of
from clary_runtimes.algorithms.data.spool import LARGE, Spool, drain, gather
from clary_runtimes.algorithms.data.stream import join, rows
from clary_runtimes.algorithms.data.table import NoDataError, Table, read_channel
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any
Look = Callable[[Array, int], None]

SUPPORTED = (
    "csv", "libsvm", "parquet", "recordio-protobuf", content_types.CSV, content_types.LIBSVM, "text/x-libsvm",
    content_types.PARQUET, content_types.RECORDIO,
)  # fmt: skip


def format_of(content_type: str | None) -> str:
    """The format that a content type means: ``text/csv``, ``text/libsvm`` (also the default), Parquet or RecordIO.

    Raises ``UserError`` in the container's words for any other.
    """
    if content_type is None:
        return content_types.LIBSVM
    if content_types.split(content_type)[0] not in SUPPORTED:
        raise UserError(f"{content_type} is not an accepted ContentType: {', '.join(SUPPORTED)}.")
    media = content_types.media_type(content_type)
    if media == content_types.CSV and content_types.split(content_type)[1].get("label_size", "1") != "1":
        raise UserError(
            f"{content_type} is not an accepted csv ContentType. Optional parameter label_size must be equal to 1"
        )
    return media


def read_rows(channel: Channel, csv_weights: bool, look: Look, quantized: bool) -> Table | Spool:
    """The rows of a channel; ``csv_weights`` takes the second column of CSV as instance weights.

    A large channel is kept in a file, piece by piece, if the library may bin it (``quantized``): then neither its rows
    nor a copy of them are ever in memory. ``look`` sees all labels, with the number of rows before them. Raises
    ``UserError`` naming file and row for data that cannot be read.
    """
    media = format_of(channel.content_type)
    try:
        found = _read(channel, media, csv_weights and media == content_types.CSV, look, quantized)
    except NoDataError:
        raise
    except UserError as error:
        short = {content_types.CSV: "csv", content_types.LIBSVM: "libsvm"}.get(media, media)
        raise UserError(f"Failed to load {short} data with exception:\n{error}") from error
    if isinstance(found, Table):
        look(found.labels, 0)
    return found


def _read(channel: Channel, media: str, weights: bool, look: Look, quantized: bool) -> Table | Spool:
    size = size_of(channel)
    if not quantized or (size is not None and size < LARGE):
        return read_channel(channel, media, weights=weights)
    blocks = rows(channel, media, weights=weights, missing=True).blocks()
    first, is_all = gather(blocks, LARGE)
    if is_all:
        everything = join(first)
        return Table(everything.features, everything.labels, everything.weights, everything.groups)
    spool = Spool()
    for batch in drain(first, blocks):
        look(batch.labels, spool.rows)
        spool.add(batch)
    return spool


class Passes(xgboost.DataIter):  # type: ignore[misc]
    """Hands the library one batch after the other, as often as it asks."""

    def __init__(self, spool: Spool) -> None:
        super().__init__()
        self._spool = spool
        self._left = iter(spool)

    def reset(self) -> None:
        """Begin again."""
        self._left = iter(self._spool)

    def next(self, input_data: Any) -> int:
        """Give the library the next batch; 0 if there is none."""
        batch = next(self._left, None)
        if batch is None:
            return 0
        input_data(data=batch.features, label=batch.labels, weight=batch.weights, qid=batch.groups)
        return 1


def matrix(found: Table | Spool, max_bin: int = 256, reference: Any = None) -> Any:
    """The library's matrix of ``found``: binned, with the bins of ``reference``, if the rows are in a file."""
    if isinstance(found, Spool):
        if not isinstance(reference, xgboost.QuantileDMatrix):
            reference = None
        return xgboost.QuantileDMatrix(Passes(found), max_bin=max_bin, ref=reference)
    return xgboost.DMatrix(found.features, label=found.labels, weight=found.weights, qid=found.groups)


def shape(found: Table | Spool) -> tuple[int, int]:
    """Rows and features."""
    if isinstance(found, Spool):
        return found.rows, found.width
    return found.features.shape[0], found.features.shape[1]


def same_width(train: Table | Spool, validation: Table | Spool) -> None:
    """Give sparse rows the same width, which do not name the columns that are empty in the whole channel.

    Raises ``UserError`` if dense rows have different ones.
    """
    widths = shape(train)[1], shape(validation)[1]
    if widths[0] == widths[1]:
        return
    if not _is_sparse(train):
        raise UserError(f"The validation channel has {widths[1]} features where the train channel has {widths[0]}")
    for found in (train, validation):
        if isinstance(found, Spool):
            found.width = max(widths)
        else:
            found.features.resize(found.features.shape[0], max(widths))


def _is_sparse(found: Table | Spool) -> bool:
    return found.is_sparse if isinstance(found, Spool) else not isinstance(found.features, np.ndarray)
