"""The median rule of early stopping."""

from __future__ import annotations

import math
import time

import pytest

from clary.services.sagemaker.tuning.median import Averages, stops

EARLIER = [[4.0, 2.0, 0.0], [8.0, 4.0, 0.0], [3.0, 3.0, 3.0]]
"""Their running averages: 4, 3, 2; 8, 6, 4; 3, 3, 3."""


@pytest.mark.parametrize(
    ("curve", "stopped"),
    [([], False), ([4.0], False), ([4.1], True), ([9.0, 3.0], False), ([0.0, 3.1], True), ([0.0, 0.0, 3.5], True)],
)
def test_a_value_worse_than_the_median_of_the_averages_stops_the_job(curve: list[float], stopped: bool) -> None:
    assert stops(curve, EARLIER, False) is stopped
    mirrored = [[-value for value in other] for other in EARLIER]
    assert stops([-value for value in curve], mirrored, True) is stopped


def test_few_jobs_before_it_stop_nobody() -> None:
    assert not stops([99.0], EARLIER[:2], False)
    assert not stops([99.0], [*EARLIER[:2], []], False)
    assert stops([99.0], [*EARLIER, []], False)


def test_a_job_that_ended_earlier_counts_with_what_it_has() -> None:
    assert stops([0.0] * 5 + [3.1], EARLIER, False)
    assert not stops([0.0] * 5 + [3.0], EARLIER, False)


def test_what_is_no_number_is_worst() -> None:
    assert stops([math.nan], EARLIER, False) and stops([math.nan], EARLIER, True)
    assert not stops([99.0], [[math.nan], [math.nan], [0.0]], False)


def test_averages_follow_a_curve_that_grows() -> None:
    curve: list[float] = []
    averages = Averages(curve)
    assert not averages
    for number in range(1, 50):
        curve.append(float(number))
        assert averages.at(number) == averages.at(99) == pytest.approx((number + 1) / 2)
        assert averages.at(1) == 1.0
    assert averages


def test_averages_and_curves_are_one() -> None:
    averages = [Averages(curve) for curve in EARLIER]
    for value in (2.0, 2.9, 3.0, 3.1, 5.0):
        assert stops([0.0, value], averages, False) is stops([0.0, value], EARLIER, False)


def test_long_curves_are_added_up_once() -> None:
    others = [Averages([1.0] * 20_000) for _ in range(200)]
    assert not stops([1.0] * 20_000, others, False)
    started = time.process_time()
    for _ in range(100):
        assert not stops([1.0] * 19_000, others, False)
    assert time.process_time() - started < 1
