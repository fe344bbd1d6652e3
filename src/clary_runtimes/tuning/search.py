"""The next points of a search, from everything that was tried.

After a few points that are spread evenly, each is the one that a Gaussian process expects to improve most on the best
so far. Trials that still run, and points of the same answer, are taken for what it expects there (a constant liar that
believes the surrogate), so that what is tried at once is not alike.

References: Snoek et al. 2012, https://arxiv.org/abs/1206.2944; Ginsbourger et al. 2010, "Kriging is well-suited to
parallelize optimization".
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from clary_runtimes.tuning.acquisition import most_promising
from clary_runtimes.tuning.request import Request
from clary_runtimes.tuning.space import Space
from clary_runtimes.tuning.standing import standings
from clary_runtimes.tuning.startup import evenly
from clary_runtimes.tuning.surrogate import Surrogate

Array = Any

FEWEST = 6
"""Observations, own or of parents, that there must be before a surrogate says more than an even spread."""
OWN = 0
"""The group of the search's own trials and of parents on the same data."""

_ELSEWHERE = 1000
"""How many points are looked through for one that was not tried, where there are too many for all of them."""


class Observations(NamedTuple):
    """Points (n, dimensions), the group of each (n,), and how good each is within its group (n,): small is good."""

    points: Array
    groups: Array
    values: Array


def propose(request: Request) -> list[list[float]]:
    """The ``count`` points to try next, each with a number from 0 to 1 or the index of a category for every dimension.

    The same request always gives the same points. One that was tried is given again only where a space of categories
    has no others.
    """
    space = Space(request.dimensions)
    observed = observations(request)
    tried = [np.array(trial.point) for trial in request.trials]
    if len(observed.points) < FEWEST:
        for place in range(request.count):
            tried.append(_evenly(space, request.seed, len(request.trials) + place, tried))
    else:
        tried += _improvements(request, space, observed, tried)
    return [
        [int(number) if size else float(number) for number, size in zip(point, request.dimensions, strict=True)]
        for point in tried[len(request.trials) :]
    ]


def observations(request: Request) -> Observations:
    """What is known of the objective. A trial that failed counts as the worst of those that did not."""
    sign = -1.0 if request.maximize else 1.0
    rows: list[tuple[tuple[float, ...], int, float]] = []
    for trial in request.trials:
        if trial.value is not None and not trial.failed:
            rows.append((trial.point, OWN, sign * trial.value))
    rows += [(parent.point, OWN, sign * parent.value) for parent in request.parents if parent.similar]
    worst = max((value for _, _, value in rows), default=0.0)
    rows += [(trial.point, OWN, worst) for trial in request.trials if trial.failed]
    others = sorted({parent.group for parent in request.parents if not parent.similar})
    for parent in request.parents:
        if not parent.similar:
            rows.append((parent.point, 1 + others.index(parent.group), sign * parent.value))
    points = np.array([row[0] for row in rows]).reshape(-1, len(request.dimensions))
    groups = np.array([row[1] for row in rows], dtype=np.int64)
    values = np.array([row[2] for row in rows])
    for group in np.unique(groups):
        values[groups == group] = standings(values[groups == group])
    return Observations(points, groups, values)


def _evenly(space: Space, seed: int, place: int, tried: list[Array]) -> Array:
    """The point at ``place`` of an even spread; where only categories are searched, one that was not tried."""
    point = evenly(space, seed, place)
    if not space.finite:
        return point
    generator = np.random.default_rng([seed, place])
    points = np.concatenate([point[None], generator.permutation(space.everything(_ELSEWHERE, generator))])
    return points[space.untaken(points, tried).argmax()]


def _improvements(request: Request, space: Space, observed: Observations, tried: list[Array]) -> list[Array]:
    surrogate = Surrogate(request.dimensions, observed.points, observed.groups, observed.values)
    running = [np.array(trial.point) for trial in request.trials if trial.value is None and not trial.failed]
    own = observed.points[observed.groups == OWN]
    known = own if len(own) else observed.points
    generator = np.random.default_rng([request.seed, len(request.trials)])
    believed, found = running, list[Array]()
    for _ in range(request.count):
        if believed:
            points = np.stack(believed)
            surrogate.believe(points, surrogate.predict(points)[0])
            # What is expected there is to be improved on, too.
            known = np.concatenate([known, points])
        found.append(most_promising(space, surrogate, known, generator, [*tried, *found]))
        believed = [found[-1]]
    return found
