"""SQLite's connections: those that read are kept, and one writes, for several transactions at each commit.

SQLite lets one connection write at a time and makes the others poll, so that under load some starve; a lock in this
process queues the writers instead. To have a commit on disk costs as much as several transactions, so those that wait
for each other's end are committed together: whoever finds others waiting leaves the transaction open to them, and waits
until the last of them has committed it. Nobody is told that a write is done before it is on disk. To take a connection
from SQLAlchemy's pool and to begin a transaction through it costs more than most of what is done with it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

from clary.state.session import Session, to_json

MOST_TOGETHER = 32
"""How many transactions one commit ends at most."""
PATIENCE_SECONDS = 10.0
_OPTIONS: dict[str, Any] = {
    "json_serializer": to_json,
    "json_deserializer": orjson.loads,
    "connect_args": {"check_same_thread": False, "timeout": 30, "isolation_level": None},
}


class SqliteConnections:
    """The connections of one process to one file."""

    def __init__(self, url: URL, *, read_only: bool) -> None:
        self.engine = _engine(url, query_only=True)
        """For what needs no transaction."""
        self._readers: deque[Session] = deque()
        self._writer = None if read_only else _Writer(_engine(url, query_only=False))

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that sees one state of the database."""
        try:
            session = self._readers.pop()
        except IndexError:
            session = _session(self.engine)
        session.run("BEGIN")
        try:
            yield session
        finally:
            session.settle()
            session.run("COMMIT")
            self._readers.append(session)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is on disk at the end of the block, or rolled back whole when the block raises."""
        assert self._writer is not None
        with self._writer.transaction() as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        while self._readers:
            self._readers.pop().connection.close()
        self.engine.dispose()
        if self._writer is not None:
            self._writer.close()


class _Group:
    """Transactions that are committed together."""

    def __init__(self) -> None:
        self.size = 0
        self.ended = threading.Event()
        self.error: BaseException | None = None

    def end(self, error: BaseException | None = None) -> None:
        self.error = error
        self.ended.set()


class _Writer:
    """The one connection that writes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._group: _Group | None = None
        # Those who want the lock; a queue counts them exactly, whichever threads come and go.
        self._waiting: deque[None] = deque()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._turn():
            session = self._session = self._session or _session(self._engine)
            group = self._group
            if group is None:
                session.run("BEGIN IMMEDIATE")
                group = self._group = _Group()
            # The first can be undone with the whole transaction.
            alone = group.size == 0
            if not alone:
                session.run("SAVEPOINT one")
            try:
                yield session
                session.settle()
                if not alone:
                    session.run("RELEASE one")
                group.size += 1
            except BaseException as error:
                session.settle()
                self._undo(session, group, alone, error)
                raise
            finally:
                if self._group is not None and (not self._waiting or group.size >= MOST_TOGETHER):
                    self._commit(session, group)
        while not group.ended.wait(PATIENCE_SECONDS):
            # Whoever was to commit it was interrupted before its turn came.
            with self._turn():
                if self._group is group and not self._waiting:
                    self._commit(session, group)
        if group.error is not None:
            raise group.error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        self._waiting.append(None)
        try:
            self._lock.acquire()
        finally:
            self._waiting.pop()
        try:
            yield
        finally:
            self._lock.release()

    def _undo(self, session: Session, group: _Group, alone: bool, error: BaseException) -> None:
        """Take back what one transaction has done, and leave what others of its group have."""
        if not session.in_transaction:
            # SQLite itself has undone all of it: the disk is full or broken.
            self._group = None
            group.end(error)
        elif alone:
            session.run("ROLLBACK")
            self._group = None
            group.end()
        else:
            try:
                session.run("ROLLBACK TO one")
                session.run("RELEASE one")
            except sqlite3.Error as broken:
                session.run("ROLLBACK")
                self._group = None
                group.end(broken)

    def _commit(self, session: Session, group: _Group) -> None:
        self._group = None
        try:
            session.run("COMMIT")
        except sqlite3.Error as error:
            if session.in_transaction:
                session.run("ROLLBACK")
            group.end(error)
        else:
            group.end()

    def close(self) -> None:
        if self._session is not None:
            self._session.connection.close()
            self._session = None
        self._engine.dispose()


def _session(engine: Engine) -> Session:
    connection = engine.connect()
    return Session(connection, connection.connection.driver_connection)


def _engine(url: URL, *, query_only: bool) -> Engine:
    # As many connections as there are threads: those that are kept are never given back to the pool.
    engine = create_engine(url, poolclass=QueuePool, max_overflow=-1, **_OPTIONS)
    # Where a transaction begins and ends is for this module to say, and not for what is run within it.
    for name in ("do_commit", "do_rollback"):
        setattr(engine.dialect, name, _leave)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        configure(connection)
        # A commit changes a page of each index, so that the default of 1,000 pages comes round too soon.
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        if query_only:
            connection.execute("PRAGMA query_only=ON")
            # There may be as many as threads, and what they hold is of no use any more when another one has written.
            connection.execute("PRAGMA cache_size=-2000")

    return engine


def _leave(_: Any) -> None:
    """What SQLAlchemy calls at the end of what it takes for a transaction."""


def configure(connection: Any) -> None:
    """Set up a new connection: what is committed survives the loss of the machine's power."""
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA cache_size=-8000")
    # Secrets that were deleted shall not stay in pages that are free; it costs nothing that can be measured.
    connection.execute("PRAGMA secure_delete=ON")


def schema_engine(url: URL) -> Engine:
    """An engine for the making of tables, with transactions as SQLAlchemy has them."""
    engine = create_engine(url, **_OPTIONS)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        configure(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # Python's driver would begin none before tables are made.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
