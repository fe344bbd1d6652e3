"""Accuracy and the area under the curve."""

from __future__ import annotations

import random

import pytest

from clary.cli.quickstart.scores import accuracy, area_under_curve


def test_accuracy() -> None:
    assert accuracy([1, 0, 1, 0], [0.5, 0.4, 0.1, 0.9]) == 0.5


def test_the_area_is_the_share_of_pairs_in_order() -> None:
    chance = random.Random(1)
    labels = [chance.randint(0, 1) for _ in range(60)]
    scores = [round(chance.random(), 1) for _ in labels]
    pairs = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, one in zip(scores, labels, strict=True)
        for low, other in zip(scores, labels, strict=True)
        if one and not other
    ]
    assert area_under_curve(labels, scores) == pytest.approx(sum(pairs) / len(pairs))


def test_the_extremes() -> None:
    assert area_under_curve([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4]) == 1.0
    assert area_under_curve([1, 1, 0, 0], [0.1, 0.2, 0.3, 0.4]) == 0.0
    with pytest.raises(ValueError, match="both kinds"):
        area_under_curve([1, 1], [0.1, 0.2])
