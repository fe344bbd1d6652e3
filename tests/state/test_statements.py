"""Lists come from an index in the order that is asked for, so that a page costs the same among few and many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clary.state import statements
from clary.state.database import Database
from clary.state.records import Key, Query, Record
from clary.state.session import Prepared

ACCOUNT, REGION = "123456789012", "us-east-1"
ALL = Query(ACCOUNT, REGION, "sagemaker", "TrainingJob", limit=10)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.prepare()
    yield database
    database.close()


def plan(database: Database, query: Query, sorted_apart: bool = False) -> str:
    """How SQLite answers the statement for ``query``."""
    return plan_of(database, *statements.listing(query, sorted_apart))


def plan_of(database: Database, statement: Prepared, parameters: dict[str, Any]) -> str:
    direct = statement.direct(parameters)
    assert direct is not None
    with database.read() as transaction:
        driver = transaction._session.driver
        assert driver is not None
        return "; ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {direct[0]}", direct[1]))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    "sort_by, index, value", [("@created", "creation", 1.0), ("@modified", "modification", 1.0), ("@name", "name", "a")]
)
def test_every_order_has_its_index_on_the_first_page_and_behind_it(
    database: Database, sort_by: str, index: str, value: str | float, descending: bool
) -> None:
    query = replace(ALL, sort_by=sort_by, descending=descending)
    for page in (query, query.where("@name", "x", "contains"), replace(query, after=(value, 7))):
        told = plan(database, page)
        assert f"resources_by_{index} (account=? AND region=? AND service=? AND kind=?" in told
        assert "TEMP B-TREE" not in told


def test_what_has_a_status_or_belongs_to_a_resource_is_found_in_the_order_of_creation(database: Database) -> None:
    for path, index in (("@status", "status_and_creation"), ("@parent", "parent")):
        told = plan(database, ALL.where(path, "x"))
        assert f"resources_by_{index} " in told and f"{path[1:]}=?" in told
        assert "TEMP B-TREE" not in told


def test_what_has_work_is_found_among_all_that_has_none(database: Database) -> None:
    told = plan_of(database, statements.active, {"service": "sagemaker", "kinds": ("TrainingJob", "ProcessingJob")})
    assert told == "SEARCH resources USING INDEX resources_by_wake (wake_at>?)"


def test_few_of_a_status_are_looked_up_and_sorted(database: Database) -> None:
    query = replace(ALL.where("@status", "Failed"), sort_by="@name")
    told = plan(database, query, sorted_apart=True)
    assert "status=?" in told and "TEMP B-TREE FOR ORDER BY" in told
    with database.write() as transaction:
        for number in range(40):
            status = "Failed" if number % 8 == 0 else "Completed"
            key = Key(ACCOUNT, REGION, "sagemaker", "TrainingJob", "", f"job-{(number * 7) % 40:02}")
            transaction.insert(Record(key, f"arn:{key.name}", number, number, {}, status))
    seen: list[str] = []
    after = None
    while True:
        with database.read() as transaction:
            rows = transaction.find(replace(query, limit=2, after=after))
        seen += [row.name for row in rows]
        if len(rows) < 2:
            break
        after = (rows[-1].name, rows[-1].id)
    assert seen == sorted(seen) == [f"job-{number:02}" for number in (0, 8, 16, 24, 32)]


def test_the_empty_status_is_a_value_like_others(database: Database) -> None:
    with database.write() as transaction:
        for name, status in (("a", ""), ("b", "Failed")):
            key = Key(ACCOUNT, REGION, "sagemaker", "TrainingJob", "", name)
            transaction.insert(Record(key, f"arn:{name}", 1.0, 1.0, {}, status))
    with database.read() as transaction:
        assert [row.name for row in transaction.find(ALL.where("@status", ""))] == ["a"]
        assert [row.name for row in transaction.find(ALL.where("@parent", ""))] == ["a", "b"]
