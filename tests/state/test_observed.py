"""Who watches the database takes part in the transactions that change what it watches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from clary.state.database import Database
from clary.state.observed import Change
from clary.state.records import Key, Record, VersionConflict
from clary.state.transaction import Transaction


def record(name: str, kind: str = "Watched") -> Record:
    return Record(Key("1", "r", "s", kind, "", name), f"arn:{name}", 1.0, 1.0, {"n": 0}, "New")


class Watching:
    """Writes down what it is told, in the database too."""

    def __init__(self) -> None:
        self.told: list[tuple[str | None, str | None, dict[str, str]]] = []
        self.after = 0

    def watches(self, transaction: Transaction, key: Key) -> bool:
        return key.kind == "Watched"

    def tell(self, transaction: Transaction, changes: Sequence[Change]) -> Callable[[], None]:
        for change in changes:
            now = transaction.by_id(change.row)
            states = (change.before and change.before.status, now and now.status)
            self.told.append((*states, dict(change.tags)))
            transaction.insert(record(f"note-{len(self.told)}", "Note"))
        return self._done

    def _done(self) -> None:
        self.after += 1


@pytest.fixture
def watching(database: Database) -> Watching:
    observer = Watching()
    database.watch(observer)
    return observer


def notes(database: Database) -> list[Any]:
    with database.read() as transaction:
        return [transaction.has("1", "r", "s", "Note", ""), transaction.has("1", "r", "s", "Note", "other")]


def test_each_transaction_tells_a_resource_once(database: Database, watching: Watching) -> None:
    with database.write() as transaction:
        stored = transaction.insert(record("a"))
        transaction.set_tags(stored.arn, {"k": "v"})
        stored.status = "Made"
        transaction.update(stored)
    assert (watching.told, watching.after) == ([(None, "Made", {})], 1)
    with database.write() as transaction:
        for status in ("Changed", "Done"):
            stored.status = status
            transaction.update(stored)
    with database.write() as transaction:
        transaction.delete(stored)
    assert watching.told[1:] == [("Made", "Done", {}), ("Done", None, {"k": "v"})]
    assert (watching.after, notes(database)) == (3, [True, False])


def test_what_is_not_watched_or_only_read_tells_nothing(database: Database, watching: Watching) -> None:
    with database.write() as transaction:
        stored = transaction.insert(record("a", "Other"))
        transaction.update(stored)
        transaction.delete(stored)
    with database.read() as transaction:
        assert transaction.by_id(stored.id) is None
    assert (watching.told, watching.after) == ([], 0)


def test_what_is_rolled_back_was_never_told(database: Database, watching: Watching) -> None:
    with pytest.raises(LookupError), database.write() as transaction:
        transaction.insert(record("a"))
        raise LookupError
    assert (watching.told, watching.after) == ([], 0)
    with database.write() as transaction:
        stored = transaction.insert(record("a"))
        stored.version = 7
        with pytest.raises(VersionConflict):
            transaction.update(stored)
    assert watching.told == [(None, "New", {})]


def test_an_observer_that_fails_takes_the_change_with_it(database: Database, watching: Watching) -> None:
    def fail(transaction: Transaction, changes: Sequence[Change]) -> Callable[[], None]:
        raise LookupError

    watching.tell = fail  # type: ignore[method-assign]
    with pytest.raises(LookupError), database.write() as transaction:
        transaction.insert(record("a"))
    with database.read() as transaction:
        assert not transaction.has("1", "r", "s", "Watched", "")
