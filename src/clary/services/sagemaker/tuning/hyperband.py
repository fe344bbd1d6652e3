"""Hyperband: which training jobs are stopped early, so that the better ones get the time.

Training jobs cannot be paused, so this is the asynchronous variant that stops: a job runs on for as long as it is among
the best third of those that have got as far, looked at whenever it has trained three times as long as before. How early
that begins differs by its bracket, as Hyperband hedges against curves that cross.

References: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperbandStrategyConfig.html; Li et al. 2018,
"A system for massively parallel hyperparameter tuning", https://arxiv.org/abs/1810.05934; Li et al. 2017, "Hyperband",
https://arxiv.org/abs/1603.06560.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

REDUCTION = 3
"""One of so many jobs runs on, and a job is looked at again once it has trained so many times as long."""
_GOLDEN = (math.sqrt(5) - 1) / 2


def stops(
    number: int,
    curve: Sequence[float],
    others: Iterable[tuple[int, Sequence[float]]],
    least: int,
    most: int,
    maximize: bool,
) -> bool:
    """Whether the trial with this ``number`` (0, 1, …) is to be stopped now.

    ``curve`` is its objective after each epoch so far; ``others`` are number and curve of all other trials, whatever
    their state. Never before ``least`` epochs, always at ``most`` (``1 <= least <= most``). A NaN is worse than every
    number. It takes time for each of the others, not for each of their epochs.
    """
    if len(curve) >= most:
        return True
    rung = rung_of(number, len(curve), least, most)
    if rung is None:
        return False
    value = _loss(curve[rung - 1], maximize)
    reached, better = 1, 0
    for _, other in others:
        if len(other) >= rung:
            reached += 1
            better += _loss(other[rung - 1], maximize) < value
    return reached >= REDUCTION and better >= reached // REDUCTION


def bracket_of(number: int, least: int, most: int) -> int:
    """The bracket of the trial with this ``number``: it is first looked at after ``least * 3**bracket`` epochs.

    Brackets get their shares of the trials by turns: those of Hyperband, which has more trials the earlier it looks.
    """
    brackets = len(rungs(least, most))
    shares = [REDUCTION ** (brackets - bracket) / (brackets - bracket + 1) for bracket in range(brackets + 1)]
    place = (0.5 + number * _GOLDEN) % 1.0 * sum(shares)
    for bracket, share in enumerate(shares):
        place -= share
        if place < 0:
            return bracket
    return brackets


def rungs(least: int, most: int) -> list[int]:
    """The numbers of epochs after which trials are looked at: ``least``, three times as many, and so on below
    ``most``."""
    found = []
    epochs = least
    while epochs < most:
        found.append(epochs)
        epochs *= REDUCTION
    return found


def rung_of(number: int, epochs: int, least: int, most: int) -> int | None:
    """The last rung that a trial has reached after ``epochs``, by its bracket; None if it has reached none."""
    reached = [rung for rung in rungs(least, most)[bracket_of(number, least, most) :] if rung <= epochs]
    return reached[-1] if reached else None


def _loss(value: float, maximize: bool) -> float:
    if math.isnan(value):
        return math.inf
    return -value if maximize else value
