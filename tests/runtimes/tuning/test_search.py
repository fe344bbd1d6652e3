"""The search: what it finds, what it does not try again, and what it takes from others."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

Point = list[Any]
Loss = Callable[[Point], float]


def bowl(point: Point) -> float:
    return (point[0] - 0.7) ** 2 + 2 * (point[1] - 0.2) ** 2 + 0.3 * (point[2] != 1)


def searched(ask: Any, dimensions: list[int], loss: Loss, count: int, **members: Any) -> list[tuple[Point, float]]:
    """Points one after the other, with their losses."""
    trials: list[dict[str, Any]] = []
    for _ in range(count):
        [point] = ask(dimensions=dimensions, trials=trials, **members)["points"]
        trials.append({"point": point, "value": loss(point)})
    return [(trial["point"], trial["value"]) for trial in trials]


@pytest.mark.parametrize("seed", range(3))
def test_the_bottom_of_a_bowl_is_found(ask: Any, seed: int) -> None:
    found = searched(ask, [0, 0, 3], bowl, 25, seed=seed)
    assert min(loss for _, loss in found) < 1e-3


def test_to_maximize_is_to_minimize_the_opposite(ask: Any) -> None:
    low = searched(ask, [0, 0, 3], bowl, 10, seed=4)
    high = searched(ask, [0, 0, 3], lambda point: -bowl(point), 10, seed=4, maximize=True)
    assert [point for point, _ in low] == [point for point, _ in high]


def test_how_bad_a_bad_value_is_does_not_matter(ask: Any) -> None:
    found = searched(ask, [0, 0], lambda point: 1e30 if point[0] > 0.5 else bowl([*point, 1]), 25, seed=1)
    assert min(loss for _, loss in found) < 0.05  # at its edge it is 0.04


def test_the_first_points_are_spread_evenly(ask: Any) -> None:
    points = ask(dimensions=[0, 0, 2], seed=8, count=16)["points"]
    for place in (0, 1):
        assert {int(point[place] * 4) for point in points} == {0, 1, 2, 3}
    assert 6 <= sum(point[2] for point in points) <= 10
    one_by_one = [point for point, _ in searched(ask, [0, 0, 2], lambda point: 0.0, 6, seed=8)]
    assert one_by_one == points[:6]


def test_no_combination_is_tried_twice_while_others_are_left(ask: Any) -> None:
    def loss(point: Point) -> float:
        return point[0] + point[1]

    found = searched(ask, [3, 4], loss, 12)
    assert {tuple(point) for point, _ in found} == set(itertools.product(range(3), range(4)))
    assert len(searched(ask, [3, 2], loss, 8)) == 8  # two more than there are
    points = ask(dimensions=[3, 4], count=12)["points"]
    assert len({tuple(point) for point in points}) == 12
    tried = [{"point": point, "value": loss(point)} for point in points[:7]]
    running = [{"point": point, "value": None} for point in points[7:10]]
    rest = ask(dimensions=[3, 4], count=2, trials=[*tried, *running])["points"]
    assert {tuple(point) for point in [*rest, *points[:10]]} == set(itertools.product(range(3), range(4)))


def test_what_is_tried_at_once_is_not_alike(ask: Any) -> None:
    trials = [{"point": point, "value": loss} for point, loss in searched(ask, [0, 0, 3], bowl, 12)]
    together = ask(dimensions=[0, 0, 3], trials=trials, count=4)["points"]
    running: list[dict[str, Any]] = []
    for _ in range(4):
        [point] = ask(dimensions=[0, 0, 3], trials=[*trials, *running])["points"]
        running.append({"point": point, "value": None})
    for points in (together, [trial["point"] for trial in running]):
        for one, other in itertools.combinations(points, 2):
            assert max(abs(one[0] - other[0]), abs(one[1] - other[1]), one[2] != other[2]) >= 0.005


def test_where_trials_fail_is_avoided(ask: Any) -> None:
    trials: list[dict[str, Any]] = []
    for _ in range(25):
        [point] = ask(dimensions=[0, 0], seed=2, trials=trials)["points"]
        if point[0] > 0.5:
            trials.append({"point": point, "value": None, "failed": True})
        else:
            trials.append({"point": point, "value": abs(point[1] - 0.5)})
    assert sum("failed" in trial for trial in trials[8:]) < 6
    only = [{"point": [place / 10, 0.5], "value": None, "failed": True} for place in range(10)]
    assert len(ask(dimensions=[0, 0], trials=only)["points"]) == 1


def parents(loss: Loss, group: int, **members: Any) -> list[dict[str, Any]]:
    draw = random.Random(group)
    points = [[draw.random(), draw.random(), draw.randrange(3)] for _ in range(20)]
    return [{"point": point, "value": loss(point), "group": group, **members} for point in points]


def test_a_parent_on_the_same_data_saves_the_first_trials(ask: Any) -> None:
    known = parents(bowl, 0, similar=True)
    [point] = ask(dimensions=[0, 0, 3], parents=known)["points"]
    assert bowl(point) < 0.1
    found = searched(ask, [0, 0, 3], bowl, 5, parents=known)
    assert min(loss for _, loss in found) < min(parent["value"] for parent in known)


def test_of_a_parent_on_other_data_only_the_order_counts(ask: Any) -> None:
    known = [*parents(bowl, 0), *parents(lambda point: bowl([point[0] + 0.05, *point[1:]]), 1)]
    stretched = [{**parent, "value": 1000 + 50 * parent["value"] * (1 + parent["group"])} for parent in known]
    found, other = (searched(ask, [0, 0, 3], bowl, 6, parents=each) for each in (known, stretched))
    for (one, _), (another, _) in zip(found, other, strict=True):
        assert one == pytest.approx(another, abs=1e-3)
    assert min(loss for _, loss in found) < 0.02


def test_a_parent_that_misleads_is_overcome(ask: Any) -> None:
    found = searched(ask, [0, 0, 3], bowl, 30, parents=parents(lambda point: -bowl(point), 0))
    assert min(loss for _, loss in found) < 0.01
