"""Whose turn it is in the line of the jobs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from clary.state.database import Database
from clary.state.places import Place
from clary.state.records import Key, Record, VersionConflict


def job(transaction: Any, name: str, share: str = "a", hosts: int = 1, priority: int = 0) -> int:
    key = Key("123456789012", "us-east-1", "sagemaker", "TrainingJob", "", name)
    record = transaction.insert(Record(key, f"arn:{name}", 1.0, 1.0, {}, "InProgress", 1e9))
    transaction.places.add(Place(record.id, share, hosts, priority))
    return int(record.id)


def test_the_oldest_get_the_free_places_and_are_due(database: Database) -> None:
    with database.write() as transaction:
        rows = [job(transaction, f"job-{number}") for number in range(5)]
        assert transaction.places.fill(3, now=7.0) == rows[:3]
        assert transaction.places.fill(3, now=8.0) == []
    with database.read() as transaction:
        assert [transaction.by_id(row).wake_at for row in rows] == [7.0, 7.0, 7.0, 1e9, 1e9]
        assert [transaction.places.has(row) for row in rows] == [True, True, True, False, False]
        assert transaction.places.has(rows[-1] + 1) is None
    with database.write() as transaction:
        transaction.places.remove(rows[1])
        transaction.places.remove(rows[3])
        assert transaction.places.fill(3, now=9.0) == [rows[4]]
        assert transaction.places.has(rows[1]) is None


def test_a_record_that_was_read_before_it_became_due_is_not_stored(database: Database) -> None:
    """Otherwise a job that was just given its place could go back to sleep."""
    with database.write() as transaction:
        row = job(transaction, "job")
        seen = transaction.by_id(row)
        transaction.places.fill(1, now=7.0)
    with pytest.raises(VersionConflict), database.write() as transaction:
        transaction.update(seen)


def test_a_higher_priority_goes_first_and_takes_no_place_away(database: Database) -> None:
    with database.write() as transaction:
        low = [job(transaction, f"low-{number}") for number in range(3)]
        assert transaction.places.fill(1, 7.0) == [low[0]]
        high = job(transaction, "high", priority=5)
        lower = job(transaction, "lower", priority=-1)
        assert transaction.places.fill(1, 7.0) == []
        order = []
        done = low[0]
        while given := (transaction.places.remove(done), transaction.places.fill(1, 7.0))[1]:
            [done] = given
            order.append(done)
        assert order == [high, *low[1:], lower]


def test_who_has_the_fewest_running_goes_first(database: Database) -> None:
    with database.write() as transaction:
        crowd = [job(transaction, f"crowd-{number}", "a") for number in range(100)]
        assert transaction.places.fill(4, 7.0) == crowd[:4]
        late = [job(transaction, f"late-{number}", "b") for number in range(3)]
        other = job(transaction, "other", "c")
        for ended, following in zip(crowd[:4], (late[0], other, crowd[4], crowd[5]), strict=True):
            transaction.places.remove(ended)
            assert transaction.places.fill(4, 7.0) == [following]
        assert transaction.places.taken() == {"a": 2, "b": 1, "c": 1}
        transaction.places.remove(late[0])
        assert transaction.places.fill(4, 7.0) == [late[1]]


def test_a_large_job_is_not_overtaken_and_runs_alone_where_it_does_not_fit(database: Database) -> None:
    with database.write() as transaction:
        small = [job(transaction, f"small-{number}") for number in range(2)]
        large = job(transaction, "large", hosts=9)
        later = job(transaction, "later")
        assert transaction.places.fill(3, 7.0) == small
        transaction.places.remove(small[0])
        assert transaction.places.fill(3, 7.0) == []
        transaction.places.remove(small[1])
        assert transaction.places.fill(3, 7.0) == [large]
        assert transaction.places.taken() == {"a": 9}
        transaction.places.remove(large)
        assert transaction.places.fill(3, 7.0) == [later]


def test_in_any_order_the_turns_are_those_of_a_plain_search(database: Database) -> None:
    chance = random.Random(3)
    waiting: list[tuple[int, int, str, int]] = []
    running: list[tuple[int, str, int]] = []
    with database.write() as transaction:
        for step in range(300):
            if chance.random() < 0.6:
                share, hosts, priority = chance.choice("abcd"), chance.choice((1, 1, 1, 2)), chance.choice((0, 0, 1))
                row = job(transaction, f"job-{step}", share, hosts, priority)
                waiting.append((priority, row, share, hosts))
            elif running:
                row, _, _ = running.pop(chance.randrange(len(running)))
                transaction.places.remove(row)
            expected = []
            while waiting:
                taken = sum(hosts for _, _, hosts in running)
                first = min(
                    waiting,
                    key=lambda each: (-each[0], sum(h for _, s, h in running if s == each[2]), each[1]),
                )
                if taken >= 4 or (taken and taken + first[3] > 4):
                    break
                waiting.remove(first)
                running.append(first[1:])
                expected.append(first[1])
            assert transaction.places.fill(4, float(step)) == expected
