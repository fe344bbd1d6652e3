"""Resources in the database: keys, versions, pages, leases, tags, and what the edge reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clary.state.database import Database
from clary.state.records import AlreadyExists, Association, Condition, Key, Query, Record, VersionConflict

ACCOUNT, REGION = "123456789012", "us-east-1"


def record(
    name: str, created: float = 1.0, status: str = "", wake_at: float | None = None, **document: object
) -> Record:
    key = Key(ACCOUNT, REGION, "sagemaker", "TrainingJob", "", name)
    return Record(key, f"arn:{name}", created, created, dict(document), status, wake_at)


def query(**values: object) -> Query:
    return Query(ACCOUNT, REGION, "sagemaker", "TrainingJob", **values)  # type: ignore[arg-type]


def test_what_is_inserted_is_found_by_key_arn_and_row(database: Database) -> None:
    with database.write() as transaction:
        stored = transaction.insert(record("a", Image="x", Nested={"Numbers": [1, 2.5]}))
    with database.read() as transaction:
        assert transaction.get(stored.key) == transaction.by_arn("arn:a") == transaction.by_id(stored.id) == stored


def test_a_name_is_taken_once(database: Database) -> None:
    with database.write() as transaction:
        first = transaction.insert(record("a"))
    with pytest.raises(AlreadyExists) as caught, database.write() as transaction:
        transaction.insert(record("a"))
    assert caught.value.record.id == first.id


def test_a_row_id_is_never_given_out_twice(database: Database) -> None:
    with database.write() as transaction:
        first = transaction.insert(record("a"))
        transaction.delete(first)
    with database.write() as transaction:
        assert transaction.insert(record("a")).id > first.id


def test_an_update_from_an_old_version_is_refused(database: Database) -> None:
    with database.write() as transaction:
        stored = transaction.insert(record("a"))
    with database.read() as transaction:
        old = transaction.get(stored.key)
    assert old is not None
    with database.write() as transaction:
        stored.document["x"] = 1
        transaction.update(stored)
    with pytest.raises(VersionConflict), database.write() as transaction:
        transaction.update(old)
    with pytest.raises(VersionConflict), database.write() as transaction:
        transaction.delete(old)


def test_a_block_that_raises_changes_nothing(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as transaction:
        transaction.insert(record("a"))
        raise RuntimeError
    with database.read() as transaction:
        assert transaction.find(query()) == []


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort_by", ["@name", "@created", "@status", "Source.Uri"])
def test_pages_show_every_row_once_and_in_order(database: Database, sort_by: str, descending: bool) -> None:
    with database.write() as transaction:
        # Equal times and statuses, so that a page may end between rows that sort alike.
        for number in range(25):
            source = {"Uri": f"u{number % 5}"} if number % 2 else {}
            transaction.insert(
                record(f"job-{number:02}", created=float(number // 7), status=f"s{number % 3}", Source=source)
            )

    def sorted_by(row: Record) -> Any:
        columns = {"@name": row.name, "@created": row.created, "@status": row.status}
        return columns.get(sort_by, row.document["Source"].get("Uri", ""))

    seen: list[Record] = []
    after = None
    while True:
        with database.read() as transaction:
            rows = transaction.find(query(sort_by=sort_by, descending=descending, limit=4, after=after))
        seen += rows
        if len(rows) < 4:
            break
        last = rows[-1]
        after = (sorted_by(last), last.id)
    keys = [(sorted_by(row), row.id) for row in seen]
    assert len(set(keys)) == 25
    assert keys == sorted(keys, reverse=descending)


def test_filters(database: Database) -> None:
    with database.write() as transaction:
        transaction.insert(
            record("Alpha_1", created=1, status="Failed", Source={"Uri": "s3://a", "Size": 2, "Kept": True})
        )
        transaction.insert(
            record("beta%1", created=2, status="Completed", Source={"Uri": "s3://b", "Size": 2.5, "Kept": False})
        )

    def names(**values: object) -> list[str]:
        with database.read() as transaction:
            return [row.name for row in transaction.find(query(**values))]

    def where(path: str, comparison: Any, value: Any) -> list[str]:
        return names(conditions=(Condition(path, comparison, value),))

    assert where("@name", "contains", "alpha") == ["Alpha_1"]
    assert where("@name", "contains", "_") == ["Alpha_1"]
    assert where("@name", "contains", "%") == ["beta%1"]
    assert where("@name", "starts", "1") == []
    assert where("@name", "starts", "BETA") == ["beta%1"]
    assert where("@status", "equals", "Completed") == ["beta%1"]
    assert where("@created", "from", 2) == ["beta%1"]
    assert where("@created", "to", 1) == ["Alpha_1"]
    assert where("@parent", "equals", "") == ["Alpha_1", "beta%1"]
    assert where("Source.Uri", "equals", "s3://b") == ["beta%1"]
    assert where("Source.Uri", "contains", "3://A") == ["Alpha_1"]
    assert where("Source.Size", "from", 2.5) == ["beta%1"]
    assert where("Source.Kept", "equals", True) == ["Alpha_1"]
    assert names(arns=("arn:Alpha_1",)) == ["Alpha_1"]
    assert names(names=("beta%1", "gamma")) == ["beta%1"]
    assert names(arns=()) == []


def test_regions_and_statuses_are_told(database: Database) -> None:
    with database.write() as transaction:
        assert (transaction.regions(ACCOUNT), transaction.count_statuses("sagemaker", ("TrainingJob",))) == ([], [])
        for name, account, region, kind, status in (
            ("a", ACCOUNT, "us-east-1", "TrainingJob", "Failed"),
            ("b", ACCOUNT, "eu-west-1", "TrainingJob", "Failed"),
            ("c", ACCOUNT, "eu-west-1", "Endpoint", "InService"),
            ("d", "210987654321", "us-west-2", "TrainingJob", "Completed"),
            ("e", ACCOUNT, "us-east-1", "Model", ""),
        ):
            key = Key(account, region, "sagemaker", kind, "", name)
            transaction.insert(Record(key, f"arn:{name}", 1.0, 1.0, {}, status))
    with database.read() as transaction:
        assert transaction.regions(ACCOUNT) == ["eu-west-1", "us-east-1"]
        found = transaction.count_statuses("sagemaker", ("TrainingJob", "Endpoint"))
    assert sorted(found) == [
        ("Endpoint", "InService", 1),
        ("TrainingJob", "Completed", 1),
        ("TrainingJob", "Failed", 2),
    ]


def test_a_lease_goes_to_one_and_an_old_fence_cannot_write(database: Database) -> None:
    with database.write() as transaction:
        transaction.insert(record("a", wake_at=1.0))
    with database.write() as transaction:
        [first] = transaction.claim("one", now=10, until=20)
        assert transaction.claim("two", now=11, until=21) == []
    with database.write() as transaction:
        [second] = transaction.claim("two", now=25, until=35)
    assert second.fence > first.fence
    with pytest.raises(VersionConflict), database.write() as transaction:
        transaction.update(first, fence=first.fence)
    with database.write() as transaction:
        second.wake_at = None
        transaction.update(second, fence=second.fence)
        assert not transaction.any_due(100)


def test_what_was_due_stays_so_when_the_clock_is_set_back(database: Database) -> None:
    with database.write() as transaction:
        for name, wake_at in (("due", 100.0), ("for later", 900.0), ("with nothing to do", None)):
            transaction.insert(record(name, created=100.0, wake_at=wake_at))
        transaction.insert(record("since", created=101.0, wake_at=100.5))
        assert transaction.claim("one", now=40, until=50) == []
        transaction.make_due(40)
        assert sorted(each.name for each in transaction.claim("one", now=40, until=50)) == ["due", "since"]


def test_renewing_keeps_a_lease_and_taking_over_ends_it(database: Database) -> None:
    with database.write() as transaction:
        transaction.insert(record("a", wake_at=1.0))
        transaction.claim("control:one", now=10, until=20)
        transaction.renew("control:one", until=40)
        assert transaction.claim("control-2:two", now=25, until=35) == []
        transaction.take_over("control-2")
        assert transaction.claim("control-2:two", now=25, until=35) == []
        transaction.take_over("control")
        assert len(transaction.claim("control-2:two", now=25, until=35)) == 1


def test_tags(database: Database) -> None:
    with database.write() as transaction:
        transaction.set_tags("arn:a", {"x": "1", "y": "2"})
        transaction.set_tags("arn:a", {"x": "3"})
        transaction.remove_tags("arn:a", ["y", "z"])
        assert transaction.tags("arn:a") == {"x": "3"}


def test_associations(database: Database) -> None:
    with database.write() as transaction:
        edge = Association("arn:a", "arn:b", "Produced", 1.0, {"By": "me"})
        assert transaction.associate(ACCOUNT, REGION, edge)
        assert not transaction.associate(ACCOUNT, REGION, edge)
        assert transaction.associations(ACCOUNT, REGION, source="arn:a") == [edge]
        assert transaction.associations(ACCOUNT, REGION, destination="arn:a") == []
        assert transaction.disassociate(ACCOUNT, REGION, "arn:a", "arn:b")
        assert not transaction.disassociate(ACCOUNT, REGION, "arn:a", "arn:b")


def test_every_change_of_a_route_raises_the_revision(database: Database) -> None:
    with database.write() as transaction:
        before = transaction.revision("routes")
        transaction.set_route(ACCOUNT, REGION, "e", {"variants": []})
        assert transaction.revision("routes") == before + 1
        assert transaction.routes() == {(ACCOUNT, REGION, "e"): {"variants": []}}
        transaction.set_route(ACCOUNT, REGION, "e", None)
        assert transaction.routes() == {}
        assert transaction.revision("routes") == before + 2


def test_many_writers_at_once_lose_nothing(database: Database) -> None:
    with database.write() as transaction:
        stored = transaction.insert(record("counter", Count=0))

    def count(_: int) -> None:
        for _ in range(10):
            with database.write() as transaction:
                current = transaction.get(stored.key)
                assert current is not None
                current.document["Count"] += 1
                transaction.update(current)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(8)))
    with database.read() as transaction:
        current = transaction.get(stored.key)
    assert current is not None
    assert current.document["Count"] == 80
