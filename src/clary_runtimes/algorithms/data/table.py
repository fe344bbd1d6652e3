"""A channel's files as one table of features and labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.algorithms.data import content_types
from clary_runtimes.algorithms.data.delimited import read_csv
from clary_runtimes.algorithms.data.recordio import RecordIOError, read_table
from clary_runtimes.algorithms.data.source import is_streamed, no_data
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.training import Channel

Array = Any


class Table(NamedTuple):
    """Rows of a channel: features (rows, columns), dense or sparse CSR, and what stands beside them."""

    features: Array
    labels: Array
    weights: Array | None = None
    groups: Array | None = None

    def take(self, rows: Array) -> Table:
        """Some of the rows, by their numbers."""
        return Table(
            self.features[rows],
            self.labels[rows],
            None if self.weights is None else self.weights[rows],
            None if self.groups is None else self.groups[rows],
        )


class NoDataError(UserError):
    """A channel in which there is no row."""


def read_channel(channel: Channel, media: str, weights: bool = False, missing: bool = True) -> Table:
    """All files of ``channel``, read as ``media`` (one of ``content_types``), the label being the first column.

    ``weights`` takes the second column of CSV as instance weights; ``missing`` says whether features may be NaN.
    Raises ``UserError`` naming the file for data that cannot be read, and ``NoDataError`` for a channel without any.
    """
    if is_streamed(channel):
        return _read_stream(channel, media, weights, missing)
    readers: dict[str, Callable[[Path], Table]] = {
        content_types.CSV: lambda path: _split(read_csv(path), path, weights),
        content_types.LIBSVM: _read_libsvm,
        content_types.RECORDIO: _read_recordio,
        content_types.PARQUET: lambda path: _split(_read_parquet(path), path, False),
    }
    tables = []
    for path in channel.files():
        table = readers[media](path) if path.stat().st_size else None
        if table is None or not len(table.labels):
            continue
        if not missing:
            _refuse_missing(table.features, path, 2 if media == content_types.CSV else 1)
        tables.append(table)
    if not tables:
        raise NoDataError(no_data(channel))
    return join(tables, f"channel '{channel.name}'")


def _read_stream(channel: Channel, media: str, weights: bool, missing: bool) -> Table:
    from clary_runtimes.algorithms.data.stream import rows

    dense = media == content_types.RECORDIO
    batch = rows(channel, media, weights=weights, missing=missing, dense=dense, dtype=np.float64).collect()
    if batch.labels is None:
        raise UserError(f"Channel '{channel.name}': its rows have no label")
    return Table(batch.features, batch.labels, batch.weights, batch.groups)


def _split(numbers: Array, path: Path, weights: bool) -> Table:
    leading = 2 if weights else 1
    if len(numbers) and numbers.shape[1] <= leading:
        raise UserError(
            f"{path.name}: it has {numbers.shape[1]} columns; a label{' and a weight' if weights else ''} and at least "
            "one feature are needed"
        )
    labels = numbers[:, 0] if len(numbers) else np.zeros(0)
    bad = np.flatnonzero(~np.isfinite(labels))
    if len(bad):
        raise UserError(f"{path.name}, row {bad[0] + 1}: the label is missing or not a finite number")
    return Table(numbers[:, leading:], labels, numbers[:, 1] if weights and len(numbers) else None)


def _refuse_missing(features: Array, path: Path, first_column: int) -> None:
    if np.isfinite(features.sum(dtype=np.float64)):
        return  # one pass is enough for good data
    places = np.argwhere(~np.isfinite(features))
    if len(places):
        row, column = places[0]
        raise UserError(
            f"{path.name}, row {row + 1}, column {column + first_column}: the value is missing or not a finite number; "
            "this algorithm does not accept missing values"
        )


def _read_libsvm(path: Path) -> Table:
    from clary_runtimes.algorithms.data.libsvm import LibsvmError, parse_libsvm

    try:
        return Table(*parse_libsvm(path.read_bytes(), path.name))
    except LibsvmError as error:
        raise UserError(str(error)) from error


def _read_recordio(path: Path) -> Table:
    try:
        features, labels = read_table(path.read_bytes())
    except RecordIOError as error:
        raise UserError(f"{path.name}: {error}") from error
    if labels is None:
        raise UserError(f"{path.name}: the records have no label")
    bad = np.flatnonzero(~np.isfinite(labels))
    if len(bad):
        raise UserError(f"{path.name}, record {bad[0]}: the label is missing or not a finite number")
    return Table(features, labels)


def _read_parquet(path: Path) -> Array:
    import pandas

    try:
        frame = pandas.read_parquet(path)
    except ImportError as error:
        raise UserError("This image has no Parquet reader (pyarrow); please provide CSV, LIBSVM or RecordIO") from error
    except (OSError, ValueError) as error:
        raise UserError(f"{path.name}: Failed to load parquet data with exception:\n{error}") from error
    try:
        return frame.to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise UserError(f"{path.name}: a column is not numeric: {error}") from error


def join(tables: list[Table], where: str) -> Table:
    """The rows of several tables as one; ``where`` names their origin in the ``UserError`` if they do not fit."""
    if len(tables) == 1:
        return tables[0]
    is_sparse = not isinstance(tables[0].features, np.ndarray)
    widths = {table.features.shape[1] for table in tables}
    if is_sparse:
        import scipy.sparse as sparse

        for table in tables:
            table.features.resize(table.features.shape[0], max(widths))
        features = sparse.vstack([table.features for table in tables]).tocsr()
    elif len(widths) > 1:
        raise UserError(f"The rows of {where} have different numbers of features: {sorted(widths)}")
    else:
        features = np.vstack([table.features for table in tables])

    def beside(values: list[Array | None], what: str) -> Array | None:
        present = [value for value in values if value is not None]
        if present and len(present) != len(values):
            raise UserError(f"Some rows of {where} have {what} and others have none")
        return np.concatenate(present) if present else None

    return Table(
        features,
        np.concatenate([table.labels for table in tables]),
        beside([table.weights for table in tables], "weights"),
        beside([table.groups for table in tables], "qid groups"),
    )
