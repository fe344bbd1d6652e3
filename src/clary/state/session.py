"""The connection under a transaction, and statements that are compiled once and run straight on SQLite's driver.

What SQLAlchemy does around a statement costs more than ten times what SQLite needs to find a row by its key. So the few
statements that every request and every job run are compiled by SQLAlchemy once, and their text is handed to the driver;
all others, and all on other databases, go through SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
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


_LONGEST_LIST = 256
"""Up to so many values of an ``IN`` the text of a statement is kept."""


class _Form(NamedTuple):
    """What is known of a statement before its parameters are."""

    compiled: SQLCompiler
    constants: dict[str, Any]
    """The parameters that are part of the statement."""
    processors: tuple[tuple[str, Callable[[Any], Any]], ...]
    """What turns the values of other parameters into those that SQLite knows."""
    lists: tuple[str, ...]
    """The parameters that are lists, whose lengths decide the text."""


class Prepared:
    """A statement with named parameters, which is the same whenever it is run, but for the lengths of lists."""

    def __init__(self, statement: Executable) -> None:
        self.statement = statement
        self._texts: dict[tuple[int, ...], tuple[str, Mapping[str, list[str]]]] = {}

    @cached_property
    def _form(self) -> _Form:
        # Drivers tell the row of an insert by themselves.
        statement = self.statement.inline() if isinstance(self.statement, Insert) else self.statement
        compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        constants: dict[str, Any] = {}
        processors = []
        lists = []
        for name, bind in compiled.binds.items():
            process = bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)
            if bind.expanding:
                assert bind.required and process is None, "a list is of plain values, and a parameter"
                lists.append(name)
            elif not bind.required:
                constants[name] = process(bind.effective_value) if process is not None else bind.effective_value
            elif process is not None:
                processors.append((name, process))
        return _Form(compiled, constants, tuple(processors), tuple(lists))

    def direct(self, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The text and the values for SQLite's driver, or ``None`` if a list is too long to keep a text for it."""
        form = self._form
        values = {**form.constants, **parameters}
        for name, process in form.processors:
            values[name] = process(values[name])
        for name in form.lists:
            if len(values[name]) > _LONGEST_LIST:
                return None
            values[name] = _padded(values[name])
        sizes = tuple(len(values[name]) for name in form.lists)
        if (known := self._texts.get(sizes)) is None:
            expanded = form.compiled.construct_expanded_state(values)
            known = self._texts[sizes] = expanded.statement, expanded.parameter_expansion
        text, names = known
        for name in form.lists:
            values.update(zip(names[name], values.pop(name), strict=True))
        return text, values

    def direct_each(self, many: Sequence[Mapping[str, Any]]) -> tuple[str, Sequence[Mapping[str, Any]]]:
        """The text and the values of each run, of a statement without lists."""
        form = self._form
        assert not form.lists
        if form.constants or form.processors:
            many = [{**form.constants, **each, **{n: do(each[n]) for n, do in form.processors}} for each in many]
        return str(form.compiled), many


def _padded(values: Collection[Any]) -> list[Any]:
    """The same values, the last one again and again, so that few lengths occur: they are powers of two."""
    padded = list(values)
    length = 1 << (len(padded) - 1).bit_length() if padded else 0
    return padded + padded[-1:] * (length - len(padded))


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

    def change_each(self, prepared: Prepared, many: Sequence[Mapping[str, Any]]) -> None:
        """Run an insert, an update or a deletion without lists once for each of the parameters given, of which there
        may be none."""
        if not many:
            return
        if self.driver is None:
            self.connection.execute(prepared.statement, many)
        else:
            self.driver.executemany(*prepared.direct_each(many))

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
        if self.driver is None or (direct := prepared.direct(parameters)) is None:
            return None
        return self.driver.execute(*direct)

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
