"""Factorization machines of second order, trained on mini-batches of dense or sparse rows.

    y(x) = w0 + sum_i w_i x_i + sum_{i<j} <v_i, v_j> x_i x_j

The last sum takes as long as the first: it is half of sum_f ((sum_i v_if x_i)^2 - sum_i v_if^2 x_i^2).
Reference: S. Rendle: Factorization Machines, ICDM 2010.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clary_runtimes.algorithms.artifact import load_arrays, save_arrays
from clary_runtimes.algorithms.factorization_machines.hyperparameters import (
    BINARY,
    CONSTANT,
    REGRESSOR,
    SPECIFICATION,
    TERMS,
    UNIFORM,
)
from clary_runtimes.algorithms.factorization_machines.optimizer import EPSILON, Adam
from clary_runtimes.algorithms.factorization_machines.scores import Tally, sigmoid

Array = Any

FORM = "clary-factorization-machines-1"
_CHUNK = 8192


class FactorizationMachine:
    """A binary classifier or a regressor.

    ``settings`` are the documented hyperparameters by their names, such as ``epochs``, ``mini_batch_size``,
    ``factors_lr``, with their documented defaults.
    """

    def __init__(
        self, num_factors: int = 64, predictor_type: str = REGRESSOR, *, seed: int = 0, **settings: Any
    ) -> None:
        given = {"num_factors": num_factors, "predictor_type": predictor_type, **settings}
        texts = {name: str(value) for name, value in given.items() if value is not None}
        self.settings: Mapping[str, Any] = SPECIFICATION.parse({"feature_dim": "1", **texts})
        self.num_factors, self.predictor_type = num_factors, predictor_type
        self._generator = np.random.default_rng(seed)
        self.bias: Array = None
        """float32 (1,)."""
        self.linear: Array = None
        """float32 (features,)."""
        self.factors: Array = None
        """float32 (features, factors)."""
        self._optimizers: list[Adam] = []

    @property
    def width(self) -> int:
        """The number of features."""
        return len(self.linear)

    def fit(self, features: Array, labels: Array) -> FactorizationMachine:
        """Fit rows (rows, columns), dense or CSR, and labels (rows,): 0 and 1, or any numbers for a regressor."""
        self.begin(features.shape[1])
        labels = np.asarray(labels, dtype=np.float64)
        features = features.astype(np.float32)
        for _ in range(self.settings["epochs"]):
            self.epoch([(features, labels)])
        return self

    def begin(self, width: int) -> FactorizationMachine:
        """Draw the first parameters for ``width`` features, as the ``*_init_*`` settings say."""
        shapes = {"bias": (1,), "linear": (width,), "factors": (width, self.num_factors)}
        self.bias, self.linear, self.factors = (self._drawn(term, shapes[term]) for term in TERMS)
        epsilon, clip = self.settings.get("eps", EPSILON), self.settings.get("clip_gradient")
        self._optimizers = [
            Adam(values, self.settings[f"{term}_lr"], self.settings[f"{term}_wd"], epsilon, clip)
            for term, values in zip(TERMS, (self.bias, self.linear, self.factors), strict=True)
        ]
        return self

    def epoch(self, pieces: Iterable[tuple[Array, Array]]) -> Tally:
        """One pass over pieces of features and labels, the rows of each in random order.

        Gives the metrics of the rows, each as it was predicted before the model learnt from it.
        """
        tally = Tally(self.predictor_type)
        for features, labels in pieces:
            for rows in self._batches(len(labels)):
                self._step(features[rows], labels[rows], tally)
        return tally

    def raw(self, features: Array) -> Array:
        """The outputs for rows (rows, columns), dense or CSR, before the logistic function, float32 (rows,)."""
        parts = [
            _forward(features[start : start + _CHUNK], self.bias, self.linear, self.factors)[0]
            for start in range(0, features.shape[0], _CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)

    def predict(self, features: Array) -> Array:
        """The score of each row: the probability of label 1, or the value of a regressor."""
        raw = self.raw(features)
        return sigmoid(raw) if self.predictor_type == BINARY else raw

    def score(self, features: Array, labels: Array) -> dict[str, float]:
        """The documented metrics of labelled rows."""
        tally = Tally(self.predictor_type)
        tally.add(self.raw(features), np.asarray(labels))
        return tally.values()

    def save(self, folder: Path) -> None:
        """Write ``model_algo-1`` into ``folder``: ``numpy.load`` finds ``bias``, ``linear`` and ``factors`` in it."""
        arrays = {"bias": self.bias, "linear": self.linear, "factors": self.factors}
        save_arrays(folder, FORM, arrays | {"predictor_type": np.array(self.predictor_type)})

    @classmethod
    def load(cls, folder: Path) -> FactorizationMachine:
        """Read what ``save`` wrote, for predictions. Raises ``UserError`` if it is not there."""
        arrays = load_arrays(folder, FORM)
        model = cls(arrays["factors"].shape[1], str(arrays["predictor_type"]))
        model.bias, model.linear, model.factors = arrays["bias"], arrays["linear"], arrays["factors"]
        return model

    def _drawn(self, term: str, shape: tuple[int, ...]) -> Array:
        method = self.settings[f"{term}_init_method"]
        if method == CONSTANT:
            return np.full(shape, self.settings[f"{term}_init_value"], np.float32)
        if method == UNIFORM:
            drawn = self._generator.random(shape, np.float32)
            drawn *= np.float32(2)
            drawn -= np.float32(1)
            drawn *= np.float32(self.settings[f"{term}_init_scale"])
            return drawn
        drawn = self._generator.standard_normal(shape, np.float32)
        drawn *= np.float32(self.settings[f"{term}_init_sigma"])
        return drawn

    def _batches(self, count: int) -> Iterator[Array]:
        """Random batches of ``mini_batch_size`` rows or nearly so: none is much smaller than the others."""
        parts = max(1, round(count / self.settings["mini_batch_size"]))
        yield from np.array_split(self._generator.permutation(count), parts)

    def _step(self, features: Array, labels: Array, tally: Tally) -> None:
        columns: Array | slice = slice(None)
        if not isinstance(features, np.ndarray):
            from scipy.sparse import csr_matrix

            columns, places = np.unique(features.indices, return_inverse=True)
            shape = (features.shape[0], len(columns))
            features = csr_matrix((features.data, places, features.indptr), shape=shape)
        linear, factors = self.linear[columns], self.factors[columns]
        raw, sums, squares = _forward(features, self.bias, linear, factors)
        tally.add(raw, labels)
        outputs = sigmoid(raw) if self.predictor_type == BINARY else raw
        scale = self.settings.get("rescale_grad", 1.0 / len(labels))
        slope = ((outputs - labels) * scale).astype(np.float32)
        gradient = features.T @ (slope[:, None] * sums) - (squares.T @ slope)[:, None] * factors
        for optimizer, part, rows in zip(
            self._optimizers,
            (slope.sum(keepdims=True), features.T @ slope, gradient),
            (slice(None), columns, columns),
            strict=True,
        ):
            optimizer.step(part, rows)


def _forward(features: Array, bias: Array, linear: Array, factors: Array) -> tuple[Array, Array, Array]:
    """The outputs of rows, sum_i v_if x_i (rows, factors), and the features squared."""
    squares = np.square(features) if isinstance(features, np.ndarray) else features.multiply(features).tocsr()
    sums = features @ factors
    pairs = np.einsum("rf,rf->r", sums, sums) - squares @ np.einsum("cf,cf->c", factors, factors)
    return bias[0] + features @ linear + np.float32(0.5) * pairs, sums, squares
