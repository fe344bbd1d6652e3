"""Parquet, row group by row group."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import block
from clary_runtimes.algorithms.data.block import Block, Layout, of_table
from clary_runtimes.algorithms.data.source import Stream
from clary_runtimes.contract.errors import UserError

Array = Any

_MARK = b"PAR1"
"""How a Parquet file begins, and ends."""


def parquet_blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a Parquet file, the label in the first column. Raises ``UserError`` naming the column.

    A Parquet file is read from its end, so what comes through a FIFO is kept in a temporary file first.
    """
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise UserError("This image has no Parquet reader (pyarrow); please provide CSV, LIBSVM or RecordIO") from error
    if stream.path is not None:
        if stream.path.stat().st_size:
            yield from _rows(parquet, stream.path, stream.name, 1, layout)
        return
    pyarrow = import_module("pyarrow")
    with tempfile.TemporaryFile() as file:
        while data := stream.file.read(block.BYTES):
            file.write(data)
        size = file.tell()
        if not size:
            return
        row = 1
        for start, stop in _borders(file.fileno(), size):
            part = pyarrow.PythonFile(_Part(file.fileno(), start, stop), mode="r")
            for each in _rows(parquet, part, stream.name, row, layout):
                yield each
                row += each.features.shape[0]


def _rows(parquet: Any, source: Any, name: str, row: int, layout: Layout) -> Iterator[Block]:
    try:
        file = parquet.ParquetFile(source, pre_buffer=False)
        width = max(1, file.metadata.num_columns)
        for batch in file.iter_batches(batch_size=max(1024, block.BYTES // (8 * width)), use_threads=True):
            table = np.empty((batch.num_rows, batch.num_columns))
            for column in range(batch.num_columns):
                try:
                    table[:, column] = batch.column(column).to_numpy(zero_copy_only=False)
                except (ValueError, TypeError):
                    raise _no_number(batch, column, name, row) from None
            if len(table):
                yield of_table(table, name, row, layout)
            row += len(table)
    except (OSError, ValueError) as error:
        # What pyarrow raises for a broken file is an OSError or a ValueError.
        raise UserError(f"{name}: Failed to load parquet data with exception:\n{error}") from error


def _no_number(batch: Any, column: int, name: str, first: int) -> UserError:
    title = batch.schema.names[column]
    for row, value in enumerate(batch.column(column).to_pylist(), start=first):
        try:
            float("nan" if value is None else value)
        except (ValueError, TypeError):
            return UserError(
                f"{name}, row {row}, column {column + 1} ({title!r}): {str(value)[:50]!r} is not numeric; encode text"
                " as numbers"
            )
    return UserError(f"{name}, column {column + 1} ({title!r}): it is not numeric; encode text as numbers")


def _borders(descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Where the files lie that were written one after the other: one ends, and the next begins, with ``PAR1``."""
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as view:
        start, place = 0, 0
        while (place := view.find(_MARK + _MARK, place)) >= 0:
            stop = place + len(_MARK)
            footer = int.from_bytes(view[place - 4 : place], "little")
            # By chance the same bytes may stand inside a file; then no footer fits before them.
            if 0 < footer < place - start:
                yield start, stop
                start = stop
            place = stop
        yield start, size


class _Part:
    """A part of a file, as a file."""

    def __init__(self, descriptor: int, start: int, stop: int) -> None:
        self._descriptor, self._start, self._stop = descriptor, start, stop
        self._place = start
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        left = self._stop - self._place
        data = os.pread(self._descriptor, left if size < 0 else min(size, left), self._place)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = (self._start, self._place, self._stop)[whence] + offset
        return self.tell()

    def tell(self) -> int:
        return self._place - self._start

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
