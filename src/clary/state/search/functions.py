"""Functions that SQLite and PostgreSQL spell differently, most of them on JSON."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Float, Integer, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement, GenericFunction

_NUMBER = r"^\s*-?(0|[1-9][0-9]{0,199})(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?\s*$"


class elements(GenericFunction[Any]):
    """The elements of a JSON array that is given as text."""

    name = "clary_elements"
    inherit_cache = True


class pairs(GenericFunction[Any]):
    """The keys and values of a JSON object that is given as text."""

    name = "clary_pairs"
    inherit_cache = True


class itself(FunctionElement[str]):
    """An element of an array that is a text, as text."""

    type = String()
    inherit_cache = True


class numeral(FunctionElement[float]):
    """The number that a text spells as JSON spells numbers, or null."""

    type = Float()
    inherit_cache = True


class position(FunctionElement[int]):
    """Where a text starts within another, from 1; 0 if it does not."""

    type = Integer()
    inherit_cache = True


@compiles(elements, "sqlite")
@compiles(pairs, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(elements)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_array_elements(CAST({compiler.process(element.clauses, **options)} AS JSON))"


@compiles(pairs)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_each(CAST({compiler.process(element.clauses, **options)} AS JSON))"


@compiles(itself, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(itself)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} #>> '{{}}')"


@compiles(numeral, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    # Nested, because SQLite may look at both sides of AND, and ``json_type`` fails on what is no JSON.
    return (
        f"CASE WHEN json_valid({text}) THEN "
        f"CASE WHEN json_type({text}) IN ('integer', 'real') THEN CAST({text} AS REAL) END END"
    )


@compiles(numeral)
def _(element: Any, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f"CASE WHEN {text} ~ '{_NUMBER}' THEN CAST({text} AS DOUBLE PRECISION) END"


@compiles(position, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses, **options)})"


@compiles(position)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **options)})"


class unindexed(FunctionElement[Any]):
    """A column for whose sake no index is to be used."""

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed, "sqlite")
def _(element: Any, compiler: Any, **options: Any) -> str:
    return f"+{compiler.process(element.clauses, **options)}"


@compiles(unindexed)
def _(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))
