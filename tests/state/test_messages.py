"""Messages in their table: what can be received, in which order, and what is known of what was sent."""

from __future__ import annotations

from clary.state.database import Database
from clary.state.messages import Count, Message


def add(database: Database, *found: tuple[str, str, float, int], queue: int = 1) -> None:
    """Messages of a body, a group, when they are visible, and how often they were received."""
    with database.write() as transaction:
        for body, group, visible, received in found:
            transaction.messages.add(Message(queue, "u", body, 10, visible, {}, group, received))


def test_what_can_be_received(database: Database) -> None:
    add(database, ("late", "", 15, 0), ("flying", "", 30, 1), ("delayed", "", 25, 0), ("early", "", 10, 0))
    add(database, ("other", "", 10, 0), queue=2)
    with database.read() as transaction:
        messages = transaction.messages
        assert [message.body for message in messages.available(1, 20, 10)] == ["early", "late"]
        assert [message.body for message in messages.available(1, 20, 1)] == ["early"]
        assert (messages.is_any_visible(1, 5), messages.is_any_visible(1, 20)) == (False, True)
        assert (messages.next_visible(1, 20), messages.next_visible(1, 40)) == (25, None)
        assert messages.seconds_to_next(1, 5) == 5 and messages.seconds_to_next(1, 50) == 0
        assert messages.seconds_to_next(99, 5) is None
        assert messages.count(1, 20) == Count(available=2, in_flight=1, delayed=1)
        assert (messages.in_flight(1, 20, 10), messages.in_flight(1, 5, 1)) == (1, 1)


def test_groups_wait_for_those_of_them_that_are_in_flight(database: Database) -> None:
    add(database, ("a1", "a", 30, 1), ("b1", "b", 10, 0), ("a2", "a", 10, 0), ("c1", "c", 15, 2), ("b2", "b", 10, 0))
    with database.read() as transaction:
        found = transaction.messages.available_in_order(1, 20, 10)
        assert [message.body for message in found] == ["b1", "c1", "b2"]
        assert [message.body for message in transaction.messages.available_in_order(1, 30, 2)] == ["a1", "b1"]
        assert transaction.messages.by_row(2, found[0].id) is None


def test_rows_are_never_given_out_twice(database: Database) -> None:
    add(database, ("first", "", 10, 0))
    with database.write() as transaction:
        [first] = transaction.messages.available(1, 20, 1)
        assert transaction.messages.expire(1, sent_before=11) == 1
        second = Message(1, "u", "second", 10, 10)
        assert transaction.messages.add(second) > first.id
        second.queue, second.document = 2, {"a": 1}
        transaction.messages.update(second)
        assert transaction.messages.by_row(2, second.id) == second
        transaction.messages.clear(2)
        assert transaction.messages.by_row(2, second.id) is None


def test_tokens_are_known_until_their_time_is_over(database: Database) -> None:
    with database.write() as transaction:
        messages = transaction.messages
        messages.remember(Message(1, "one", "", 10, 10, id=7), "t", until=20)
        assert (messages.known(1, "t", 15), messages.known(1, "t", 20), messages.known(2, "t", 15)) == (
            ("one", 7),
            None,
            None,
        )
        messages.remember(Message(1, "two", "", 25, 25, id=8), "t", until=35)
        assert messages.known(1, "t", 30) == ("two", 8)
        messages.drop([1])
        assert messages.known(1, "t", 30) is None
