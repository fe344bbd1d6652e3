"""The LIBSVM text format: ``label[:weight] [qid:group] index:value …``, indexes from zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sparse

Array = Any


class LibsvmError(ValueError):
    """A line that is not LIBSVM; the message names it."""


def parse_libsvm(
    data: bytes, name: str = "", labels: bool = True, first_row: int = 1
) -> tuple[Array, Array, Array | None, Array | None]:
    """Features (sparse CSR), labels, instance weights or None, group numbers or None.

    ``labels`` says whether a line must begin with one; without it, a missing label reads as NaN. ``name`` begins every
    error message, and ``first_row`` is the number of the first line in it. Raises ``LibsvmError``.
    """
    marks: list[float] = []
    weights: list[float] = []
    groups: list[int] = []
    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    prefix = f"{name}, " if name else ""
    for number, line in enumerate(data.splitlines(), start=first_row):
        tokens = line.split(b"#", 1)[0].split()
        if not tokens:
            continue
        try:
            if labels or _is_label(tokens[0]):
                label, colon, weight = tokens.pop(0).partition(b":")
                marks.append(float(label))
                if colon:
                    weights.append(float(weight))
            else:
                marks.append(float("nan"))
            if tokens and tokens[0].startswith(b"qid:"):
                groups.append(int(tokens.pop(0)[4:]))
            for token in tokens:
                index, _, value = token.partition(b":")
                columns.append(int(index))
                values.append(float(value))
        except ValueError:
            snippet = line[:50].decode("utf-8", errors="replace")
            raise LibsvmError(f"{prefix}row {number}: '{snippet}...' is not LIBSVM format") from None
        ends.append(len(values))
    if columns and min(columns) < 0:
        raise LibsvmError(f"{prefix}a feature index is negative")
    if weights and len(weights) != len(marks):
        raise LibsvmError(f"{prefix}{len(weights)} of {len(marks)} rows have an instance weight; all or none must")
    if groups and len(groups) != len(marks):
        raise LibsvmError(f"{prefix}{len(groups)} of {len(marks)} rows have a qid; all or none must")
    width = max(columns, default=-1) + 1
    features = sparse.csr_matrix(
        (np.array(values, dtype=np.float32), np.array(columns, dtype=np.int64), np.array(ends, dtype=np.int64)),
        shape=(len(marks), width),
    )
    return (
        features,
        np.array(marks, dtype=np.float64),
        np.array(weights, dtype=np.float64) if weights else None,
        np.array(groups, dtype=np.int64) if groups else None,
    )


def _is_label(token: bytes) -> bool:
    return b":" not in token
