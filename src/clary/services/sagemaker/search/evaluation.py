"""Conditions on what Search shows of a resource, where the database cannot tell whether they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from clary.services.sagemaker.search.properties import Leaf, values
from clary.state.search.clauses import (
    SORTED_LETTERS,
    All,
    AnyOf,
    Clause,
    Containing,
    Is,
    Linked,
    Not,
    OneOf,
    Path,
    Position,
    Present,
    Some,
    Within,
)

_NUMERAL = re.compile(r"[ \t\r\n]*-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?[ \t\r\n]*")
"""A number as JSON spells it, which is how the database knows numbers among texts."""


class Readable(Protocol):
    """A map, or what can be read as one."""

    def get(self, key: str, /) -> Any:
        """What is under ``key``, or ``None``."""


def holds(clause: Clause, thing: Any) -> bool:
    """Whether ``clause`` holds for ``thing``, at which its paths start."""
    match clause:
        case All(parts):
            return all(holds(part, thing) for part in parts)
        case AnyOf(parts):
            return any(holds(part, thing) for part in parts)
        case Not(part):
            return not holds(part, thing)
        case Some(path, part):
            found = _at(thing, path)
            elements = found.values() if isinstance(found, Mapping) else found or ()
            return any(holds(part, element) for element in elements)
        case Present(path):
            return _at(thing, path) is not None
        case Within():
            return _within(clause, number_of(_at(thing, clause.path), numeral=clause.numeral))
        case OneOf(path, wanted):
            return _at(thing, path) in wanted
        case Containing(path, text):
            return isinstance(found := _at(thing, path), str) and text in found
        case Is(path, truth):
            return _at(thing, path) is truth
        case Linked():
            raise TypeError("what Search shows has no associations, only the members that stand for them")


def _within(clause: Within, number: float | None) -> bool:
    if number is None:
        return False
    if clause.low is not None and (number < clause.low or (number == clause.low and not clause.with_low)):
        return False
    return clause.high is None or number < clause.high or (number == clause.high and clause.with_high)


def number_of(value: Any, *, numeral: bool = False) -> float | None:
    """``value`` as a number, or ``None`` if it is none; with ``numeral`` it is a text that may spell one."""
    if numeral:
        return float(value) if isinstance(value, str) and _NUMERAL.fullmatch(value) else None
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if isinstance(value, int | float) else None


def place_of(thing: Any, leaves: tuple[Leaf, ...], descending: bool, row: int) -> Position:
    """The place of what Search shows in an order, as ``clary.state.search.clauses.Order`` has it for the database."""
    found = [_sortable(next(values(thing, leaf.steps), None), leaf) for leaf in leaves]
    number = next((number for number, value in enumerate(found) if value is not None), None)
    missing = 0 if descending else len(found)
    rank = missing if number is None else number + descending
    zeros = ("" if leaf.kind == "text" else 0 for leaf in leaves)
    return (rank, *(zero if value is None else value for value, zero in zip(found, zeros, strict=True)), row)


def _sortable(value: Any, leaf: Leaf) -> str | float | None:
    if leaf.kind == "text":
        return value[:SORTED_LETTERS] if isinstance(value, str) else None
    return number_of(value, numeral=leaf.kind == "numeral")


def _at(thing: Readable | Any, path: Path) -> Any:
    for part in path:
        thing = thing.get(part) if thing is not None else None
    return thing
