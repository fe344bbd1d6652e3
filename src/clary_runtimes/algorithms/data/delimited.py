"""CSV: whole files for training, small payloads for inference."""

from __future__ import annotations

import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.data.json_text import loads
from clary_runtimes.contract.errors import UserError

Array = Any

PANDAS_FROM = 8 << 20
"""Bytes from which pandas' faster parser repays the third of a second that importing it costs."""

_DELIMITERS = ",;\t|"
_NUMBERS_ONLY = b"0123456789+-.eE,\n\r \t"


def read_csv(path: Path) -> Array:
    """The numbers of one CSV file without header, shape (rows, columns), float64; empty cells become NaN.

    Raises ``UserError`` naming file, row and column of a cell that is no number, or a row of another width.
    """
    delimiter = _delimiter(path)
    if path.stat().st_size >= PANDAS_FROM:
        table = _read_with_pandas(path, delimiter)
    else:
        table = _read_with_numpy(path, delimiter)
    return _read_slowly(path, delimiter) if table is None else table


def _read_with_numpy(path: Path, delimiter: str) -> Array | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an empty file warns; the caller says it better
            return np.loadtxt(path, delimiter=delimiter, comments=None, quotechar='"', ndmin=2, encoding="utf-8-sig")
    except ValueError:
        return None


def _read_with_pandas(path: Path, delimiter: str) -> Array | None:
    import pandas

    try:
        # Words such as NA or null count as text, as they do in a small file.
        frame = pandas.read_csv(
            path,
            header=None,
            sep=delimiter,
            dtype="float64",
            encoding="utf-8-sig",
            keep_default_na=False,
            na_values=["", "nan", "NaN", "NAN"],
        )
    except ValueError:
        return None
    # pandas fills short rows silently: a last column with a hole may be one, and only a second look can tell.
    return None if bool(frame.iloc[:, -1].isna().any()) else frame.to_numpy()


def _read_slowly(path: Path, delimiter: str) -> Array:
    rows: list[list[float]] = []
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        for number, cells in enumerate(csv.reader(file, delimiter=delimiter), start=1):
            if not cells:
                continue
            rows.append(_numbers(cells, f"{path.name}, row {number}"))
            if len(cells) != len(rows[0]):
                raise UserError(
                    f"{path.name}, row {number}: it has {len(cells)} columns where the first row has {len(rows[0])}"
                )
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1 if rows else 0)


def _numbers(cells: list[str], where: str) -> list[float]:
    values = []
    for column, cell in enumerate(cells, start=1):
        try:
            values.append(float(cell) if cell.strip() else float("nan"))
        except ValueError:
            raise UserError(f"{where}, column {column}: could not convert string to float: {cell!r}") from None
    return values


def _delimiter(path: Path) -> str:
    with path.open("rb") as file:
        line = file.readline(1 << 16).decode("utf-8-sig", errors="replace")
    return guess_delimiter(line)


def guess_delimiter(line: str) -> str:
    """The delimiter that a line of CSV is most likely to have."""
    return max(_DELIMITERS, key=line.count) if any(mark in line for mark in _DELIMITERS) else ","


def parse_rows(body: bytes) -> Array:
    """The numbers of a CSV payload, shape (rows, columns), float64; empty cells become NaN.

    Raises ``ValueError`` naming the row (from 1) of what is wrong.
    """
    body = body.strip(b"\r\n \t")
    # The usual payload is nothing but numbers and commas: then it is one JSON array, and a parser in C reads it in a
    # fraction of the time of splitting it here.
    if not body.translate(None, _NUMBERS_ONLY):
        lines = body.splitlines()
        commas = {line.count(b",") for line in lines}
        if len(commas) == 1:
            try:
                numbers = loads(b"[" + b",".join(lines) + b"]")
            except ValueError:
                pass  # an empty cell, '+1', '.5', another delimiter: read below
            else:
                return np.array(numbers, dtype=np.float64).reshape(len(lines), -1)
    return _parse_rows_slowly(body.decode("utf-8"))


def _parse_rows_slowly(text: str) -> Array:
    lines = text.splitlines()
    delimiter = guess_delimiter(lines[0]) if lines else ","
    rows: list[list[float]] = []
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
        try:
            rows.append(_numbers(cells, f"row {number}"))
        except UserError as error:
            raise ValueError(str(error)) from None
        if len(cells) != len(rows[0]):
            raise ValueError(f"row {number}: it has {len(cells)} columns where the first row has {len(rows[0])}")
    if not rows:
        raise ValueError("there is no row")
    return np.array(rows, dtype=np.float64)
