"""Training many linear models at once with mini-batches: one matrix product serves them all."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from clary_runtimes.algorithms.linear_learner.candidates import Candidates
from clary_runtimes.algorithms.linear_learner.hyperparameters import MULTICLASS
from clary_runtimes.algorithms.linear_learner.losses import Loss
from clary_runtimes.algorithms.linear_learner.optimizers import Optimizer

Array = Any

SEED = 20171129
_CHUNK = 8192


class Trainer:
    """The parameters of all candidates, and their training.

    ``weights`` is (features, outputs x models) and ``bias`` (outputs x models,), for scaled features: the models lie
    beside each other in every output. ``rows`` is how many there are in an epoch.
    """

    def __init__(
        self, hyperparameters: Mapping[str, Any], models: Candidates, loss: Loss, width: int, rows: int
    ) -> None:
        self.hyperparameters, self.models, self.loss = hyperparameters, models, loss
        self.multiclass = hyperparameters["predictor_type"] == MULTICLASS
        self.outputs = hyperparameters["num_classes"] if self.multiclass else 1
        self.generator = np.random.default_rng(SEED)
        shape = (width, len(models) * self.outputs)
        if hyperparameters["init_method"] == "uniform":
            scale = hyperparameters["init_scale"]
            weights = self.generator.uniform(-scale, scale, shape)
        else:
            weights = self.generator.normal(0.0, hyperparameters["init_sigma"], shape)
        self.weights = weights.astype(np.float32)
        use_bias = hyperparameters["use_bias"]
        self.bias = np.full(shape[1], hyperparameters["init_bias"] if use_bias else 0.0, dtype=np.float32)
        planned = hyperparameters["epochs"] * math.ceil(rows / hyperparameters["mini_batch_size"])
        rates = self._columns(models.learning_rate)
        self.optimizer = Optimizer(hyperparameters, rates, self.weights, self.bias, planned)
        self.wd, self.l1 = self._columns(models.wd), self._columns(models.l1)
        decay = hyperparameters["bias_wd_mult"]
        self.bias_wd = self.wd * (0.0 if decay == "auto" else decay)

    def _columns(self, values: Array) -> Array:
        return np.tile(values, self.outputs).astype(np.float32)

    def raw(self, features: Array) -> Array:
        """Raw outputs (rows, models), or (rows, classes, models)."""
        product = features @ self.weights
        product += self.bias
        return product.reshape(len(features), self.outputs, -1) if self.multiclass else product

    def epoch(self, pieces: Iterable[tuple[Array, Array]], row_weights: Callable[[Array], Array] | None) -> Array:
        """One pass over ``pieces`` (features and targets), each in random order; the mean loss of every model while it
        was learning.

        ``row_weights`` gives the weights (rows, models or 1) of the rows with some targets; None weighs all alike.
        """
        total, count = np.zeros(len(self.models)), 0
        for features, targets in pieces:
            total += self._piece(features, targets, row_weights)
            count += len(features)
        return total / count

    def _piece(self, features: Array, targets: Array, row_weights: Callable[[Array], Array] | None) -> Array:
        total = np.zeros(len(self.models))
        order = self.generator.permutation(len(features))
        for rows in _batches(order, self.hyperparameters["mini_batch_size"]):
            batch, wanted = features[rows], targets[rows]
            raw = self.raw(batch)
            total += self.loss.value(raw, wanted).sum(axis=0)
            gradient = self.loss.gradient(raw, wanted)
            if row_weights is not None:
                weights = row_weights(wanted)
                gradient = gradient * (weights[:, None] if self.multiclass else weights)
            gradient = gradient.reshape(len(batch), -1).astype(np.float32) / np.float32(len(batch))
            weight_gradient = batch.T @ gradient + self.wd * self.weights + self.l1 * np.sign(self.weights)
            bias_gradient = None
            if self.hyperparameters["use_bias"]:
                bias_gradient = gradient.sum(axis=0) + self.bias_wd * self.bias
            self.optimizer.step(self.weights, self.bias, weight_gradient, bias_gradient)
        return total

    def mean_loss(self, features: Array, labels: Array, restore: Callable[[Array], Array]) -> Array:
        """The mean loss of every model, infinite for one that ran away.

        ``restore`` turns raw outputs into the units of ``labels``.
        """
        total = np.zeros(len(self.models))
        for start in range(0, len(features), _CHUNK):
            part = slice(start, start + _CHUNK)
            total += self.loss.value(restore(self.raw(features[part])), labels[part]).sum(axis=0)
        return np.where(np.isfinite(total), total / len(features), np.inf)


class BestWeights:
    """The parameters of every model at the epoch where its own loss was smallest."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.losses = np.full(len(trainer.models), np.inf)
        self.weights, self.bias = trainer.weights.copy(), trainer.bias.copy()

    def offer(self, losses: Array) -> None:
        """Take the present parameters of the models that improved."""
        improved = losses < self.losses
        self.losses = np.where(improved, losses, self.losses)
        columns = np.tile(improved, self.trainer.outputs)
        self.weights[:, columns] = self.trainer.weights[:, columns]
        self.bias[columns] = self.trainer.bias[columns]

    def restore(self) -> None:
        """Give the trainer those parameters."""
        self.trainer.weights[:], self.trainer.bias[:] = self.weights, self.bias


class Patience:
    """Early stopping: whether the loss has failed to improve by the tolerance for so many epochs."""

    def __init__(self, hyperparameters: Mapping[str, Any]) -> None:
        self.patience = hyperparameters["early_stopping_patience"]
        self.tolerance = hyperparameters["early_stopping_tolerance"]
        self.best = float("inf")
        self.waited = 0

    def exhausted(self, value: float) -> bool:
        """Note the loss of one more epoch; True if training should end."""
        if self.best == float("inf") or (self.best - value) > self.tolerance * abs(self.best):
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return bool(self.waited >= self.patience)


class Throughput:
    """Rows a second of one epoch."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def of(self, rows: int) -> float:
        return rows / max(1e-9, time.monotonic() - self.started)


def _batches(order: Array, size: int) -> Iterator[Array]:
    for start in range(0, len(order), size):
        yield order[start : start + size]
