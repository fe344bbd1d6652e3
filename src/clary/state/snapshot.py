"""The whole database at one moment, for a backup that is written while others go on to change it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from clary.core.settings import SettingsError

Progress = Callable[[int], None]
"""Is told how many bytes more have been written."""
_PAGES = 1024
"""Pages that are copied at a time."""


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; ``None`` for a server's."""
    parts = make_url(url)
    return Path(parts.database or "").absolute() if parts.get_backend_name() == "sqlite" else None


@contextmanager
def sqlite_snapshot(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees ``file`` as it is when the block begins, whatever others commit meanwhile.

    Raises ``sqlite3.Error`` if it is no database or cannot be read.
    """
    # Not read-only: whoever reads a database that was not closed in order may have to go through its log first.
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, timeout=60)
    with closing(connection):
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # it is the first read that fixes the view
        yield connection
        connection.execute("ROLLBACK")


def copy_out(connection: sqlite3.Connection, file: Path, progress: Progress = lambda _: None) -> None:
    """Write what ``connection`` sees to ``file``, which is empty. Raises ``sqlite3.Error``."""
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    left = -1

    def copied(_: int, remaining: int, total: int) -> None:
        nonlocal left
        progress(((total if left < 0 else left) - remaining) * page)
        left = remaining

    with closing(sqlite3.connect(file)) as target:
        target.execute("PRAGMA synchronous = OFF")  # whoever asked syncs the file once it is whole
        connection.backup(target, pages=_PAGES, progress=copied)


def revision_of(connection: sqlite3.Connection) -> str:
    """The migration that a SQLite database has come to; empty if it has no tables yet."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return ""
    return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


@contextmanager
def server_snapshot(url: str) -> Iterator[tuple[str, str]]:
    """The name by which other sessions can see a server's database as it is now, until the block ends, and its
    revision. Raises ``SQLAlchemyError``.

    Reference: https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
    """
    engine = create_engine(url, isolation_level="REPEATABLE READ")
    try:
        with engine.connect() as connection:
            name = str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
            made = inspect(connection).has_table("alembic_version")
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() if made else ""
            yield name, str(revision)
    finally:
        engine.dispose()


def check_empty(url: str) -> None:
    """See that a server's database has no tables. Raises ``SettingsError`` if it has."""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            found = inspect(connection).get_table_names()
    finally:
        engine.dispose()
    if found:
        raise SettingsError(f"the database has tables already ({found[0]} …); name an empty one with CLARY_DATABASE")


def move_logs(url: str, before: Path, after: Path) -> None:
    """Tell the streams of logs that their files, which lay below ``before``, lie below ``after`` now."""
    ours = "service = 'logs' AND kind = 'LogStream'"
    if make_url(url).get_backend_name() == "sqlite":
        statement = (
            "UPDATE resources SET document = json_set(document, '$.Path', :after || substr(json_extract(document,"
            f" '$.Path'), length(:before) + 1)) WHERE {ours} AND substr(json_extract(document, '$.Path'), 1,"
            " length(:before)) = :before"
        )
    else:
        statement = (
            "UPDATE resources SET document = jsonb_set(document::jsonb, '{Path}', to_jsonb(CAST(:after AS text) ||"
            f" substr(document->>'Path', length(:before) + 1)))::json WHERE {ours} AND substr(document->>'Path', 1,"
            " length(:before)) = :before"
        )
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            if inspect(connection).has_table("resources"):
                connection.execute(text(statement), {"before": f"{before}/", "after": f"{after}/"})
    finally:
        engine.dispose()
