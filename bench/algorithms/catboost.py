"""CatBoost beside the library used directly, with the same parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.algorithms import Row
from bench.algorithms._alternate import alternately
from bench.algorithms._tables import accuracy, large, real

IMAGE = "catboost"
BESIDE = ()


def measure() -> Iterator[Row]:
    """Train both on each table."""
    from clary_runtimes.algorithms.catboost.estimator import CatBoost
    from clary_runtimes.algorithms.catboost.hyperparameters import SPECIFICATION

    for data, load, rounds in (("digits", real, 100), ("200,000 × 50", large, 250)):
        problem, train, validation = load()
        given = SPECIFICATION.parse({"iterations": str(rounds), "learning_rate": "0.1"})

        def ours(problem: Any = problem, train: Any = train, validation: Any = validation, given: Any = given) -> Any:
            return CatBoost().fit(problem, train, validation, (), given, say=lambda line: None)

        def library(problem: Any = problem, train: Any = train, held: Any = validation, given: Any = given) -> Any:
            return _library(problem, train, held, given)

        (model, theirs), (seconds, their_seconds) = alternately(ours, library)
        probabilities = [model.predict(validation.features), theirs.predict_proba(validation.features)]
        scores = [accuracy(each, validation.labels) for each in probabilities]
        yield Row(data, f"iterations={rounds}", "CatBoost", "accuracy", *scores, seconds, their_seconds)


def _library(problem: Any, train: Any, validation: Any, given: dict[str, Any]) -> Any:
    import catboost

    from clary_runtimes.algorithms.catboost.estimator import for_library

    model = catboost.CatBoostClassifier(**{**for_library(given, problem), "verbose": 0})
    return model.fit(train.features, train.labels, eval_set=(validation.features, validation.labels))
