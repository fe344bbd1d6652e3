"""The database: transactions that read or write, and the schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.pool import QueuePool

from clary.core.errors import InternalFailure, ServiceUnavailable
from clary.core.settings import SettingsError
from clary.state.observed import Observer
from clary.state.session import Session, to_json
from clary.state.sqlite import SqliteConnections, schema_engine
from clary.state.tables import REVISION, metadata
from clary.state.transaction import Transaction

_ONE_WRITER = text("SELECT pg_advisory_xact_lock(7788)")
"""Writers take turns, as SQLite's do: what one has read stays true until it has written, whatever that was."""
_OPTIONS = "-c idle_in_transaction_session_timeout=60s -c random_page_cost=1.1"
"""A process that stands still must not keep the others from writing; and what is read most is in memory."""


class Database:
    """State behind a URL such as ``sqlite:////home/me/.clary/state/clary.db`` or ``postgresql+psycopg://…``."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = make_url(url)
        self._observer: Observer | None = None
        self._sqlite: SqliteConnections | None = None
        if self._url.get_backend_name() == "sqlite":
            if self._url.database:
                _make_private(Path(self._url.database))
            self._sqlite = SqliteConnections(self._url, read_only=read_only)
            self._engine = self._sqlite.engine
        else:
            self._engine = _server_engine(self._url)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one state of the database and changes nothing.

        Raises ``ServiceUnavailable`` if the server does not answer.
        """
        if self._sqlite is None:
            options: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            with _answering(), self._engine.connect().execution_options(**options) as connection, connection.begin():
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

        Raises ``InternalFailure`` if the disk is full, and ``ServiceUnavailable`` if the server does not answer: a
        transaction whose end it has not told may have been committed.
        """
        if self._sqlite is None:
            with _answering(), self._engine.begin() as connection:
                connection.execute(_ONE_WRITER)
                transaction = Transaction(Session(connection), self._observer)
                yield transaction
                after = transaction.changes.tell()
            after()
            return
        try:
            with self._sqlite.write() as session:
                transaction = Transaction(session, self._observer)
                yield transaction
                after = transaction.changes.tell()
        except (OperationalError, sqlite3.OperationalError) as error:
            cause = error.orig if isinstance(error, OperationalError) else error
            if getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise InternalFailure(
                    "The disk that holds Clary's home folder is full. Free some space on it and try again."
                ) from error
            raise
        after()

    def watch(self, observer: Observer) -> None:
        """Let an observer take part in the transactions that change what it watches."""
        self._observer = observer

    @property
    def is_shared(self) -> bool:
        """Whether control planes on several machines can use this database together."""
        return self._sqlite is None

    def prepare(self) -> None:
        """Create the tables, or bring those of an older version up to date.

        Raises ``SettingsError`` if they are of a newer version.
        """
        if self._sqlite is None:
            with self._engine.begin() as connection:
                connection.execute(_ONE_WRITER)  # held by a connection of its own, whichever process prepares first
                self._prepare(self._engine)
            return
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
            return
        if current > REVISION:
            raise SettingsError(
                f"the database is of a newer version of Clary (it has the tables {current}, and this one knows"
                f" {REVISION}); start that version, or restore a backup from before it"
            )
        # Imported here because it costs as much time as all the rest, and is needed once in an installation's life.
        from clary.state.migrations.upgrade import upgrade

        upgrade(engine)

    def analyze(self) -> None:
        """Tell PostgreSQL's planner what the tables hold, as the server does by itself some time after much was
        stored; SQLite's plans do not depend on it."""
        if self._sqlite is None:
            with self._engine.begin() as connection:
                connection.execute(text("ANALYZE"))

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


def _make_private(file: Path) -> None:
    """Make the file before SQLite does: those that it makes beside it have the mode of this one."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated or isinstance(error, OperationalError):
            raise ServiceUnavailable("The database does not answer. Please try again.") from error
        raise


def _server_engine(url: URL) -> Engine:
    json: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": orjson.loads}
    pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": 8, "max_overflow": 32, "pool_pre_ping": True}
    try:
        return create_engine(url, connect_args={"options": _OPTIONS, "connect_timeout": 10}, **pool, **json)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise SettingsError(
            f"no driver for the database {url.drivername}: write postgresql+psycopg://… and install it with"
            " `pip install 'clary[postgresql]'`"
        ) from error
