"""The LightGBM library with the defaults of Amazon's algorithm.

G. Ke et al., LightGBM: A Highly Efficient Gradient Boosting Decision Tree, NeurIPS 2017.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import joblib
import lightgbm

from clary_runtimes.algorithms.jumpstart.numbers import Table
from clary_runtimes.algorithms.jumpstart.problem import MULTICLASS, REGRESSION, Problem
from clary_runtimes.algorithms.jumpstart.staging import staged
from clary_runtimes.algorithms.lightgbm.metrics import DEFAULTS
from clary_runtimes.contract.errors import UserError
from clary_runtimes.contract.machine import cpus

Array = Any

MODEL_FILE = "model.pkl"
"""What the documentation opens with ``joblib.load``."""
CLASSES_FILE = "classes.json"


class LightGBM:
    """Boosted trees for one problem. ``categorical`` are columns of the features, from 0."""

    def __init__(self, problem: Problem, categorical: tuple[int, ...] = (), booster: Any = None) -> None:
        self.problem = problem
        self.categorical = categorical
        self.booster = booster

    def fit(
        self, train: Table, validation: Table, hyperparameters: Mapping[str, Any], say: Callable[[str], None] = print
    ) -> LightGBM:
        """Boost until the metric of ``validation`` no longer gets better.

        ``hyperparameters`` are those of ``SPECIFICATION``; ``say`` gets a line with the metric of every round. Raises
        ``UserError`` for what the library refuses.
        """
        given = dict(hyperparameters)
        rounds, patience = given.pop("num_boost_round"), given.pop("early_stopping_rounds")
        parameters = _for_library(given, self.problem)
        names = [f"feature_{number}" for number in range(train.features.shape[1])]
        after: list[Callable[..., Any]] = [_metrics_log(say)]
        if patience > 0 and parameters["boosting"] != "dart":
            after.append(lightgbm.early_stopping(patience, verbose=False))
        try:
            data = lightgbm.Dataset(
                train.features, train.labels, feature_name=names, categorical_feature=list(self.categorical)
            )
            held = lightgbm.Dataset(validation.features, validation.labels, reference=data)
            self.booster = lightgbm.train(
                parameters, data, rounds, valid_sets=[held], valid_names=["validation"], callbacks=after
            )
        except lightgbm.basic.LightGBMError as error:
            raise UserError(f"LightGBM refuses these hyperparameters or data: {error}") from error
        best = self.booster.best_score["validation"]
        values = "".join(f"\tvalidation's {name}: {value:.6f}" for name, value in best.items())
        say(f"Best iteration:\n[{self.booster.best_iteration or rounds}]{values}")
        return self

    def predict(self, features: Array) -> Array:
        """Predictions (rows,), probabilities of the second class (rows,), or of all classes (rows, classes)."""
        return self.booster.predict(features, num_threads=1 if len(features) < 64 else cpus())

    def save(self, folder: Path) -> None:
        """Leave ``model.pkl`` (the booster) and ``classes.json`` in ``folder``."""
        document = {
            "kind": self.problem.kind, "labels": list(self.problem.labels), "categorical": list(self.categorical),
        }  # fmt: skip
        with staged(folder) as place:
            joblib.dump(self.booster, place / MODEL_FILE)
            (place / CLASSES_FILE).write_text(json.dumps(document), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> LightGBM:
        """The model in ``folder``. It is as trusted as its owner's code. Raises ``UserError`` if there is none."""
        try:
            booster = joblib.load(folder / MODEL_FILE)
            document = json.loads((folder / CLASSES_FILE).read_bytes())
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise UserError(f"{folder} holds no model of this algorithm: {error}") from error
        return cls(Problem(document["kind"], tuple(document["labels"])), tuple(document["categorical"]), booster)


def _for_library(given: dict[str, Any], problem: Problem) -> dict[str, Any]:
    parameters = dict(given)
    parameters["objective"] = problem.kind
    if problem.kind == MULTICLASS:
        parameters["num_class"] = len(problem.labels)
    if parameters["metric"] == "auto":
        parameters["metric"] = DEFAULTS[problem.kind]
    if problem.kind in (REGRESSION, MULTICLASS):
        del parameters["is_unbalance"], parameters["scale_pos_weight"]
    if parameters["boosting"] == "goss":
        # It samples by gradients, and the library refuses a second way of sampling.
        del parameters["bagging_fraction"], parameters["bagging_freq"]
    parameters["num_threads"] = parameters["num_threads"] or cpus()
    return parameters


def _metrics_log(say: Callable[[str], None]) -> Callable[[Any], None]:
    """Says the metrics of every round, with digits where the library writes ``1e-05``, which no expression finds."""

    def after(round_: Any) -> None:
        values = "".join(f"\t{entry[0]}'s {entry[1]}: {entry[2]:.6f}" for entry in round_.evaluation_result_list)
        say(f"[{round_.iteration + 1}]{values}")

    return after
