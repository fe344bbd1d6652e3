"""The tables as they are defined are those that the migrations make."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from clary.state.database import Database
from clary.state.migrations.upgrade import configuration, upgrade
from clary.state.tables import REVISION, metadata


def test_the_newest_migration_is_the_one_that_the_tables_name() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == REVISION


def test_migrating_an_empty_database_gives_the_defined_tables(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_preparing_twice_changes_nothing_and_the_file_is_private(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "state.db"
    for _ in range(2):
        database = Database(f"sqlite:///{file}")
        database.prepare()
        assert database.is_prepared()
        database.close()
    assert file.stat().st_mode & 0o077 == 0
