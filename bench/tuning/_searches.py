"""Searches of the same length: the losses of their trials, in the order in which they were tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.tuning._problems import Problem

FIRST_SEED = 1000
"""Not among the seeds with which the search was made."""


def random_points(problem: Problem, count: int, seed: int) -> list[list[float]]:
    """Points drawn evenly."""
    import numpy as np

    generator = np.random.default_rng(FIRST_SEED + seed)
    return [
        [float(generator.integers(size)) if size else generator.random() for size in problem.dimensions]
        for _ in range(count)
    ]


def plain_optuna(problem: Problem, count: int, seed: int) -> list[float]:
    """Optuna as one gets it: ``TPESampler`` by its defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=FIRST_SEED + seed))

    def objective(trial: Any) -> float:
        point = [
            trial.suggest_categorical(str(place), range(size)) if size else trial.suggest_float(str(place), 0, 1)
            for place, size in enumerate(problem.dimensions)
        ]
        return problem.loss(point)

    study.optimize(objective, n_trials=count)
    return [trial.value for trial in study.trials]


def clary(problem: Problem, count: int, seed: int, at_once: int = 1) -> list[float]:
    """Clary's search; with several ``at_once``, the oldest of them ends before the next one begins."""
    from clary_runtimes.tuning.request import Request, Trial
    from clary_runtimes.tuning.search import propose

    points: list[tuple[float, ...]] = []
    losses: list[float] = []
    while len(points) < count:
        known: Sequence[float | None] = [*losses, *[None] * (len(points) - len(losses))]
        trials = tuple(Trial(point, loss) for point, loss in zip(points, known, strict=True))
        request = Request(tuple(problem.dimensions), False, FIRST_SEED + seed, 1, trials, ())
        points.append(tuple(propose(request)[0]))
        if len(points) - len(losses) >= at_once:
            losses.append(problem.loss(points[len(losses)]))
    return [*losses, *(problem.loss(point) for point in points[len(losses) :])]
