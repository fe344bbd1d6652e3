"""Hyperband on the learning curves of real trainings, several at once, as its jobs would have run."""

from __future__ import annotations

import heapq
from typing import NamedTuple

from bench.tuning._problems import Curve, Problem
from bench.tuning._searches import random_points

AT_ONCE = 4


class Spent(NamedTuple):
    """Epochs and seconds of training, of all jobs together."""

    epochs: int
    seconds: float


def full(curves: list[Curve]) -> Spent:
    """What trainings take that nobody stops."""
    return Spent(sum(len(curve.losses) for curve in curves), sum(curve.seconds for curve in curves))


def until(problem: Problem, seed: int, target: float, budget: int) -> Spent | None:
    """What Hyperband spends until one of its trainings has ended with a loss of ``target`` or less.

    It tries what random search of the same seed tries, and goes on when that is over. None if ``budget`` epochs are not
    enough.
    """
    from clary.services.sagemaker.tuning import hyperband

    curves: dict[int, list[float]] = {}
    spent = Spent(0, 0.0)
    running: list[tuple[float, int]] = []
    """When each running training ends its next epoch, and which training it is."""
    trainings: list[Curve] = []

    def begin(now: float) -> None:
        number = len(trainings)
        trainings.append(problem.curve(points[number]))
        curves[number] = []
        heapq.heappush(running, (now + _pace(trainings[number]), number))

    points = random_points(problem, budget, seed)
    for _ in range(AT_ONCE):
        begin(0.0)
    while spent.epochs < budget:
        now, number = heapq.heappop(running)
        whole, curve = trainings[number], curves[number]
        curve.append(whole.losses[len(curve)])
        spent = Spent(spent.epochs + 1, spent.seconds + _pace(whole))
        others = [(other, each) for other, each in curves.items() if other != number]
        if not hyperband.stops(number, curve, others, 1, problem.epochs, False):
            heapq.heappush(running, (now + _pace(whole), number))
        elif curve[-1] <= target:
            return spent
        else:
            begin(now)
    return None


def _pace(curve: Curve) -> float:
    """Seconds an epoch."""
    return curve.seconds / len(curve.losses)
