"""K-Means on a stream: mini-batches move more centres than are wanted, which are then reduced to ``k``.

References: D. Sculley, "Web-Scale K-Means Clustering", WWW 2010; how batches are weighted and centres reduced is
https://docs.aws.amazon.com/sagemaker/latest/dg/algo-kmeans-tech-notes.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.artifact import load_arrays, save_arrays
from clary_runtimes.algorithms.kmeans import lloyd

Array = Any
Say = Callable[[str], None]
Passes = Callable[[], Iterable[Array]]

FORM = "clary-kmeans-1"
EXTRA_CENTERS = 10
"""What ``extra_center_factor`` ``auto`` means for up to so many …"""
FEW_CENTERS = 10_000
"""… centres in all; 4 for more."""
TRIALS = 10
"""What ``local_lloyd_num_trials`` ``auto`` means."""
PIECE = 8192


class KMeans:
    """``k`` cluster centres. The arguments are the documented hyperparameters of the same names.

    ``centers`` is (k, features), float32, once it is fitted.
    """

    def __init__(
        self,
        k: int,
        *,
        extra_center_factor: int | str = "auto",
        init_method: str = "random",
        mini_batch_size: int = 5000,
        epochs: int = 1,
        half_life_time_size: int = 0,
        local_lloyd_init_method: str = "kmeans++",
        local_lloyd_max_iter: int = 300,
        local_lloyd_num_trials: int | str = "auto",
        local_lloyd_tol: float = 1e-4,
        seed: int = 0,
        say: Say = lambda text: None,
        host: str = "algo-1",
    ) -> None:
        self.k = k
        self.factor = _factor(k) if isinstance(extra_center_factor, str) else extra_center_factor
        self.init_method, self.mini_batch_size, self.epochs = init_method, mini_batch_size, epochs
        self.half_life = half_life_time_size
        self.local_init, self.local_iterations = local_lloyd_init_method, local_lloyd_max_iter
        self.trials = TRIALS if isinstance(local_lloyd_num_trials, str) else local_lloyd_num_trials
        self.tolerance = local_lloyd_tol
        self.generator = np.random.default_rng(seed)
        self.centers: Array = None
        self._say, self._host = say, host

    @property
    def initial_rows(self) -> int:
        """How many rows, drawn at random, the first centres should be chosen from."""
        return max(self.mini_batch_size, self.k * self.factor)

    def fit(self, features: Array, y: object = None) -> KMeans:
        """Fit (rows, columns), dense or CSR; ``y`` is ignored. Raises ``ValueError`` for fewer rows than ``k``."""
        count = features.shape[0]
        if isinstance(features, np.ndarray):
            features = np.asarray(features, dtype=np.float32)
        drawn = self.generator.choice(count, min(count, self.initial_rows), replace=False)
        sample = features[drawn] if isinstance(features, np.ndarray) else features[drawn].toarray()

        def passing() -> Iterable[Array]:
            order = self.generator.permutation(count)
            return (features[order[i : i + self.mini_batch_size]] for i in range(0, count, self.mini_batch_size))

        return self.fit_passes(sample, passing)

    def fit_passes(self, sample: Array, passes: Passes) -> KMeans:
        """Fit a stream in the memory of one batch and the centres.

        ``sample`` (rows, columns) are dense rows to choose the first centres from, and ``passes`` gives one pass over
        all rows, in batches (rows, columns), dense or CSR, as often as it is called. Raises ``ValueError`` if the
        sample has fewer rows than ``k``.
        """
        if len(sample) < self.k:
            raise ValueError(f"there are {len(sample)} rows, fewer than the k = {self.k} clusters")
        # Around the origin, 32 bits are enough for distances; sparse rows would not be sparse any more.
        shift = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
        many = min(self.k * self.factor, len(sample))
        centers = lloyd.seed(sample - shift, many, self.init_method, self.generator)
        mass = np.zeros(many)
        for epoch in range(self.epochs):
            started, rows, loss = time.monotonic(), 0, 0.0
            for batch in passes():
                if isinstance(batch, np.ndarray):
                    batch = batch - shift
                elif shift.any():
                    centers, shift = centers + shift, np.zeros_like(shift)
                loss += self._step(batch, centers, mass)
                rows += batch.shape[0]
            speed = rows / max(1e-9, time.monotonic() - started)
            self._say(f"#quality_metric: host={self._host}, epoch={epoch}, train msd <loss>={loss / rows}")
            self._say(f"#progress_metric: host={self._host}, completed {100 * (epoch + 1) / self.epochs:g} % of epochs")
            self._say(f"#throughput_metric: host={self._host}, train throughput={speed} records/second")
        self.centers = self._reduce(centers, mass) + shift
        return self

    def _step(self, batch: Array, centers: Array, mass: Array) -> float:
        """Move ``centers`` towards the rows of a batch that are nearest to them; the sum of squared distances before.

        A centre that stood for n rows and gets m more moves by m / (n + m) of the way to the mean of those.
        """
        which, distances = lloyd.nearest(batch, centers)
        counts = np.bincount(which, minlength=len(centers))
        if self.half_life:
            mass *= 0.5 ** (len(which) / self.half_life)
        hit = np.flatnonzero(counts)
        share = (counts[hit] / (mass[hit] + counts[hit])).astype(np.float32)[:, None]
        means = lloyd.sums(batch, which, len(centers))[hit] / counts[hit][:, None]
        centers[hit] += share * (means - centers[hit])
        mass += counts
        return float(distances.sum(dtype=np.float64))

    def _reduce(self, centers: Array, mass: Array) -> Array:
        used = mass > 0
        if np.count_nonzero(used) < self.k:
            return np.concatenate([centers[used], centers[~used]])[: self.k]
        points, weights = centers[used], mass[used]
        if len(points) == self.k:
            return points
        self._say(f"shrinking {len(centers)} centers into {self.k}")
        total = weights.sum()

        def attempt() -> lloyd.Solution:
            first = lloyd.seed(points, self.k, self.local_init, self.generator, weights)
            return lloyd.lloyd(points, weights, first, self.local_iterations, self.tolerance)

        def heard(number: int, found: lloyd.Solution) -> None:
            self._say(f"local kmeans attempt #{number}. Current mean square distance {found.loss / total}")

        best = lloyd.best_of(self.trials, attempt, heard)
        self._say(f"finished shrinking process. Mean Square Distance = {best.loss / total}")
        return best.centers

    def assign(self, features: Array) -> tuple[Array, Array]:
        """The number of the closest cluster of each row (rows, columns), and the Euclidean distance to its centre."""
        shift = self.centers.mean(axis=0)
        centers = self.centers - shift
        if not isinstance(features, np.ndarray):
            shift, centers = np.zeros_like(shift), self.centers
        which, distances = [], []
        for start in range(0, features.shape[0], PIECE):
            part = features[start : start + PIECE]
            if isinstance(part, np.ndarray):
                part = part.astype(np.float32, copy=False) - shift
            numbers, squared = lloyd.nearest(part, centers)
            which.append(numbers)
            distances.append(np.sqrt(squared))
        return np.concatenate(which), np.concatenate(distances)

    def predict(self, features: Array) -> Array:
        """The number of the closest cluster of each row."""
        return self.assign(features)[0]

    def score(self, features: Array) -> float:
        """The mean squared distance of the rows to their closest centres: ``msd``; the smaller the better."""
        return float(np.mean(np.square(self.assign(features)[1], dtype=np.float64)))

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1`` into ``folder``: ``numpy.load`` finds ``centers`` in it."""
        save_arrays(folder, FORM, {"centers": self.centers.astype(np.float32)})

    @classmethod
    def load(cls, folder: Path) -> KMeans:
        """Read what ``save`` wrote. Raises ``UserError`` if it is not there."""
        centers = load_arrays(folder, FORM)["centers"]
        model = cls(len(centers))
        model.centers = centers
        return model


def _factor(k: int) -> int:
    return EXTRA_CENTERS if k * EXTRA_CENTERS <= FEW_CENTERS else 4
