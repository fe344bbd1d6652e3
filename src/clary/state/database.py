"""The database: transactions that read or write, and the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from clary.core.errors import InternalFailure
from clary.state.session import Session, to_json
from clary.state.sqlite import SqliteConnections, schema_engine
from clary.state.tables import REVISION, metadata
from clary.state.transaction import Transaction


class Database:
    """State behind a URL such as ``sqlite:////home/me/.clary/state/clary.db`` or ``postgresql+psycopg://…``."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = make_url(url)
        self._sqlite: SqliteConnections | None = None
        if self._url.get_backend_name() == "sqlite":
            self._sqlite = SqliteConnections(self._url, read_only=read_only)
            self._engine = self._sqlite.engine
        else:
            json: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": orjson.loads}
            self._engine = create_engine(self._url, poolclass=QueuePool, pool_size=8, max_overflow=16, **json)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the database and changes nothing."""
        if self._sqlite is None:
            with self._engine.connect() as connection, connection.begin():
                yield Transaction(Session(connection))
            return
        with self._sqlite.read() as session:
            yield Transaction(session)

    def revisions(self) -> dict[str, int]:
        """How often each topic changed: the cheapest way to see that nothing did."""
        with self.read() as transaction:
            return transaction.revisions()

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that is committed at the end of the block, or rolled back whole when the block raises.

        Raises ``InternalFailure`` if the disk is full.
        """
        if self._sqlite is None:
            with self._engine.begin() as connection:
                yield Transaction(Session(connection))
            return
        try:
            with self._sqlite.write() as session:
                yield Transaction(session)
        except (OperationalError, sqlite3.OperationalError) as error:
            cause = error.orig if isinstance(error, OperationalError) else error
            if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise InternalFailure(
                    "The disk that holds Clary's home folder is full. Free some space on it and try again."
                ) from error
            raise

    @property
    def is_shared(self) -> bool:
        """Whether control planes on several machines can use this database together."""
        return self._sqlite is None

    def prepare(self) -> None:
        """Create the tables, or bring those of an older version up to date."""
        if self._sqlite is None:
            self._prepare(self._engine)
            return
        if self._url.database:
            Path(self._url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.is_prepared():
            engine = schema_engine(self._url)
            try:
                self._prepare(engine)
            finally:
                engine.dispose()

    def _prepare(self, engine: Engine) -> None:
        current = self._revision()
        if current == REVISION:
            return
        if current is None:
            with engine.begin() as connection:
                metadata.create_all(connection)
                connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
                connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})
            if self._sqlite is not None and self._url.database:
                Path(self._url.database).chmod(0o600)
            return
        # Imported here because it costs as much time as all the rest, and is needed once in an installation's life.
        from clary.state.migrations.upgrade import upgrade

        upgrade(engine)

    def is_prepared(self) -> bool:
        """Whether the tables are there and up to date."""
        return self._revision() == REVISION

    def _revision(self) -> str | None:
        with self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())

    def close(self) -> None:
        """Give the connections back."""
        if self._sqlite is not None:
            self._sqlite.close()
        else:
            self._engine.dispose()
