"""What is tuned: real trainings, by a point of the unit cube, with the loss after every epoch."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

DIVERGED = 1e30
"""The loss of a model that ran away."""
ROUNDS = 60
EPOCHS = 27
DIGITS = 300
"""Rows of the digits that XGBoost trains on: all of them take long."""


class Curve(NamedTuple):
    """The validation loss after each epoch, and the seconds of CPU that the training took."""

    losses: list[float]
    seconds: float


class Problem:
    """A training and the ranges of its hyperparameters, as ``dimensions`` of the unit cube (see the search)."""

    def __init__(
        self, name: str, dimensions: Sequence[int], epochs: int, train: Callable[[Sequence[float]], list[float]]
    ):
        self.name = name
        self.dimensions = list(dimensions)
        self.epochs = epochs
        self._train = train
        folder = Path(os.environ.get("CLARY_CACHE") or Path.home() / ".cache" / "clary") / "bench" / "tuning"
        folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(inspect.getsource(sys.modules[__name__]).encode()).hexdigest()[:12]
        self._file = folder / f"{name}-{digest}.jsonl"
        self._known: dict[str, Curve] = {}
        if self._file.exists():
            for line in self._file.read_text("utf-8").splitlines():
                key, losses, seconds = json.loads(line)
                self._known[key] = Curve(losses, seconds)

    def curve(self, point: Sequence[float]) -> Curve:
        """The training at ``point``."""
        rounded = [round(float(number), 6) for number in point]
        key = json.dumps(rounded)
        if key not in self._known:
            started = time.process_time()
            losses = [loss if loss < DIVERGED else DIVERGED for loss in self._train(rounded)]  # NaN is no smaller
            self._known[key] = Curve(losses, time.process_time() - started)
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps([key, *self._known[key]]) + "\n")
        return self._known[key]

    def loss(self, point: Sequence[float]) -> float:
        """What the training ends with."""
        return self.curve(point).losses[-1]


def problems() -> list[Problem]:
    """All of them."""
    binary = {"objective": "binary:logistic", "eval_metric": "logloss"}
    several = {"objective": "multi:softprob", "eval_metric": "mlogloss"}
    number = {"objective": "reg:squarederror", "eval_metric": "rmse"}
    return [
        _boosted("xgboost-breast-cancer", "breast_cancer", binary),
        _boosted("xgboost-diabetes", "diabetes", number),
        _boosted("xgboost-wine", "wine", several | {"num_class": 3}),
        _boosted("xgboost-digits", "digits", several | {"num_class": 10}),
        _linear("linear-breast-cancer", "breast_cancer", {"predictor_type": "binary_classifier"}),
        _linear("linear-diabetes", "diabetes", {"predictor_type": "regressor"}),
        _linear("linear-digits", "digits", {"predictor_type": "multiclass_classifier", "num_classes": 10}),
    ]


def _boosted(name: str, data: str, fixed: dict[str, Any]) -> Problem:
    """``eta``, ``max_depth``, ``min_child_weight``, ``subsample``, ``lambda`` and ``alpha`` of XGBoost."""

    def train(point: Sequence[float]) -> list[float]:
        import xgboost

        rows, held, labels, truth = _parts(data)
        if data == "digits":
            rows, labels = rows[:DIGITS], labels[:DIGITS]
        tuned = {
            "eta": _logarithmic(point[0], 0.005, 1),
            "max_depth": round(1 + 9 * point[1]),
            "min_child_weight": _logarithmic(point[2], 0.1, 100),
            "subsample": 0.3 + 0.7 * point[3],
            "lambda": _logarithmic(point[4], 1e-3, 100),
            "alpha": _logarithmic(point[5], 1e-3, 30),
        }
        losses: dict[str, dict[str, list[float]]] = {}
        xgboost.train(
            {**fixed, **tuned, "nthread": 1, "tree_method": "hist", "seed": 0},
            xgboost.DMatrix(rows, labels),
            ROUNDS,
            evals=[(xgboost.DMatrix(held, truth), "held")],
            evals_result=losses,
            verbose_eval=False,
        )
        return losses["held"][fixed["eval_metric"]]

    return Problem(name, [0] * 6, ROUNDS, train)


def _linear(name: str, data: str, fixed: dict[str, Any]) -> Problem:
    """``optimizer``, ``learning_rate``, ``wd``, ``l1`` and ``mini_batch_size`` of Clary's Linear Learner."""

    def train(point: Sequence[float]) -> list[float]:
        from clary_runtimes.algorithms.linear_learner.estimator import LinearLearner

        rows, held, labels, truth = _parts(data)
        tuned = {
            "optimizer": ("sgd", "adam", "rmsprop")[int(point[0])],
            "learning_rate": _logarithmic(point[1], 1e-4, 1),
            "wd": _logarithmic(point[2], 1e-7, 1),
            "l1": _logarithmic(point[3], 1e-7, 1),
            "mini_batch_size": round(_logarithmic(point[4], 16, 256)),
        }
        losses: list[float] = []

        def say(line: str) -> None:
            if line.startswith("#quality_metric") and "validation" in line:
                losses.append(float(line.rsplit("=", 1)[1]))

        given = {**fixed, **tuned, "num_models": 1, "epochs": EPOCHS, "early_stopping_patience": EPOCHS}
        LinearLearner(**given).fit(rows, labels, validation=(held, truth), say=say)
        return losses

    return Problem(name, [3, 0, 0, 0, 0], EPOCHS, train)


@cache
def _parts(name: str) -> tuple[Any, Any, Any, Any]:
    """Rows to train on, rows held back, and the labels of both."""
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    rows, labels = getattr(datasets, f"load_{name}")(return_X_y=True)
    alike = None if name == "diabetes" else labels
    parts: tuple[Any, Any, Any, Any] = tuple(
        train_test_split(rows, labels, test_size=0.3, random_state=0, stratify=alike)
    )
    return parts


def _logarithmic(place: float, low: float, high: float) -> float:
    return math.exp(math.log(low) + place * math.log(high / low))
