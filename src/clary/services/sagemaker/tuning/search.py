"""Which hyperparameters are tried next: grid and random search here, Bayesian search in a program that has NumPy.

Every choice follows from the seed and from what is stored of the trials, so that a search goes on where it was.

Reference: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence

from clary.compute.programs import Programs
from clary.services.sagemaker.tuning.definitions import Definition
from clary.services.sagemaker.tuning.ranges import Point, Range, point_of, texts
from clary.services.sagemaker.tuning.trials import State, Trial

IMAGE = "clary-tuner:1"
PROGRAM = "clary_runtimes.tuning"
_DRAWS = 1000
"""How often another combination is drawn until one is found that was not tried."""

Tuned = dict[str, str]


def propose(
    programs: Programs, strategy: str, definition: Definition, index: int, state: State, count: int
) -> list[Tuned]:
    """The values of ``count`` further trials of a definition, which is the one with this index; fewer where every
    combination was tried.

    Raises ``ImageNotReady`` and ``ProgramError`` (Bayesian search).
    """
    own = [trial for trial in state.trials if trial.definition == index]
    seed = state.seed + index
    if strategy == "Grid":
        return _grid(definition.ranges, len(own), count)
    if strategy == "Bayesian":
        return _new(definition.ranges, _ask(programs, definition, own, state, seed, count), own, seed)
    return _new(definition.ranges, [None] * count, own, seed)


def _grid(ranges: Sequence[Range], done: int, count: int) -> list[Tuned]:
    every = itertools.product(*(range(each.categories) for each in ranges))
    return [texts(ranges, point) for point in itertools.islice(every, done, done + count)]


def _ask(
    programs: Programs, definition: Definition, own: Sequence[Trial], state: State, seed: int, count: int
) -> Sequence[Point]:
    trials = []
    for trial in own:
        point = point_of(definition.ranges, trial.tuned)
        failed = not trial.runs and trial.objective is None
        trials.append({"point": point, "value": None if trial.runs else trial.objective, "failed": failed})
    question = {
        "dimensions": [each.categories for each in definition.ranges],
        "maximize": definition.maximizes,
        "seed": seed,
        "count": count,
        "trials": trials,
        "parents": state.parents,
    }
    points: list[Point] = programs.ask(IMAGE, PROGRAM, question)["points"]
    return points


def _new(ranges: Sequence[Range], points: Sequence[Point | None], own: Sequence[Trial], seed: int) -> list[Tuned]:
    """The hyperparameters at points, or as near to them as others were not tried before; drawn at random for points
    that are None."""
    tried = {tuple(trial.tuned.values()) for trial in own}
    found: list[Tuned] = []
    for number, point in enumerate(points, len(own)):
        tuned = texts(ranges, point) if point is not None else {}
        # Each trial has a generator of its own: what it draws does not depend on how many ran beside it.
        generator = random.Random(f"{seed}/{number}")
        for draw in range(_DRAWS):
            if tuned and tuple(tuned.values()) not in tried:
                break
            # Further and further away: what was to be tried is a corner, or an integer that had its turn.
            width = draw / _DRAWS if point is not None else 1.0
            tuned = texts(ranges, [_draw(each, generator, width, place) for each, place in _places(ranges, point)])
        else:
            return found
        tried.add(tuple(tuned.values()))
        found.append(tuned)
    return found


def _places(ranges: Sequence[Range], point: Point | None) -> Iterable[tuple[Range, float]]:
    return zip(ranges, point if point is not None else [0.5] * len(ranges), strict=True)


def _draw(each: Range, generator: random.Random, width: float, place: float) -> float:
    """A coordinate at most ``width`` from ``place``, where 1 is anywhere; a category is another one that often."""
    if each.categories:
        return generator.randrange(each.categories) if generator.random() < width else place
    if width >= 1.0:
        return generator.random()
    return generator.uniform(max(0.0, place - width), min(1.0, place + width))
