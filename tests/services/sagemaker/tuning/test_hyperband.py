"""Hyperband: who runs on, and for how long at least and at most."""

from __future__ import annotations

import math
import time
from collections import Counter

import pytest

from clary.services.sagemaker.tuning.hyperband import bracket_of, rung_of, rungs, stops

Trials = list[tuple[int, list[float]]]


def in_bracket(bracket: int, least: int, most: int) -> int:
    return next(number for number in range(1000) if bracket_of(number, least, most) == bracket)


def test_jobs_are_looked_at_after_three_times_as_many_epochs() -> None:
    assert rungs(1, 27) == [1, 3, 9]
    assert rungs(2, 55) == [2, 6, 18, 54]
    assert rungs(5, 5) == []


def test_more_trials_are_looked_at_early_than_late() -> None:
    shares = Counter(bracket_of(number, 1, 27) for number in range(1000))
    # Hyperband's: 27/4, 9/3, 3/2 and 1 of their sum.
    assert [shares[bracket] / 1000 for bracket in range(4)] == pytest.approx([0.55, 0.245, 0.122, 0.082], abs=0.01)
    few = Counter(bracket_of(number, 1, 27) for number in range(10))
    assert few[0] >= 5 and few[1] >= 2 and sum(few.values()) == 10


def test_a_bracket_begins_at_its_own_rung() -> None:
    first, second = in_bracket(0, 1, 27), in_bracket(1, 1, 27)
    assert [rung_of(first, epochs, 1, 27) for epochs in (0, 1, 2, 3, 8, 9, 26)] == [None, 1, 1, 3, 3, 9, 9]
    assert [rung_of(second, epochs, 1, 27) for epochs in (1, 2, 3, 26)] == [None, None, 3, 9]
    last = in_bracket(3, 1, 27)
    assert rung_of(last, 26, 1, 27) is None


@pytest.mark.parametrize("maximize", [False, True])
def test_the_best_third_runs_on(maximize: bool) -> None:
    sign = -1 if maximize else 1
    number = in_bracket(0, 3, 81)
    others: Trials = [(1000 + place, [sign * (place + 0.5)] * 3) for place in range(8)]
    verdicts = [stops(number, [sign * float(value)] * 3, others, 3, 81, maximize) for value in range(9)]
    assert verdicts == [False] * 3 + [True] * 6


def test_nobody_is_stopped_before_the_least_and_everybody_at_the_most() -> None:
    others: Trials = [(place, [0.0] * 30) for place in range(1, 50)]
    for number in range(20):
        assert not any(stops(number, [9.0] * epochs, others, 4, 30, False) for epochs in range(4))
        assert stops(number, [-1.0] * 30, others, 4, 30, False)
        assert stops(number, [-1.0] * 31, [], 4, 30, False)
        assert not stops(number, [9.0] * 29, others[:1], 4, 30, False)


def test_only_those_who_got_as_far_are_compared() -> None:
    number = in_bracket(0, 1, 27)
    behind: Trials = [(place, [0.0, 0.0]) for place in range(1, 20)]
    assert not stops(number, [1.0, 1.0, 1.0], behind, 1, 27, False)
    level: Trials = [(place, [9.0, 9.0, 0.0]) for place in range(1, 20)]
    assert stops(number, [1.0, 1.0, 1.0], level, 1, 27, False)
    assert not stops(number, [1.0, 1.0], level, 1, 27, False)


def test_equal_values_do_not_stop_each_other() -> None:
    others: Trials = [(place, [1.0]) for place in range(1, 20)]
    assert not stops(in_bracket(0, 1, 27), [1.0], others, 1, 27, False)


@pytest.mark.parametrize("maximize", [False, True])
def test_what_is_no_number_is_worst(maximize: bool) -> None:
    number = in_bracket(0, 1, 27)
    others: Trials = [(place, [0.0]) for place in range(1, 4)]
    assert stops(number, [math.nan], others, 1, 27, maximize)
    assert not stops(number, [0.0], [(place, [math.nan]) for place in range(1, 4)], 1, 27, maximize)


def test_long_curves_cost_nothing() -> None:
    curve = [1.0] * 19_999
    others: Trials = [(place, curve) for place in range(1, 750)]
    started = time.process_time()
    for _ in range(100):
        assert not stops(0, curve, others, 1, 20_000, False)
    assert time.process_time() - started < 1
