"""Which hyperparameters are tried next, by what a search proposes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from clary.services.sagemaker.tuning.definitions import Definition
from clary.services.sagemaker.tuning.search import propose
from clary.services.sagemaker.tuning.trials import State, Trial


class Proposing:
    """Stands for the program of Bayesian search: answers with points that a test chose."""

    def __init__(self, *points: Sequence[float]) -> None:
        self.points = points
        self.asked: dict[str, Any] = {}

    def ask(self, image: str, module: str, question: dict[str, Any]) -> dict[str, Any]:
        self.asked = question
        return {"points": [list(point) for point in self.points]}


def definition(**ranges: Any) -> Definition:
    return Definition("", {}, {"Type": "Maximize", "MetricName": "score"}, ranges)


RATE = {"Name": "rate", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
DEPTH = {"Name": "depth", "MinValue": "1", "MaxValue": "3"}
KIND = {"Name": "kind", "Values": ["a", "b"]}


def state(*tuned: dict[str, str]) -> State:
    trials = [Trial(f"t-{n}", 0, each, n, "Completed", n, n + 1, 0.5) for n, each in enumerate(tuned)]
    return State(seed=7, trials=trials)


def test_a_corner_is_left_a_little_when_it_was_tried() -> None:
    """It is where the model expects the best, so a value anywhere would be wasted."""
    rates = definition(ContinuousParameterRanges=[RATE])
    [tuned] = propose(Proposing([1.0]), "Bayesian", rates, 0, state({"rate": "0.1"}), 1)  # type: ignore[arg-type]
    assert 0.09 < float(tuned["rate"]) < 0.1


def test_what_was_tried_is_told_where_it_was() -> None:
    program = Proposing([0.5])
    rates = definition(ContinuousParameterRanges=[RATE])
    history = state({"rate": "0.1"}, {"rate": "0.01"})
    history.trials[1].status = "InProgress"
    propose(program, "Bayesian", rates, 0, history, 1)  # type: ignore[arg-type]
    assert program.asked["trials"] == [
        {"point": [1.0], "value": 0.5, "failed": False},
        {"point": [0.5], "value": None, "failed": False},
    ]
    assert (program.asked["dimensions"], program.asked["maximize"], program.asked["seed"]) == ([0], True, 7)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_every_combination_is_tried_once_and_then_no_more(strategy: str) -> None:
    small = definition(IntegerParameterRanges=[DEPTH], CategoricalParameterRanges=[KIND])
    history = state()
    for number in range(6):
        [tuned] = propose(Proposing([0.5, 0]), strategy, small, 0, history, 1)  # type: ignore[arg-type]
        history.trials.append(Trial(f"t-{number}", 0, tuned, number))
    assert len({tuple(trial.tuned.values()) for trial in history.trials}) == 6
    assert propose(Proposing([0.5, 0]), strategy, small, 0, history, 1) == []  # type: ignore[arg-type]
