"""The database: one engine that reads, one that writes, and the schema.

SQLite lets one connection write at a time and makes the others poll, so that under load some starve; a lock in this
process queues the writers fairly instead. Reads see the last commit and never wait.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from clary.core.errors import InternalFailure
from clary.state.tables import REVISION, metadata
from clary.state.transaction import Transaction


def _to_json(value: Any) -> str:
    # Times are kept as seconds since the epoch, as everywhere in the state.
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be stored")


class Database:
    """State behind a URL such as ``sqlite:////home/me/.clary/state/clary.db`` or ``postgresql+psycopg://…``."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = make_url(url)
        self._sqlite = self._url.get_backend_name() == "sqlite"
        self._lock = threading.Lock()
        self._reader = self._engine(pool_size=8, query_only=self._sqlite)
        self._writer = self._reader if read_only else self._engine(pool_size=1 if self._sqlite else 8, query_only=False)

    def _engine(self, pool_size: int, query_only: bool) -> Engine:
        options: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": orjson.loads}
        if self._sqlite:
            options["connect_args"] = {"check_same_thread": False, "timeout": 30, "isolation_level": None}
        engine = create_engine(self._url, poolclass=QueuePool, pool_size=pool_size, max_overflow=16, **options)
        if self._sqlite:

            @event.listens_for(engine, "connect")
            def _configure(connection: Any, _: Any) -> None:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA cache_size=-32000")
                if query_only:
                    connection.execute("PRAGMA query_only=ON")

            @event.listens_for(engine, "begin")
            def _begin(connection: Connection) -> None:
                # Straight to the driver: SQLAlchemy's own way to run a statement costs more than all that follows.
                driver = connection.connection.driver_connection
                assert driver is not None
                driver.execute("BEGIN" if query_only else "BEGIN IMMEDIATE")

        return engine

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the database and changes nothing."""
        with self._reader.connect() as connection, connection.begin():
            yield Transaction(connection)

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is committed at the end of the block, or rolled back whole when the block raises.

        Raises ``InternalFailure`` if the disk is full.
        """
        if not self._sqlite:
            with self._writer.begin() as connection:
                yield Transaction(connection)
            return
        try:
            with self._lock, self._writer.begin() as connection:
                yield Transaction(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise InternalFailure(
                    "The disk that holds Clary's home folder is full. Free some space on it and try again."
                ) from error
            raise

    @property
    def is_shared(self) -> bool:
        """Whether control planes on several machines can use this database together."""
        return not self._sqlite

    def prepare(self) -> None:
        """Create the tables, or bring those of an older version up to date."""
        if self._sqlite and self._url.database:
            Path(self._url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        current = self._revision()
        if current == REVISION:
            return
        if current is None:
            with self._writer.begin() as connection:
                metadata.create_all(connection)
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
                connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})
            if self._sqlite and self._url.database:
                Path(self._url.database).chmod(0o600)
            return
        # Imported here because it costs as much time as all the rest, and is needed once in an installation's life.
        from clary.state.migrations.upgrade import upgrade

        upgrade(self._writer)

    def is_prepared(self) -> bool:
        """Whether the tables are there and up to date."""
        return self._revision() == REVISION

    def _revision(self) -> str | None:
        with self._reader.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    def close(self) -> None:
        """Give the connections back."""
        self._reader.dispose()
        self._writer.dispose()
