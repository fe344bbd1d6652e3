"""LightGBM beside the library used directly, with the same parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.algorithms import Row
from bench.algorithms._alternate import alternately
from bench.algorithms._tables import accuracy, large, real

IMAGE = "lightgbm"
BESIDE = ()


def measure() -> Iterator[Row]:
    """Train both on each table."""
    from clary_runtimes.algorithms.lightgbm.estimator import LightGBM
    from clary_runtimes.algorithms.lightgbm.hyperparameters import SPECIFICATION

    for data, load, rounds in (("digits", real, 100), ("200,000 × 50", large, 800)):
        problem, train, validation = load()
        given = SPECIFICATION.parse({"num_boost_round": str(rounds), "verbosity": "-1"})

        def ours(problem: Any = problem, train: Any = train, validation: Any = validation, given: Any = given) -> Any:
            return LightGBM(problem).fit(train, validation, given, say=lambda line: None)

        def library(problem: Any = problem, train: Any = train, held: Any = validation, given: Any = given) -> Any:
            return _library(problem, train, held, given)

        (model, theirs), (seconds, their_seconds) = alternately(ours, library)
        scores = [accuracy(each.predict(validation.features), validation.labels) for each in (model, theirs)]
        yield Row(data, f"num_boost_round={rounds}", "LightGBM", "accuracy", *scores, seconds, their_seconds)


def _library(problem: Any, train: Any, validation: Any, given: dict[str, Any]) -> Any:
    import lightgbm

    from clary_runtimes.contract.machine import cpus

    parameters = {name: value for name, value in given.items() if not name.startswith(("num_boost", "early"))}
    parameters |= {"objective": problem.kind, "metric": {"binary": "binary_logloss"}.get(problem.kind, "multi_logloss")}
    parameters["num_threads"] = cpus()
    if len(problem.labels) > 2:
        parameters["num_class"] = len(problem.labels)
    data = lightgbm.Dataset(train.features, train.labels)
    held = lightgbm.Dataset(validation.features, validation.labels, reference=data)
    stop = lightgbm.early_stopping(given["early_stopping_rounds"], verbose=False)
    return lightgbm.train(parameters, data, given["num_boost_round"], valid_sets=[held], callbacks=[stop])
