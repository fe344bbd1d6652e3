"""CSV, LIBSVM and JSON Lines, some megabytes at a time."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data import block
from clary_runtimes.algorithms.data.block import Block, Layout, of_table
from clary_runtimes.algorithms.data.delimited import guess_delimiter
from clary_runtimes.algorithms.data.libsvm import LibsvmError, parse_libsvm
from clary_runtimes.algorithms.data.source import Stream, refuse_foreign
from clary_runtimes.contract.errors import UserError

Array = Any

_BREAKS = bytes.maketrans(b": \t\r", b"\n\n\n\n")
WORTH_PANDAS = 256 << 10
"""Bytes from which pandas repays the third of a second that importing it costs."""
LONGEST_LINE = 256 << 20
_NULLS = ["", "nan", "NaN", "NAN"]


def pieces(stream: Stream) -> Iterator[tuple[bytes, int, bool]]:
    """Whole lines, the number of the first of them, and whether these are all lines of a small file."""
    rest, number, begun = b"", 1, False
    while data := stream.file.read(block.BYTES):
        ended = len(data) < block.BYTES
        if not begun:
            refuse_foreign(data, stream.name)
            data = data.removeprefix(b"\xef\xbb\xbf")
        data = rest + data
        if b"\n" not in data and b"\r" in data:
            data = data.replace(b"\r", b"\n")  # lines as old Macs end them
        whole, end, rest = data.rpartition(b"\n")
        if ended:
            # A short read is the last one: the files here are buffered.
            whole, end, rest = data, b"", b""
        if len(rest) > LONGEST_LINE:
            raise UserError(f"{stream.name}, row {number}: it has no end; separate the rows with line feeds")
        if whole:
            yield whole + end, number, ended and not begun
            number += whole.count(b"\n") + len(end)
            begun = True
    if rest:
        yield rest, number, not begun


# -- CSV


def csv_blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a CSV file without header; empty cells become NaN. Raises ``UserError`` naming row and column."""
    delimiter, width = ",", 0
    for data, number, small in pieces(stream):
        if not width:
            line = data.lstrip(b"\r\n").partition(b"\n")[0].decode("utf-8", errors="replace").rstrip("\r")
            delimiter = guess_delimiter(line)
            width = len(next(csv.reader([line], delimiter=delimiter), []))
        if not data.strip():
            continue
        table = _parse_csv(data, delimiter, width, small)
        if table is None:
            table = _parse_csv_slowly(data, delimiter, width, stream.name, number)
        if len(table):
            yield of_table(table, stream.name, number, layout)


def _parse_csv(data: bytes, delimiter: str, width: int, small: bool) -> Array | None:
    # NumPy is the quickest where there is no pyarrow, and needs no time to import, but takes no empty cells.
    for parse in (_with_numpy, _with_pandas) if small else (_with_pyarrow, _with_numpy, _with_pandas):
        if small and parse is _with_pandas and len(data) < WORTH_PANDAS:
            break
        try:
            table = parse(data, delimiter, width)
        except (ImportError, ValueError):
            continue
        if table is not None and table.shape[1] == width:
            return table
    return None


def _with_numpy(data: bytes, delimiter: str, width: int) -> Array | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text = io.StringIO(data.decode("utf-8"))
            return np.loadtxt(text, delimiter=delimiter, comments=None, quotechar='"', ndmin=2)
    except ValueError:
        return None


def _with_pyarrow(data: bytes, delimiter: str, width: int) -> Array | None:
    pyarrow, reader = import_module("pyarrow"), import_module("pyarrow.csv")
    names = [str(column) for column in range(width)]
    table = reader.read_csv(
        pyarrow.BufferReader(data),
        read_options=reader.ReadOptions(column_names=names, block_size=1 << 20),
        parse_options=reader.ParseOptions(delimiter=delimiter),
        convert_options=reader.ConvertOptions(
            column_types=dict.fromkeys(names, pyarrow.float64()), null_values=_NULLS, quoted_strings_can_be_null=True
        ),
    )
    rows, start = np.empty((table.num_rows, width)), 0
    for batch in table.to_batches():
        columns = np.empty((width, batch.num_rows))
        for column in range(width):
            columns[column] = batch.column(column).to_numpy(zero_copy_only=False)
        rows[start : start + batch.num_rows] = columns.T  # batch by batch, both fit the processor's cache
        start += batch.num_rows
    return rows


