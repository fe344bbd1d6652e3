"""Writers of one process: what they are told is on disk, whether they are committed alone or together."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from clary.core.errors import InternalFailure
from clary.state.database import Database
from clary.state.records import Key, Query, Record

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{file}")
    database.prepare()
    yield database
    database.close()


def record(name: str, **document: object) -> Record:
    return Record(Key(ACCOUNT, REGION, "sagemaker", "Model", "", name), f"arn:{name}", 1.0, 1.0, dict(document))


def on_disk(file: Path) -> set[str]:
    """The names that another process sees."""
    connection = sqlite3.connect(file)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM resources")}
    finally:
        connection.close()


def queue(database: Database, writers: list[Callable[[], None]]) -> list[Future[None]]:
    """Run writers that all wait for one that has begun, so that they come together."""
    held, go = Event(), Event()

    def first() -> None:
        with database.write() as transaction:
            transaction.insert(record("first"))
            held.set()
            go.wait()

    with ThreadPoolExecutor(len(writers) + 1) as pool:
        futures = [pool.submit(first)]
        held.wait()
        futures += [pool.submit(writer) for writer in writers]
        assert database._sqlite is not None and database._sqlite._writer is not None
        until = time.monotonic() + 30
        while len(database._sqlite._writer._waiting) < len(writers):
            assert time.monotonic() < until
            time.sleep(0.001)
        go.set()
    return futures


def test_writers_that_wait_for_each_other_are_committed_together_and_told_afterwards(
    database: Database, file: Path
) -> None:
    def writer(name: str) -> Callable[[], None]:
        def write() -> None:
            with database.write() as transaction:
                transaction.insert(record(name))
            assert name in on_disk(file)

        return write

    names = [f"model-{number}" for number in range(20)]
    for future in queue(database, [writer(name) for name in names]):
        future.result()
    assert on_disk(file) == {"first", *names}


def test_one_that_raises_takes_nothing_of_the_others_with_it(database: Database, file: Path) -> None:
    def good(name: str) -> Callable[[], None]:
        def write() -> None:
            with database.write() as transaction:
                transaction.insert(record(name))

        return write

    def bad() -> None:
        with database.write() as transaction:
            transaction.insert(record("bad"))
            transaction.set_tags("arn:bad", {"x": "y"})
            raise LookupError

    futures = queue(database, [good("a"), bad, good("b"), bad, good("c")])
    assert [type(future.exception()) for future in futures].count(LookupError) == 2
    assert on_disk(file) == {"first", "a", "b", "c"}
    with database.write() as transaction:
        transaction.insert(record("later"))
    assert "later" in on_disk(file)


def test_a_full_disk_is_told_to_all_whose_changes_are_lost(database: Database, file: Path) -> None:
    with database.write() as transaction:
        pages = transaction._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        transaction._connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 20}")

    def writer(name: str, size: int) -> Callable[[], None]:
        def write() -> None:
            with database.write() as transaction:
                transaction.insert(record(name, text="x" * size))

        return write

    names = {"a": 10, "large": 1_000_000, "b": 10}
    futures = queue(database, [writer(*each) for each in names.items()])
    done = {name for name, future in zip(("first", *names), futures, strict=True) if future.exception() is None}
    assert done == on_disk(file)
    assert isinstance(futures[2].exception(), InternalFailure)


def test_readers_keep_the_state_that_they_began_with(database: Database) -> None:
    query = Query(ACCOUNT, REGION, "sagemaker", "Model")
    with database.read() as before:
        assert before.find(query) == []
        with database.write() as transaction:
            transaction.insert(record("a"))
        assert before.find(query) == []
    with database.read() as after:
        assert [row.name for row in after.find(query)] == ["a"]
