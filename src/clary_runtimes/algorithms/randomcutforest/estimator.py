"""Random Cut Forest: how unusual points are, in a batch or on a stream.

References: Guha, Mishra, Roy, Schrijvers: Robust Random Cut Forest Based Anomaly Detection On Streams, ICML 2016, and
https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_how-it-works.html
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.artifact import load_arrays, save_arrays
from clary_runtimes.algorithms.randomcutforest.scores import measure, measure_stream
from clary_runtimes.algorithms.randomcutforest.shingles import Shingler, shingle
from clary_runtimes.algorithms.randomcutforest.trees import NONE, Trees, empty_trees, plant, remember, sample

Array = Any

FORM = "clary-random-cut-forest-1"
DEVIATIONS = 3.0
"""A score so many standard deviations above the mean is one of an anomaly."""
_STRUCTURE = ("children", "parent", "mass", "dimension", "cut", "root", "slots", "seen", "free", "unused", "state")
_WORTH_A_THREAD = 20_000
"""Rows times trees that take longer than starting a thread."""


class RandomCutForest:
    """A forest of robust random cut trees, each over its own random sample of the points.

    ``num_trees`` and ``num_samples_per_tree`` are the documented hyperparameters. With ``shingle_size`` above 1 the
    rows are the steps of a series, and a point is that many steps that follow each other. The first row that is seen
    settles the number of features.
    """

    def __init__(
        self,
        num_trees: int = 100,
        num_samples_per_tree: int = 256,
        *,
        shingle_size: int = 1,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        if num_trees < 1 or num_samples_per_tree < 1 or shingle_size < 1:
            raise ValueError("num_trees, num_samples_per_tree and shingle_size must be at least 1")
        self.num_trees, self.num_samples_per_tree = num_trees, num_samples_per_tree
        self.shingle_size, self.seed = shingle_size, seed
        self.threads = threads or os.cpu_count() or 1
        self.threshold = float("inf")
        """Scores above it are those of anomalies."""
        self._trees: Trees | None = None
        self._shingler = Shingler(shingle_size)

    @property
    def width(self) -> int:
        """The number of columns of a point, which with shingles is that of several rows."""
        return int(self._planted.low.shape[2])

    def fit(self, features: Array, y: object = None) -> RandomCutForest:
        """Fit (rows, columns), and set ``threshold`` by the scores of these rows; ``y`` is ignored."""
        points = shingle(features, self.shingle_size)
        self.fit_batches([points])
        step = max(1, len(points) // 10_000)
        return self.set_threshold(self._measure(points[::step], False))

    def fit_batches(self, batches: Iterable[Array]) -> RandomCutForest:
        """Fit one pass over points in batches (rows, columns), in the memory of the samples.

        Raises ``ValueError`` if there is no point.
        """
        chosen: Array = None
        state = np.random.SeedSequence([self.seed, 1]).generate_state(self.num_trees, np.uint64)
        seen = 0
        for batch in batches:
            points = np.ascontiguousarray(batch, dtype=np.float32)
            if chosen is None:
                chosen = np.zeros((self.num_trees, self.num_samples_per_tree, points.shape[1]), np.float32)
            sample(state, chosen, points, seen)
            seen += len(points)
        if not seen:
            raise ValueError("there is no point to fit")
        trees = empty_trees(self.num_trees, self.num_samples_per_tree, chosen.shape[2], self.seed)
        count = min(seen, self.num_samples_per_tree)
        self._each_part(lambda first, last: plant(trees, chosen, count, first, last), count)
        trees.seen[:] = seen
        self._trees = trees
        return self

    def set_threshold(self, scores: Array) -> RandomCutForest:
        """Set ``threshold`` three standard deviations above the mean of ``scores``, as the documentation suggests."""
        self.threshold = float(scores.mean() + DEVIATIONS * scores.std())
        return self

    def score(self, features: Array) -> Array:
        """The anomaly score of each row (rows, columns), float64: the mean of ``score_in_tree`` over the trees.

        With shingles it is that of the point which ends with the row, NaN for the first rows.
        """
        return self._aligned(features, False)

    def codisplacement(self, features: Array) -> Array:
        """The collusive displacement of each row, as if it were inserted: the mean over the trees; as ``score``."""
        return self._aligned(features, True)

    def predict(self, features: Array) -> Array:
        """1 for each row that is an anomaly by ``threshold``, else 0."""
        return (self.score(features) > self.threshold).astype(np.int64)

    def update(self, features: Array, window: bool = False) -> RandomCutForest:
        """Offer the next rows of a stream to the trees' samples, one after the other.

        A full sample deletes one of its points for each that it takes: the oldest with ``window``, else one drawn so
        that every point of the stream is kept with the same probability.
        """
        points, _ = self._shingler.add(features)
        trees = self._ready(points)
        self._each_part(lambda first, last: remember(trees, points, window, first, last), len(points))
        return self

    def process(self, features: Array, measure_by: str = "score", window: bool = True) -> Array:
        """Measure the next rows of a stream, each before it is offered to the samples as by ``update``.

        ``measure_by`` is ``score`` or ``codisplacement``. Gives one number a row, NaN while there is no whole shingle.
        """
        points, without = self._shingler.add(features)
        trees = self._ready(points)
        parts: list[Array] = []

        def work(first: int, last: int) -> None:
            found = np.zeros(len(points))
            displacement = measure_by == "codisplacement"
            measure_stream(trees, points, displacement, window, self.seed, first, last, found)
            parts.append(found)

        self._each_part(work, len(points))
        total = np.sum(parts, axis=0) / self.num_trees if len(points) else np.empty(0)
        return np.concatenate([np.full(without, np.nan), total])

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1`` into ``folder``: the trees and the points in them, not the rows they came from."""
        trees = self._planted
        arrays = {name: getattr(trees, name) for name in _STRUCTURE}
        points = trees.low[:, trees.size :]
        numbers = np.array([self.shingle_size, self.seed], np.int64)
        save_arrays(folder, FORM, arrays | {"points": points, "threshold": np.array(self.threshold), "how": numbers})

    @classmethod
    def load(cls, folder: Path) -> RandomCutForest:
        """Read what ``save`` wrote. Raises ``UserError`` if it is not there."""
        arrays = load_arrays(folder, FORM)
        points = arrays["points"]
        count, size, width = points.shape
        shingle_size, seed = arrays["how"].tolist()
        forest = cls(count, size, shingle_size=shingle_size, seed=seed)
        forest.threshold = float(arrays["threshold"])
        low = np.zeros((count, 2 * size, width), np.float32)
        low[:, size:] = points
        trees = Trees(low, low.copy(), *(arrays[name] for name in _STRUCTURE))
        _restore_boxes(trees)
        forest._trees = trees
        return forest

    # -- trees

    @property
    def _planted(self) -> Trees:
        if self._trees is None:
            raise ValueError("the forest is not fitted")
        return self._trees

    def _ready(self, points: Array) -> Trees:
        if self._trees is None:
            self._trees = empty_trees(self.num_trees, self.num_samples_per_tree, points.shape[1], self.seed)
        self._check(points)
        return self._trees

    def _check(self, points: Array) -> None:
        if points.shape[1] != self.width:
            raise ValueError(f"a point has {points.shape[1]} columns where the forest has {self.width}")

    def _aligned(self, features: Array, displacement: bool) -> Array:
        points = shingle(features, self.shingle_size)
        found = self._measure(points, displacement)
        return np.concatenate([np.full(len(features) - len(points), np.nan), found])

    def _measure(self, points: Array, displacement: bool) -> Array:
        trees = self._planted
        self._check(points)
        found = np.zeros(len(points))

        def work(part: slice) -> None:
            measure(trees, points[part], displacement, self.seed + part.start, found[part])

        workers = max(1, min(self.threads, len(points) * self.num_trees // _WORTH_A_THREAD))
        _spread(len(points), workers, lambda first, last: work(slice(first, last)))
        return found / self.num_trees

    def _each_part(self, work: Callable[[int, int], None], rows: int) -> None:
        workers = max(1, min(self.threads, self.num_trees, rows * self.num_trees // _WORTH_A_THREAD))
        _spread(self.num_trees, workers, work)


def _spread(count: int, workers: int, work: Callable[[int, int], None]) -> None:
    """Let ``work`` do the numbers below ``count`` in parts, each in a thread of its own."""
    if workers == 1:
        work(0, count)
        return
    bounds = [count * number // workers for number in range(workers + 1)]
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


def _restore_boxes(trees: Trees) -> None:
    """Bounding boxes of the inner nodes, from those of the leaves, level by level from the deepest."""
    levels = []
    number = np.flatnonzero(trees.root != NONE)
    node = trees.root[number]
    while len(node):
        inner = node < trees.size
        number, node = number[inner], node[inner]
        levels.append((number, node))
        children = trees.children[number, node]
        number, node = np.repeat(number, 2), children.ravel()
    for number, node in reversed(levels):
        children = trees.children[number, node]
        trees.low[number, node] = trees.low[number[:, None], children].min(axis=1)
        trees.high[number, node] = trees.high[number[:, None], children].max(axis=1)
