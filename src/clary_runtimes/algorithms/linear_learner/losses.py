"""The loss functions and their gradients, over a batch of rows and all models at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

Array = Any


class Loss(NamedTuple):
    """A loss as two functions of the raw outputs and the targets, both of which broadcast.

    ``value`` is the loss of every row and model, ``gradient`` its derivative by the raw output. Binary targets
    are 0 or 1. ``objective`` is the name in the log.
    """

    objective: str
    value: Callable[[Array, Array], Array]
    gradient: Callable[[Array, Array], Array]


def sigmoid(raw: Array) -> Array:
    """The logistic function, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * raw))


def softmax(raw: Array) -> Array:
    """Probabilities of classes: ``raw`` is (rows, classes) or (rows, classes, models)."""
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    shifted /= shifted.sum(axis=1, keepdims=True)
    return shifted


def loss_function(name: str, hyperparameters: Mapping[str, Any]) -> Loss:
    """The loss ``name`` of the documented hyperparameter ``loss`` (not ``auto``)."""
    return _LOSSES[name](hyperparameters)


def _logistic(hyperparameters: Mapping[str, Any]) -> Loss:
    def value(raw: Array, target: Array) -> Array:
        # As np.logaddexp(0, -margin), several times as fast.
        margin = np.where(target > 0, raw, -raw)
        return np.log(1.0 + np.exp(-np.abs(margin))) - np.minimum(0.0, margin)

    return Loss(
        "binary_classification_cross_entropy_objective",
        value,
        lambda raw, target: sigmoid(raw) - target,
    )


def _hinge(hyperparameters: Mapping[str, Any]) -> Loss:
    margin = hyperparameters["margin"]

    def gradient(raw: Array, target: Array) -> Array:
        sign = 2.0 * target - 1.0
        return np.where(sign * raw < margin, -sign, 0.0)

    return Loss(
        "hinge_loss_objective", lambda raw, target: np.maximum(0.0, margin - (2.0 * target - 1.0) * raw), gradient
    )


def _squared(hyperparameters: Mapping[str, Any]) -> Loss:
    return Loss("mse_objective", lambda raw, target: (raw - target) ** 2, lambda raw, target: 2.0 * (raw - target))


def _absolute(hyperparameters: Mapping[str, Any]) -> Loss:
    return Loss(
        "absolute_loss_objective",
        lambda raw, target: np.abs(raw - target),
        lambda raw, target: np.sign(raw - target),
    )


def _insensitive_squared(hyperparameters: Mapping[str, Any]) -> Loss:
    width = hyperparameters["loss_insensitivity"]

    def outside(raw: Array, target: Array) -> Array:
        error = raw - target
        return np.sign(error) * np.maximum(0.0, np.abs(error) - width)

    return Loss(
        "eps_insensitive_squared_loss_objective",
        lambda raw, target: outside(raw, target) ** 2,
        lambda raw, target: 2.0 * outside(raw, target),
    )


def _insensitive_absolute(hyperparameters: Mapping[str, Any]) -> Loss:
    width = hyperparameters["loss_insensitivity"]

    def gradient(raw: Array, target: Array) -> Array:
        error = raw - target
        return np.where(np.abs(error) > width, np.sign(error), 0.0)

    return Loss(
        "eps_insensitive_absolute_loss_objective",
        lambda raw, target: np.maximum(0.0, np.abs(raw - target) - width),
        gradient,
    )


def _quantile(hyperparameters: Mapping[str, Any]) -> Loss:
    # The documentation asks that the *true label* be greater than the prediction with probability q, so the prediction
    # is the (1 - q) quantile.
    level = 1.0 - hyperparameters["quantile"]
    return Loss(
        "quantile_loss_objective",
        lambda raw, target: np.maximum(level * (target - raw), (level - 1.0) * (target - raw)),
        lambda raw, target: np.where(target > raw, -level, 1.0 - level),
    )


def _huber(hyperparameters: Mapping[str, Any]) -> Loss:
    delta = hyperparameters["huber_delta"]

    def value(raw: Array, target: Array) -> Array:
        error = np.abs(raw - target)
        return np.where(error <= delta, 0.5 * error**2, delta * (error - 0.5 * delta))

    return Loss("huber_loss_objective", value, lambda raw, target: np.clip(raw - target, -delta, delta))


def _softmax(hyperparameters: Mapping[str, Any]) -> Loss:
    """Raw outputs (rows, classes, models), targets one-hot (rows, classes, 1).

    With the models last, and as many of them as fill a processor's registers, sums over classes are fast.
    """

    def value(raw: Array, target: Array) -> Array:
        top = raw.max(axis=1, keepdims=True)
        total = np.log(np.exp(raw - top).sum(axis=1)) + top[:, 0]
        return total - (raw * target).sum(axis=1)

    return Loss("multiclass_cross_entropy_objective", value, lambda raw, target: softmax(raw) - target)


_LOSSES: Mapping[str, Callable[[Mapping[str, Any]], Loss]] = {
    "logistic": _logistic,
    "hinge_loss": _hinge,
    "squared_loss": _squared,
    "absolute_loss": _absolute,
    "eps_insensitive_squared_loss": _insensitive_squared,
    "eps_insensitive_absolute_loss": _insensitive_absolute,
    "quantile_loss": _quantile,
    "huber_loss": _huber,
    "softmax_loss": _softmax,
}
