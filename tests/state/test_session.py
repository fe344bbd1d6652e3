"""Statements do the same whether SQLite's driver runs them or SQLAlchemy, as it does with other databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import bindparam, insert, make_url, select, update

from clary.state.database import Database
from clary.state.records import AlreadyExists, Key, Query, Record, VersionConflict
from clary.state.session import Prepared, Session
from clary.state.sqlite import schema_engine
from clary.state.tables import resources, tags
from clary.state.transaction import Transaction

ALL = Query("1", "r", "sagemaker", "Model", limit=3)


@pytest.fixture(params=["driver", "sqlalchemy"])
def transaction(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transaction]:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    database = Database(url)
    database.prepare()

    @contextmanager
    def through_sqlalchemy() -> Iterator[Transaction]:
        with schema_engine(make_url(url)).begin() as connection:
            yield Transaction(Session(connection))

    with database.write() if request.param == "driver" else through_sqlalchemy() as transaction:
        yield transaction
    database.close()


def record(name: str, parent: str = "", status: str = "") -> Record:
    document = {"Size": 2, "Nested": {"Kept": True, "Text": name}}
    return Record(Key("1", "r", "sagemaker", "Model", parent, name), f"arn:{name}", 1.5, 2.5, document, status, 7.0)


def test_records_come_back_as_they_went(transaction: Transaction) -> None:
    stored = transaction.insert(record("a"))
    assert (stored.id, stored.version) == (1, 1)
    assert transaction.get(stored.key) == transaction.by_id(1) == transaction.by_arn("arn:a") == stored
    assert transaction.get(stored.key._replace(name="b")) is None
    with pytest.raises(AlreadyExists) as caught:
        transaction.insert(record("a"))
    assert caught.value.record == stored


def test_changes_and_removals_start_from_the_newest_version(transaction: Transaction) -> None:
    stored, other = transaction.insert(record("a")), transaction.insert(record("b"))
    transaction.set_tags("arn:a", {"k": "v", "a": "b"})
    old = transaction.get(stored.key)
    assert old is not None
    stored.document = {"Time": datetime.fromtimestamp(3.5, UTC)}
    stored.status, stored.wake_at = "Done", None
    transaction.update(stored)
    found = transaction.get(stored.key)
    assert found is not None
    assert (found.version, found.status, found.wake_at, found.document) == (2, "Done", None, {"Time": 3.5})
    for refused in (lambda: transaction.update(old), lambda: transaction.delete(old)):
        with pytest.raises(VersionConflict):
            refused()
    assert transaction.tags("arn:a") == {"a": "b", "k": "v"}
    transaction.delete(stored)
    assert transaction.tags("arn:a") == {}
    assert [row.name for row in transaction.find(ALL)] == [other.name]


def test_lists(transaction: Transaction) -> None:
    for number in range(8):
        transaction.insert(record(f"m{number}", "p" if number % 2 else "", "Failed" if number % 4 == 1 else ""))

    def names(query: Query) -> list[str]:
        return [row.name for row in transaction.find(query)]

    assert names(ALL) == ["m0", "m1", "m2"]
    after = Query("1", "r", "sagemaker", "Model", sort_by="Nested.Text", descending=True, limit=2, after=("m5", 6))
    assert names(after) == ["m4", "m3"]
    assert names(ALL.where("@status", "Failed")) == ["m1", "m5"]
    assert names(ALL.within("p").where("Nested.Kept", True)) == ["m1", "m3", "m5"]
    assert names(ALL.where("Size", 2.5, "from")) == []
    assert names(ALL.where("@name", "M6", "contains")) == ["m6"]
    assert transaction.revisions() == {}
    transaction.bump("routes")
    assert (transaction.revisions(), transaction.revision("routes")) == ({"routes": 1}, 1)


@pytest.mark.parametrize("count", [0, 1, 3, 256, 257, 1_000])
def test_lists_of_any_length(transaction: Transaction, count: int) -> None:
    arns = tuple(transaction.insert(record(f"m{number}")).arn for number in range(count))
    transaction.insert(record("other"))
    every = replace(ALL, limit=None)
    assert [row.arn for row in transaction.find(replace(every, arns=arns))] == list(arns)
    assert len(transaction.find(every)) == count + 1


def test_one_text_is_kept_for_many_lengths(transaction: Transaction) -> None:
    prepared = Prepared(select(tags.c.key).where(tags.c.key.in_(bindparam("keys", expanding=True))))
    transaction.set_tags("arn:a", {f"{number:03}": "" for number in range(100)})
    texts = set()
    for length in range(101):
        keys = [f"{number:03}" for number in range(length)]
        assert sorted(row[0] for row in transaction._session.rows(prepared, {"keys": keys})) == keys
        direct = prepared.direct({"keys": keys})
        assert direct is not None
        texts.add(direct[0])
    # Of none, of 1, 2, 4 … 128.
    assert len(texts) == 9


def test_statements_are_run_for_each_of_the_parameters(transaction: Transaction) -> None:
    session = transaction._session
    insertion = Prepared(insert(tags).values(arn="arn:a", key=bindparam("key"), value=bindparam("value")))
    session.change_each(insertion, [])
    assert transaction.tags("arn:a") == {}
    session.change_each(insertion, [{"key": "b", "value": "1"}, {"key": "a", "value": "2"}])
    assert transaction.tags("arn:a") == {"a": "2", "b": "1"}
    document = Prepared(update(resources).where(resources.c.id == bindparam("row")).values(document=bindparam("new")))
    rows = [transaction.insert(record(name)).id for name in "ab"]
    session.change_each(document, [{"row": row, "new": {"Row": row}} for row in rows])
    assert [found.document for row in rows if (found := transaction.by_id(row))] == [{"Row": row} for row in rows]
