"""An empty database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.state.database import Database
from clary.testing.postgresql import PostgreSQL


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    server = PostgreSQL()
    try:
        url = server.url("prepared")
        server.execute("CREATE DATABASE prepared")
        database = Database(url)
        database.prepare()
        database.close()
        yield server
    finally:
        server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'state.db'}")
        database.prepare()
        yield database
        database.close()
        return
    server: PostgreSQL = request.getfixturevalue("postgresql")
    with server.database("prepared") as url:
        database = Database(url)
        yield database
        database.close()
