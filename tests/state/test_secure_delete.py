"""What was deleted is not to be found in the database's file."""

from __future__ import annotations

from pathlib import Path

from clary.state.database import Database
from clary.state.records import Key, Record

SECRET = "the-secret-that-was-there-"


def test_deleted_rows_leave_nothing_in_free_pages(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(f"sqlite:///{path}")
    database.prepare()
    records = [
        Record(
            key=Key("123456789012", "us-east-1", "kms", "Key", "", f"key-{number}"),
            arn=f"arn:{number}",
            created=1.0,
            modified=1.0,
            document={"Material": SECRET * 500},  # longer than a page
        )
        for number in range(20)
    ]
    with database.write() as transaction:
        for record in records:
            transaction.insert(record)
    with database.write() as transaction:
        for record in records:
            transaction.delete(record)
    database.close()  # which brings the log of writes into the file
    assert SECRET.encode() not in path.read_bytes()
    assert not path.with_name("state.db-wal").exists()
