"""The CatBoost library with the defaults of Amazon's algorithm.

L. Prokhorenkova et al., CatBoost: unbiased boosting with categorical features, NeurIPS 2018.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import catboost
import numpy as np

from clary_runtimes.algorithms.catboost.hyperparameters import AUTO
from clary_runtimes.algorithms.catboost.metrics import DEFAULTS
from clary_runtimes.algorithms.jumpstart.numbers import Table
from clary_runtimes.algorithms.jumpstart.problem import BINARY, REGRESSION, Problem
from clary_runtimes.algorithms.jumpstart.staging import staged
from clary_runtimes.contract.errors import UserError, shorten
from clary_runtimes.contract.machine import cpus

Array = Any

MODEL_FILE = "model"
"""What the documentation opens with ``load_model``."""
MISSING_CATEGORY = -1


class CatBoost:
    """Boosted trees. ``model`` is the library's, which knows its classes and its categorical columns."""

    def __init__(self, model: Any = None) -> None:
        self.model = model

    @property
    def labels(self) -> tuple[Any, ...]:
        """The labels of the classes in order; empty for a regression."""
        return tuple(np.asarray(self.model.classes_).tolist())

    @property
    def categorical(self) -> tuple[int, ...]:
        """The columns of the features with categories, from 0."""
        return tuple(self.model.get_cat_feature_indices())

    def fit(
        self,
        problem: Problem,
        train: Table,
        validation: Table,
        categorical: tuple[int, ...],
        hyperparameters: Mapping[str, Any],
        say: Callable[[str], None] = print,
    ) -> CatBoost:
        """Boost until the metric of ``validation`` no longer gets better.

        ``hyperparameters`` are those of ``SPECIFICATION``; ``say`` gets the lines of the log. Raises ``UserError`` for
        what the library refuses.
        """
        parameters = for_library(hyperparameters, problem)
        kind = catboost.CatBoostRegressor if problem.kind == REGRESSION else catboost.CatBoostClassifier
        try:
            model = kind(**parameters)
            pools = [_pool(table, problem, categorical) for table in (train, validation)]
            model.fit(pools[0], eval_set=pools[1], log_cout=_Lines(say))
        except catboost.CatBoostError as error:
            reason = shorten(re.sub(r"^\S+\.(cpp|h):\d+: ", "", str(error)), 600)
            raise UserError(f"CatBoost refuses these hyperparameters or data: {reason}") from error
        self.model = model
        metric = parameters["eval_metric"]
        best = model.get_best_score()["validation"]
        value = next((best[name] for name in best if name.partition(":")[0] == metric.partition(":")[0]), None)
        if value is not None:
            say(f"validation {metric}: bestTest = {value:.6f}")
        return self

    def predict(self, features: Array) -> Array:
        """Predictions (rows,), probabilities of the second class (rows,), or of all classes (rows, classes)."""
        rows = frame(features, self.categorical) if self.categorical else features
        threads = 1 if len(features) < 64 else cpus()
        if not self.labels:
            return self.model.predict(rows, thread_count=threads)
        found = self.model.predict(rows, prediction_type="Probability", thread_count=threads)
        return found[:, 1] if len(self.labels) == 2 else found

    def save(self, folder: Path) -> None:
        """Leave ``model``, in the library's own format, in ``folder``."""
        with staged(folder) as place:
            self.model.save_model(str(place / MODEL_FILE))

    @classmethod
    def load(cls, folder: Path) -> CatBoost:
        """The model in ``folder``. Raises ``UserError`` if there is none."""
        try:
            return cls(catboost.CatBoost().load_model(str(folder / MODEL_FILE)))
        except (catboost.CatBoostError, OSError) as error:
            raise UserError(f"{folder} holds no model of this algorithm: {error}") from error


class _Lines:
    """What the library writes its log to: hands on whole lines."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._begun = say, ""

    def write(self, text: str) -> None:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._say(line)

    def flush(self) -> None:
        """Lines are handed on as they end."""


def frame(features: Array, categorical: tuple[int, ...]) -> Any:
    """The rows as a data frame in which categories are whole numbers; a missing one is a category of its own."""
    import pandas

    rows = pandas.DataFrame(features, columns=_names(features.shape[1]))
    for column in categorical:
        values = np.where(np.isnan(features[:, column]), MISSING_CATEGORY, features[:, column])
        rows[f"feature_{column}"] = values.astype(np.int64)
    return rows


def for_library(hyperparameters: Mapping[str, Any], problem: Problem) -> dict[str, Any]:
    """The arguments of the library's estimators for the hyperparameters of ``SPECIFICATION``."""
    parameters = {name: value for name, value in hyperparameters.items() if value != AUTO}
    parameters["allow_writing_files"] = False
    parameters["random_seed"] = int(float(parameters["random_seed"]))
    if parameters["eval_metric"] == "auto":
        parameters["eval_metric"] = DEFAULTS[problem.kind]
    if parameters["early_stopping_rounds"] <= 0:
        del parameters["early_stopping_rounds"]
    if problem.kind != BINARY:
        del parameters["scale_pos_weight"]
    if parameters["grow_policy"] == "Lossguide":
        del parameters["sampling_frequency"]  # only each tree can be sampled, and the default is another
    else:
        del parameters["max_leaves"]
    if parameters["grow_policy"] == "SymmetricTree":
        del parameters["min_data_in_leaf"]
    if parameters["bagging_temperature"] != 1:
        # The library's own choice of samples has no temperature, and would pass over it in silence.
        parameters["bootstrap_type"] = "Bayesian"
    return parameters


def _pool(table: Table, problem: Problem, categorical: tuple[int, ...]) -> Any:
    labels = table.labels
    if problem.kind != REGRESSION:
        labels = np.array(problem.labels)[labels.astype(np.int64)]
    if categorical:
        return catboost.Pool(frame(table.features, categorical), labels, cat_features=list(categorical))
    return catboost.Pool(table.features, labels, feature_names=_names(table.features.shape[1]))


def _names(count: int) -> list[str]:
    return [f"feature_{number}" for number in range(count)]
