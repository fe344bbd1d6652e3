"""The connection under a transaction, and statements that are compiled once and run straight on SQLite's driver.

What SQLAlchemy does around a statement costs more than ten times what SQLite needs to find a row by its key. So the few
statements that every request runs are compiled by SQLAlchemy once, and their text is handed to the driver; all others,
and all on other databases, go through SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Executable, Insert
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql.compiler import SQLCompiler


def to_json(value: Any) -> str:
    """A document as it is stored; times are kept as seconds since the epoch, as everywhere in the state."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} cannot be stored")


_DIALECT = pysqlite.dialect(paramstyle="named", json_serializer=to_json)


class _Direct(NamedTuple):
    """A statement as SQLite's driver takes it."""

    text: str
    constants: dict[str, Any]
    """The parameters that are part of the statement."""
    processors: tuple[tuple[str, Callable[[Any], Any]], ...]
    """What turns the values of other parameters into those that SQLite knows."""


class Prepared:
    """A statement with named parameters, which is the same whenever it is run."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement

    @cached_property
    def direct(self) -> _Direct | None:
        """Its form for SQLite's driver, or ``None`` where the text depends on the values (``IN`` with a list)."""
        # Drivers tell the row of an insert by themselves.
        statement = self.statement.inline() if isinstance(self.statement, Insert) else self.statement
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        if compiled.post_compile_params or compiled.literal_execute_params:
            return None
        constants: dict[str, Any] = {}
        processors = []
        for name, bind in compiled.binds.items():
            process = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            if not bind.required:
                constants[name] = process(bind.effective_value) if process is not None else bind.effective_value
            elif process is not None:
                processors.append((name, process))
        return _Direct(str(compiled), constants, tuple(processors))


class Session:
    """One connection, for one transaction after the other; it is nobody's between them."""

    def __init__(self, connection: Connection, driver: sqlite3.Connection | None = None) -> None:
        self.connection = connection
        """For statements that are put together when they are needed."""
        self.driver = driver
        """The same connection as SQLite's driver knows it, or ``None`` with another database."""

    def rows(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """All rows that a statement gives. A document may be the JSON text that is stored."""
        if (cursor := self._run(prepared, parameters)) is not None:
            found: list[Any] = cursor.fetchall()
            return found
        return self.connection.execute(prepared.statement, parameters).all()

    def first(self, prepared: Prepared, parameters: Mapping[str, Any]) -> Sequence[Any] | None:
        """The first row that a statement gives, as ``rows`` has it."""
        if (cursor := self._run(prepared, parameters)) is not None:
            row: tuple[Any, ...] | None = cursor.fetchone()
            cursor.close()
            return row
        return self.connection.execute(prepared.statement, parameters).first()

    def change(self, prepared: Prepared, parameters: Mapping[str, Any]) -> int:
        """Run an update or a deletion; gives how many rows it met."""
        cursor = self._run(prepared, parameters)
        return (
            cursor.rowcount if cursor is not None else self.connection.execute(prepared.statement, parameters).rowcount
        )

    def insert(self, prepared: Prepared, parameters: Mapping[str, Any]) -> int:
        """Insert one row; gives its id.

        Raises the ``IntegrityError`` of SQLAlchemy or of SQLite's driver for a key that is there.
        """
        if (cursor := self._run(prepared, parameters)) is not None:
            assert cursor.lastrowid is not None
            return cursor.lastrowid
        # SQLite undoes the one statement that failed; elsewhere the transaction is lost without a savepoint.
        with self.connection.begin_nested():
            made = self.connection.execute(prepared.statement, parameters).inserted_primary_key
        assert made is not None
        return int(made[0])

    def _run(self, prepared: Prepared, parameters: Mapping[str, Any]) -> sqlite3.Cursor | None:
        if self.driver is None or (direct := prepared.direct) is None:
            return None
        values = {**direct.constants, **parameters}
        for name, process in direct.processors:
            values[name] = process(values[name])
        return self.driver.execute(direct.text, values)

    # With SQLite, where a transaction begins and ends

    def run(self, text: str) -> None:
        """Run a statement such as ``BEGIN``."""
        assert self.driver is not None
        self.driver.execute(text)

    @property
    def in_transaction(self) -> bool:
        """Whether the connection is in a transaction."""
        assert self.driver is not None
        return self.driver.in_transaction

    def settle(self) -> None:
        """Let SQLAlchemy forget the transaction; it knows of it only if it has run a statement of it."""
        if self.connection.in_transaction():
            self.connection.rollback()
