"""What an observation says of a server that is to go on for ever."""

from __future__ import annotations

import pytest

from clary.compute.placement.base import Observation

ENDED = {"event": "failed", "time": 1000.0}


def test_a_server_that_never_ran_or_whose_agent_died_is_launched_at_once() -> None:
    assert Observation("id").due_again(1000)
    assert Observation("id", started=True, attempt=1).due_again(1000)
    assert not Observation("id", alive=True, started=True, attempt=1).due_again(1000)


@pytest.mark.parametrize(("attempt", "pause"), [(1, 2), (2, 4), (5, 32), (6, 60), (900, 60)])
def test_one_that_gave_up_rests_longer_each_time(attempt: int, pause: int) -> None:
    ended = Observation("id", started=True, attempt=attempt, events=[ENDED])
    assert not ended.due_again(999.999)
    assert not ended.due_again(1000 + pause - 0.1)
    assert ended.due_again(1000 + pause)


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    assert Observation("id", started=True, attempt=1, events=[ENDED]).due_again(400)
