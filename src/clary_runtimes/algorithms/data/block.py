"""Rows as the readers find them: the pieces that a pass over a channel consists of."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.contract.errors import UserError

Array = Any

BYTES = 8 << 20
"""Bytes of a channel that are read at once."""


class Layout(NamedTuple):
    """What a reader is to find in each row."""

    label: bool = True
    """The label comes first (in RecordIO: under ``label``)."""
    weights: bool = False
    """In CSV the second column is the weight of the row."""
    dtype: Any = np.float32
    """The type of the features."""
    width: int | None = None
    """The number of features, where it is known; sparse rows that do not reach so far are wider all the same."""

    @property
    def leading(self) -> int:
        """The columns before the first feature."""
        return int(self.label) + int(self.weights)


class Block(NamedTuple):
    """Some rows that follow each other in one file."""

    features: Array
    """(rows, columns), dense or CSR."""
    labels: Array | None
    weights: Array | None
    groups: Array | None
    name: str
    first_row: int
    """The number of the first row in its file, from 1."""


def of_table(table: Array, name: str, first_row: int, layout: Layout, columns: str = "column") -> Block:
    """A block of a matrix with label and weight in front. Raises ``UserError`` if it has too few columns."""
    if table.shape[1] <= layout.leading:
        front = " and ".join(["a label"] * layout.label + ["a weight"] * layout.weights)
        needed = f"{front} and at least one feature" if front else "at least one feature"
        raise UserError(f"{name}: it has {table.shape[1]} {columns}s; {needed} are needed")
    labels = np.ascontiguousarray(table[:, 0], dtype=np.float64) if layout.label else None
    weights = np.ascontiguousarray(table[:, layout.leading - 1], dtype=np.float64) if layout.weights else None
    features = np.ascontiguousarray(table[:, layout.leading :], dtype=layout.dtype)
    return Block(features, labels, weights, None, name, first_row)


def check(block: Block, layout: Layout, missing: bool) -> None:
    """Raise ``UserError`` for values that are no finite numbers; of features only unless they may be ``missing``."""
    if block.labels is not None:
        _check_column(block, block.labels, "label")
    if block.weights is not None:
        _check_column(block, block.weights, "weight")
        if len(block.weights) and block.weights.min() < 0:
            row = block.first_row + int(block.weights.argmin())
            raise UserError(f"{block.name}, row {row}: the weight is negative; weights must be 0 or more")
    if missing:
        return
    values = block.features if isinstance(block.features, np.ndarray) else block.features.data
    if np.isfinite(values.sum(dtype=np.float64)):
        return  # one pass is enough for good data
    if isinstance(block.features, np.ndarray):
        places = np.argwhere(~np.isfinite(block.features))
    else:
        sparse = block.features.tocoo()
        places = np.argwhere(~np.isfinite(sparse.data)).ravel()
        places = np.column_stack([sparse.row[places], sparse.col[places]])
    if len(places):
        row, column = places[0]
        raise UserError(
            f"{block.name}, row {block.first_row + row}, column {column + 1 + layout.leading}: the value is missing or "
            "not a finite number; this algorithm does not accept missing values: fill them in, or leave the row out"
        )


def _check_column(block: Block, values: Array, what: str) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise UserError(
            f"{block.name}, row {block.first_row + bad[0]}: the {what} is missing or not a finite number; correct it, "
            "or leave the row out"
        )
