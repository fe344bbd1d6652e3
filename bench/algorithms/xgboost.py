"""XGBoost beside the library used directly, with the same parameters, on the same rows, watching the same metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.algorithms import Row
from bench.algorithms._alternate import alternately
from bench.algorithms._tables import accuracy, large, real

IMAGE = "xgboost-3.0"
BESIDE = ()


def measure() -> Iterator[Row]:
    """Train both on each table."""
    from clary_runtimes.algorithms.xgboost.estimator import XGBoost

    for data, load, rounds in (("digits", real, 100), ("200,000 × 50", large, 600)):
        problem, train, validation = load()
        given: dict[str, Any] = {"eta": 0.1, "max_depth": 6, "subsample": 0.8, "objective": "binary:logistic"}
        if len(problem.labels) > 2:
            given |= {"objective": "multi:softprob", "num_class": len(problem.labels)}

        def ours(train: Any = train, held: Any = validation, rounds: int = rounds, given: Any = given) -> Any:
            return XGBoost(num_round=rounds, **given).fit(train.features, train.labels, validation=held)

        def theirs(train: Any = train, held: Any = validation, rounds: int = rounds, given: Any = given) -> Any:
            import xgboost

            matrix = xgboost.DMatrix(train.features, train.labels)
            watched = [(matrix, "train"), (xgboost.DMatrix(held.features, held.labels), "validation")]
            return xgboost.train(given, matrix, rounds, evals=watched, verbose_eval=False)

        (model, library), seconds = alternately(ours, theirs)
        predictions = model.predict(validation.features), library.inplace_predict(validation.features)
        scores = [accuracy(each, validation.labels) for each in predictions]
        yield Row(data, f"num_round={rounds}", "XGBoost", "accuracy", *scores, *seconds)