def _with_pandas(data: bytes, delimiter: str, width: int) -> Array | None:
    import pandas

    # Words such as NA or null count as text, as they do in a small file.
    frame = pandas.read_csv(
        io.BytesIO(data),
        header=None,
        sep=delimiter,
        dtype="float64",
        encoding="utf-8",
        keep_default_na=False,
        na_values=_NULLS,
    )
    # pandas fills short rows silently, but refuses long ones.
    full = data.count(delimiter.encode()) == len(frame) * (frame.shape[1] - 1)
    return frame.to_numpy() if full else None


def _parse_csv_slowly(data: bytes, delimiter: str, width: int, name: str, first: int) -> Array:
    rows: list[list[float]] = []
    for number, line in enumerate(data.splitlines(), start=first):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start]
            raise UserError(
                f"{name}, row {number}: byte {error.start + 1} (0x{byte:02X}) is not UTF-8; save the file as UTF-8"
            ) from None
        cells = next(csv.reader([text], delimiter=delimiter), [])
        if not cells:
            continue
        values = _numbers(cells, f"{name}, row {number}", number == 1)
        if len(cells) != width:
            raise UserError(
                f"{name}, row {number}: it has {len(cells)} columns where the first row has {width}; give every row "
                "the same columns"
            )
        rows.append(values)
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1 if rows else 0)


def _numbers(cells: list[str], where: str, first: bool) -> list[float]:
    values = []
    for column, cell in enumerate(cells, start=1):
        try:
            values.append(float(cell) if cell.strip() else float("nan"))
        except ValueError:
            if first and not any(_is_number(each) for each in cells):
                remedy = "remove the header row"
            else:
                remedy = "encode text as numbers, and leave cells without a value empty"
            raise UserError(
                f"{where}, column {column}: could not convert string to float: {cell!r}; {remedy}"
            ) from None
    return values


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


# -- LIBSVM


