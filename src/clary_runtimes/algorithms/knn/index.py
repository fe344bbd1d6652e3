"""The indexes of Faiss by the names that the hyperparameters have for them.

Reference: M. Douze et al., "The Faiss library", arXiv:2401.08281.
"""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np

from clary_runtimes.algorithms.knn.hyperparameters import FLAT, IVF_FLAT, L2, PARTS

Array = Any

LISTS_LOOKED_AT = 8
"""One in so many lists of an inverted index is searched, and at least so many."""
LONGEST_CODE = 8
"""Bits for each part of a vector."""


def default_parts(width: int) -> int:
    """The number of parts that vectors of ``width`` numbers are cut into where nobody says: two numbers a part."""
    fitting = [parts for parts in PARTS if 2 * parts <= width] or [1]
    return max(fitting, key=lambda parts: (width % parts == 0, parts))


def build(kind: str, metric: str, points: Array, lists: int | str, parts: int) -> Any:
    """An index of ``points`` (points, columns), float32; for ``faiss.IVFPQ`` ``parts`` divides the columns."""
    count, width = points.shape
    measure = faiss.METRIC_L2 if metric == L2 else faiss.METRIC_INNER_PRODUCT
    flat = faiss.IndexFlatL2(width) if metric == L2 else faiss.IndexFlatIP(width)
    if kind == FLAT:
        flat.add(points)
        return flat
    cells = min(count, round(math.sqrt(count)) if isinstance(lists, str) else lists)
    if kind == IVF_FLAT:
        index = faiss.IndexIVFFlat(flat, width, cells, measure)
    else:
        index = faiss.IndexIVFPQ(flat, width, cells, parts, min(LONGEST_CODE, max(1, int(math.log2(count)))))
        index.pq.cp.min_points_per_centroid = 1  # a small sample is no mistake
    index.cp.min_points_per_centroid = 1
    index.train(points)
    index.add(points)
    index.nprobe = min(cells, max(LISTS_LOOKED_AT, cells // LISTS_LOOKED_AT))
    return index


def search(index: Any, points: Array, k: int) -> tuple[Array, Array]:
    """Faiss's measure for the ``k`` nearest of each point, the nearest first, and their numbers, (points, k) each."""
    measures, numbers = index.search(points, k)
    short = np.flatnonzero((numbers < 0).any(axis=1))
    if len(short):  # the lists that were looked at hold fewer than k
        everywhere = faiss.SearchParametersIVF(nprobe=index.nlist)
        measures[short], numbers[short] = index.search(points[short], k, params=everywhere)
    return measures, numbers


def to_bytes(index: Any) -> bytes:
    """The index as ``faiss.write_index`` writes it."""
    data: bytes = faiss.serialize_index(index).tobytes()
    return data


def from_bytes(data: bytes) -> Any:
    """The index in ``data``. Raises ``RuntimeError`` if there is none."""
    return faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