def libsvm_blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a LIBSVM file, as CSR. Raises ``UserError`` naming the row."""
    for data, number, _ in pieces(stream):
        found = _parse_libsvm(data) if layout.label else None
        if found is None:
            try:
                found = parse_libsvm(data, stream.name, layout.label, first_row=number)
            except LibsvmError as error:
                raise UserError(f"{error}; write rows as label index:value index:value") from error
        features, labels, weights, groups = found
        if features.shape[0]:
            features = features.astype(layout.dtype, copy=False)
            yield Block(features, labels if layout.label else None, weights, groups, stream.name, number)


def _parse_libsvm(data: bytes) -> tuple[Array, Array, Array | None, Array | None] | None:
    """The same for the usual file, of labels and indexed values alone: all numbers of a block are parsed at once."""
    import scipy.sparse as sparse

    if b"#" in data or b"qid" in data or not data.strip():
        return None
    text = data if data.endswith(b"\n") else data + b"\n"
    raw = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(raw == 10)
    colons = np.flatnonzero(raw == 58)
    counts = np.diff(np.searchsorted(colons, ends), prepend=0)
    if (np.diff(ends, prepend=-1) <= 1).any():
        return None  # empty lines
    try:
        numbers = _numbers_of(text)
    except (ValueError, DeprecationWarning):
        return None
    starts = np.cumsum(2 * counts + 1) - (2 * counts + 1)
    if len(numbers) != len(starts) + 2 * len(colons):
        return None
    pairs = np.ones(len(numbers), dtype=bool)
    pairs[starts] = False
    values = numbers[pairs].reshape(-1, 2)
    columns = values[:, 0].astype(np.int64)
    if (columns != values[:, 0]).any() or (len(columns) and columns.min() < 0):
        return None
    # A weight after the label, or a row without one, moves what follows: then the numbers beside colons do not fit.
    if not _alternate(raw, colons, ends, counts):
        return None
    width = int(columns.max(initial=-1)) + 1
    pointers = np.concatenate([[0], np.cumsum(counts)])
    features = sparse.csr_matrix((values[:, 1].astype(np.float32), columns, pointers), shape=(len(counts), width))
    return features, numbers[starts], None, None


def _numbers_of(text: bytes) -> Array:
    """The numbers in ``text``, whatever stands between them. Raises ``ValueError`` or ``DeprecationWarning``."""
    try:
        pyarrow, reader = import_module("pyarrow"), import_module("pyarrow.csv")
    except ImportError:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return np.fromstring(text.replace(b":", b" "), dtype=np.float64, sep=" ")
    table = reader.read_csv(
        pyarrow.BufferReader(text.translate(_BREAKS)),
        read_options=reader.ReadOptions(column_names=["0"], block_size=1 << 20),
        convert_options=reader.ConvertOptions(column_types={"0": pyarrow.float64()}, null_values=[]),
    )
    return table.column(0).to_numpy()


def _alternate(raw: Array, colons: Array, ends: Array, counts: Array) -> bool:
    """Whether in every line the first space comes before the first colon: the label stands alone."""
    spaces = np.flatnonzero((raw == 32) | (raw == 9))
    begins = np.concatenate([[0], ends[:-1] + 1])
    has = counts > 0
    first_colon = colons[np.searchsorted(colons, begins[has])] if len(colons) else colons
    index = np.searchsorted(spaces, begins[has])
    if (index >= len(spaces)).any():
        return False
    return bool((spaces[index] < first_colon).all())


# -- JSON Lines


def json_blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a JSON Lines file: arrays with the label first, or objects with ``features`` and ``label`` (and
    ``weight``). Raises ``UserError`` naming the row."""
    for data, number, _ in pieces(stream):
        lines = data.splitlines()
        try:
            rows = json.loads(b"[" + b",".join(line for line in lines if line.strip()) + b"]")
        except ValueError:
            rows = [_json_line(line, stream.name, place) for place, line in enumerate(lines, number) if line.strip()]
        if not rows:
            continue
        table = _json_table(rows, layout)
        if table is None:
            raise _json_fault(rows, layout, stream.name, number)
        yield of_table(table, stream.name, number, layout, "value")


def _json_line(line: bytes, name: str, number: int) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise UserError(f"{name}, row {number}: it is not JSON ({error}); write one JSON document a line") from None


def _json_row(row: Any, layout: Layout) -> list[float]:
    if not isinstance(row, dict):
        return list(row)
    front: list[Any] = []
    if layout.label:
        label = row["label"]
        front += label if isinstance(label, list) else [label]
    if layout.weights:
        front.append(row["weight"])
    features: list[Any] = row["features"] if "features" in row else row["values"]
    return front + features


def _json_table(rows: list[Any], layout: Layout) -> Array | None:
    try:
        table = np.array([_json_row(row, layout) for row in rows], dtype=np.float64)
    except (ValueError, TypeError, KeyError):
        return None
    return table if table.ndim == 2 else None


def _json_fault(rows: list[Any], layout: Layout, name: str, first: int) -> UserError:
    width = None
    for number, row in enumerate(rows, start=first):
        try:
            values = [float("nan") if each is None else float(each) for each in _json_row(row, layout)]
        except (ValueError, TypeError, KeyError):
            form = '{"features": [1.5, 2], "label": 0}' if layout.label else '{"features": [1.5, 2]}'
            return UserError(f"{name}, row {number}: it is not an array of numbers; write rows as {form}")
        width = len(values) if width is None else width
        if len(values) != width:
            return UserError(
                f"{name}, row {number}: it has {len(values)} values where the first row has {width}; give every row "
                "the same number"
            )
    return UserError(f"{name}, row {first}: these rows are not arrays of numbers")
